"""The server's own question, through a real socket."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError
from twisted.trial.unittest import TestCase

from rotoclear.control.probe import Probe, ProbeFailed
from rotoclear.control.request import Refused, Request
from rotoclear.control.server import ControlServer


class ProbeTests(TestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        # Longer than a socket's address can be.
        self.path = Path(folder.name, "x" * 100, "control.sock")
        self.path.parent.mkdir()
        self.pings = 0
        self.refuse = False
        self.server = self.serve()
        self.probe = Probe(reactor, self.path)
        self.addCleanup(self.probe.stop)

    def serve(self) -> ControlServer:
        async def ping(request: Request) -> dict[str, object]:
            self.pings += 1
            if self.refuse:
                raise Refused("no")
            return {}

        server = ControlServer(reactor, self.path, {"ping": ping})
        server.startService()
        self.addCleanup(lambda: server.stopService() if server.running else None)
        return server

    async def test_answers(self) -> None:
        """Over one connection, however often it is asked."""
        for _ in range(3):
            await self.probe.ask()
        self.assertEqual(self.pings, 3)
        self.assertEqual(len(self.server._factory.connections), 1)

    async def test_refused(self) -> None:
        self.refuse = True
        with self.assertRaises(ProbeFailed):
            await self.probe.ask()

    async def test_hung_up(self) -> None:
        """It is told, and asks the next one."""
        await self.probe.ask()
        await self.server.stopService()
        with self.assertRaises((ProbeFailed, ConnectError)):
            await self.probe.ask()
        self.serve()
        await self.probe.ask()

    async def test_stopped_in_between(self) -> None:
        asking = Deferred.fromCoroutine(self.probe.ask())
        self.probe.stop()
        await asking
        self.assertEqual(self.pings, 0)
