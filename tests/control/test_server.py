"""The control socket, with a real one."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase, TestCase

from rotoclear.control.client import ControlError, NotRunning, RefusedByServer, call
from rotoclear.control.protocol import peer_uid
from rotoclear.control.request import Refused, Request
from rotoclear.control.server import GRACE, ControlServer, listen
from rotoclear.control.wire import address
from rotoclear.errors import StartError


class ListeningTests(SynchronousTestCase):
    """What happens to the file."""

    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "control.sock"

    def refusal(self) -> str:
        return str(self.assertRaises(StartError, listen, self.path))

    def test_nobody_else_from_the_first_moment(self) -> None:
        """The mode is there when the file is: nothing changes it afterwards."""
        self.addCleanup(os.umask, os.umask(0))
        for name in ("chmod", "fchmodat", "lchmod"):
            if hasattr(os, name):
                self.patch(os, name, None)
        with listen(self.path):
            self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)

    def test_dead_servers_socket_is_replaced(self) -> None:
        listen(self.path).close()
        before = self.path.stat().st_ino, self.path.stat().st_ctime_ns
        with listen(self.path):
            self.assertNotEqual((self.path.stat().st_ino, self.path.stat().st_ctime_ns), before)

    def test_living_servers_socket_stays(self) -> None:
        with listen(self.path) as living:
            living.listen(0)
            for _ in range(3):  # after the second its queue is full
                self.assertEqual(self.refusal(), f"{self.path}: another server listens there")
                waiting = socket.socket(socket.AF_UNIX)
                waiting.setblocking(False)
                waiting.connect_ex(str(self.path))
                self.addCleanup(waiting.close)
        self.assertTrue(self.path.is_socket())

    def test_no_socket(self) -> None:
        self.path.write_text("precious")
        self.assertEqual(self.refusal(), f"{self.path} is in the way: it is not a socket")
        self.assertEqual(self.path.read_text(), "precious")

    def test_link_is_not_followed(self) -> None:
        self.path.symlink_to("/dev/log")
        self.refusal()

    def test_no_folder(self) -> None:
        self.path /= "control.sock"
        self.assertEqual(self.refusal(), f"{self.path}: No such file or directory")


class ServingTests(TestCase):
    """A real server, a real client."""

    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name) / ("long" * 40)
        self.folder.mkdir()
        self.path = self.folder / "control.sock"
        self.waiting: Deferred[None] = Deferred()
        self.asked: Deferred[None] = Deferred()
        self.server = ControlServer(
            reactor,
            self.path,
            {"who": self.who, "refuse": self.refuse, "wait": self.wait, "big": self.big},
        )

    async def who(self, request: Request) -> dict[str, object]:
        return {"by": request.by, "arguments": dict(request.arguments)}

    async def refuse(self, request: Request) -> dict[str, object]:
        raise Refused("not you")

    async def wait(self, request: Request) -> dict[str, object]:
        self.asked.callback(None)
        await self.waiting
        return {}

    async def big(self, request: Request) -> dict[str, object]:
        return {"text": "x" * 1_000_000}

    def start(self) -> None:
        self.server.startService()
        self.addCleanup(self.stop)

    async def stop(self) -> None:
        if self.server.running:
            await self.server.stopService()

    async def call(self, do: str, **arguments: object) -> dict[str, object]:
        return await deferToThread(call, self.path, do, arguments)

    async def test_asked_and_answered(self) -> None:
        self.start()
        self.assertEqual(
            await self.call("who", a="ü"),
            {"by": f"uid {os.geteuid()}", "arguments": {"a": "ü"}},
        )
        self.assertEqual(len((await self.call("big"))["text"]), 1_000_000)

    async def test_mode(self) -> None:
        self.start()
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)

    async def test_refused(self) -> None:
        self.start()
        with self.assertRaises(RefusedByServer) as caught:
            await self.call("refuse")
        self.assertEqual(str(caught.exception), "not you")

    async def test_stopped(self) -> None:
        self.start()
        await self.server.stopService()
        self.assertFalse(self.path.exists())
        with self.assertRaises(NotRunning):
            await self.call("who")

    async def test_again(self) -> None:
        self.start()
        await self.server.stopService()
        self.server.startService()
        await self.call("who")

    async def test_stopping_waits_for_the_answer(self) -> None:
        self.start()
        answer = Deferred.fromCoroutine(self.call("wait"))
        await self.asked
        stopped = self.server.stopService()
        self.waiting.callback(None)
        self.assertEqual(await answer, {})
        await stopped

    async def test_stopping_gives_up(self) -> None:
        self.start()
        with socket.socket(socket.AF_UNIX) as client:
            with address(self.path) as name:
                client.connect(name)
            client.sendall(b'{"do": "wait"}\n')
            await self.asked
            await self.server.stopService().addTimeout(GRACE * 5, reactor)

    async def test_stopping_without_the_file(self) -> None:
        self.start()
        self.path.unlink()
        await self.server.stopService()
        self.assertEqual(list(self.folder.iterdir()), [])

    async def test_client_that_hangs_up(self) -> None:
        self.start()
        with socket.socket(socket.AF_UNIX) as client:
            with address(self.path) as name:
                client.connect(name)
            client.sendall(b'{"do": "big"}\n' * 100)
        await self.call("who")
        await deferLater(reactor, 0)

    def test_peer(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX)
        with ours, theirs:

            class Transport:
                getHandle = staticmethod(lambda: ours)

            self.assertEqual(peer_uid(Transport()), os.geteuid())


class ClientTests(SynchronousTestCase):
    """What the client says when a server is none, or a strange one."""

    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "control.sock"

    def ask(self, answer: bytes | None, timeout: float = 5) -> str:
        """What a server that says just this gets for an error."""
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(self.path))
            server.listen()
            if answer is None:
                error = self.assertRaises(ControlError, call, self.path, "x", timeout=timeout)
            else:

                def serve() -> None:
                    connection, _ = server.accept()
                    with connection:
                        connection.recv(1000)
                        connection.sendall(answer)

                thread = Thread(target=serve)
                thread.start()
                error = self.assertRaises(ControlError, call, self.path, "x", timeout=timeout)
                thread.join()
        self.path.unlink()
        return str(error)

    def test_nobody(self) -> None:
        self.assertRaises(NotRunning, call, self.path, "x")
        self.assertRaises(NotRunning, call, self.path / "deeper", "x")
        self.assertRaises(NotRunning, call, Path("/dev/null/control.sock"), "x")

    def test_dead(self) -> None:
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(self.path))
        self.assertRaises(NotRunning, call, self.path, "x")

    def test_silent(self) -> None:
        self.assertEqual(self.ask(None, timeout=0.05), "the server did not answer in time")

    def test_gone_without_an_answer(self) -> None:
        self.assertEqual(self.ask(b""), "the server hung up without an answer")

    def test_nonsense(self) -> None:
        for answer in (
            b"HTTP/1.1 400\n",
            b"[]\n",
            b"{}\n",
            b'{"ok": 1}\n',
            b'{"ok": false}\n',
            b'{"ok": false, "error": 1}\n',
        ):
            with self.subTest(answer=answer):
                self.assertEqual(self.ask(answer), "the server's answer makes no sense")
