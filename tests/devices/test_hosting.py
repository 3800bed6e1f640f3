"""Real processes of drivers."""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.task import Clock, deferLater
from twisted.internet.testing import StringTransport
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase, TestCase

from rotoclear.devices import hosting, wire
from rotoclear.devices.hosting import FRAMES, Channel, Hosts
from rotoclear.devices.link import Entry, Link
from rotoclear.devices.ring import Reader
from tests.devices.vendors import Events, Vendors

SIMULATED = Entry("simulated-head-1", "rotoclear.plugins.rotoclear_simulated", "simulated_head_1")


class HostCase(TestCase):
    def setUp(self) -> None:
        self.vendors = Vendors(Path(self.mktemp()))
        self.events = Events()
        self.links: list[Link] = []

    async def tearDown(self) -> None:
        for link in self.links:
            link.kill("the test is over")
            await link.stop()

    def start(self, entry: Entry = SIMULATED) -> Link:
        hosts = Hosts(reactor, sys.executable, self.vendors.path)
        link = hosts(entry, self.events.add, lambda reason: self.events.add(("ended", reason)))
        self.links.append(link)
        link.send(wire.Start({}))
        return link

    def vendor(self, more: str) -> Link:
        self.vendors.lamp("acme", more)
        return self.start(Entry("acme", "rotoclear.plugins.acme", "driver"))

    async def ended(self) -> str:
        """Why it has ended."""
        while not (self.events.all and isinstance(self.events.all[-1], tuple)):
            await self.events.next()
        return str(self.events.all[-1][1])

    async def stopped(self) -> wire.Stopped:
        """It could not be started; what it said."""
        await self.ended()
        (message,) = [m for m in self.events.all if isinstance(m, wire.Stopped)]
        return message


class Life(HostCase):
    async def test_a_device_is_opened_called_and_closed(self) -> None:
        link = self.start()
        await self.events.until(wire.Started("simulated-head-1", "camera", True))
        await self.events.until(wire.Found(("head-1",)))
        link.send(wire.Open(1, 1, "head-1"))
        link.send(wire.Call(2, 1, "set", ("brightness", 75)))
        await self.events.until(wire.Answer(2))
        link.send(wire.Simulate(3, "show", "head-1", {}))
        answer: Any = await self.until_request(3)
        self.assertEqual(answer.result["holds"], {"brightness": 75})
        link.send(wire.Close(4, 1))
        await self.events.until(wire.Answer(4))
        await link.stop()
        self.assertEqual(await self.ended(), "ended with exit code 0")

    async def until_request(self, request: int) -> Any:
        while True:
            for event in self.events.all:
                if getattr(event, "request", None) == request:
                    return event
            await self.events.next()

    async def test_it_may_be_killed(self) -> None:
        link = self.start()
        await self.events.until(wire.Found(("head-1",)))
        assert link.pid is not None
        os.kill(link.pid, signal.SIGKILL)
        self.assertEqual(await self.ended(), "was killed by SIGKILL")
        self.assertIsNone(link.pid)

    async def test_a_reason_for_killing_it_is_kept(self) -> None:
        link = self.start()
        link.kill("is stuck")
        self.assertEqual(await self.ended(), "is stuck")

    async def test_it_has_a_session_of_its_own(self) -> None:
        link = self.start()
        await self.events.until(wire.Found(("head-1",)))
        assert link.pid is not None
        self.assertEqual(os.getsid(link.pid), link.pid)

    async def test_it_has_no_descriptors_of_the_server(self) -> None:
        link = self.start()
        await self.events.until(wire.Found(("head-1",)))
        self.assertEqual(sorted(os.listdir(f"/proc/{link.pid}/fd")), ["0", "1", "2", "3"])

    async def test_it_imports_no_twisted(self) -> None:
        link = self.vendor(
            "class Told(Driver):\n"
            "    def find(self): return [m for m in sys.modules if 'twisted' in m][:1]\n"
            "driver = Told()"
        )
        await self.events.until(wire.Found(()))
        self.assertIsNotNone(link.pid)


class Descriptors(HostCase):
    async def view(self, link: Any, request: int) -> None:
        """Send a socket along, and have a picture come out of it."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            link.send(wire.Stream(request, 1), theirs.fileno())
        await self.events.until(wire.Answer(request))
        reader = Reader(ours)
        try:
            await deferToThread(reader.next, 10)
        finally:
            reader.close()

    async def opened(self) -> Any:
        link = self.start()
        await self.events.until(wire.Found(("head-1",)))
        link.send(wire.Open(1, 1, "head-1"))
        return link

    async def test_they_go_with_their_message(self) -> None:
        await self.view(await self.opened(), 2)

    async def test_they_go_in_order_when_the_socket_is_full(self) -> None:
        link = await self.opened()
        await self.view(link, 2)
        before = len(os.listdir("/proc/self/fd"))
        link._channel._full = True
        for request in range(3, 6):
            link.send(wire.Call(10 * request, 1, "probe"))
            await self.view(link, request)
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)

    async def test_none_is_left_when_nobody_takes_them(self) -> None:
        # The first process of a test has the reactor open some, too.
        counts = [await self.left_by_a_process(lends=lends) for lends in (False, True)]
        self.assertEqual(counts[0], counts[1])

    async def left_by_a_process(self, *, lends: bool) -> int:
        self.events.all.clear()
        link: Any = self.start()
        await self.events.until(wire.Found(("head-1",)))
        link._channel._full = True
        ours, theirs = socket.socketpair()
        with ours, theirs:
            if lends:
                link.send(wire.Stream(2, 1), theirs.fileno())
            link.kill("enough")
        await self.ended()
        await deferLater(reactor, 0)  # type: ignore[arg-type] # the transports close in a turn
        return len(os.listdir("/proc/self/fd"))

    async def test_a_stream_without_one_is_refused(self) -> None:
        link = await self.opened()
        link.send(wire.Stream(2, 1))
        await self.events.until(wire.Refused(2, "failure", "No socket came with the request"))


class Failures(HostCase):
    async def test_what_is_no_driver_any_more(self) -> None:
        self.vendors.write("acme", "driver = 5")
        self.start(Entry("acme", "rotoclear.plugins.acme", "driver"))
        self.assertIn("It provides none of", (await self.stopped()).message)

    async def test_a_module_that_raises(self) -> None:
        self.vendors.write("acme", "1 / 0")
        self.start(Entry("acme", "rotoclear.plugins.acme", "driver"))
        message = await self.stopped()
        self.assertEqual(message.message, "ZeroDivisionError: division by zero")
        self.assertIn("acme.py", message.traceback)

    async def test_a_driver_that_cannot_work_here(self) -> None:
        self.vendor(
            "class Sad(Driver):\n"
            "    def start(self, context): raise DeviceFailure('There is no licence')\n"
            "driver = Sad()"
        )
        self.assertEqual(await self.stopped(), wire.Stopped("There is no licence"))

    async def test_a_driver_that_can_never_work_here(self) -> None:
        self.vendor(
            "from rotoclear.interfaces import DriverUnusable\n"
            "class Sad(Driver):\n"
            "    def start(self, context): raise DriverUnusable('Install libacme')\n"
            "driver = Sad()"
        )
        self.assertEqual(await self.stopped(), wire.Stopped("Install libacme", unusable=True))

    async def test_a_driver_that_exits(self) -> None:
        self.vendor("class Sad(Driver):\n    def start(self, context): sys.exit(0)\ndriver = Sad()")
        self.assertEqual((await self.stopped()).message, "SystemExit: 0")

    async def test_a_crash(self) -> None:
        self.vendor(
            "class Sad(Driver):\n    def find(self): os.kill(os.getpid(), 11)\ndriver = Sad()"
        )
        self.assertEqual(await self.ended(), "was killed by SIGSEGV")

    async def test_nonsense_on_the_channel(self) -> None:
        for nonsense in ("b'\\xff' * 64", "b'\\0\\0\\0\\1\\xc1'", "b'\\0\\0\\0\\0'"):
            self.events.all.clear()
            self.vendor(
                f"class Sad(Driver):\n    def find(self): os.write(3, {nonsense}); return []\n"
                "driver = Sad()"
            )
            self.assertIn("sent nonsense", await self.ended())

    async def test_a_flood_on_the_channel(self) -> None:
        self.vendor(
            "from rotoclear.devices import wire\n"
            "class Sad(Driver):\n"
            "    def find(self):\n"
            "        while True: os.write(3, wire.frame(wire.Record(20, 'noise')))\n"
            "driver = Sad()"
        )
        self.assertIn(f"more than {FRAMES} messages", await self.ended())

    async def test_a_grandchild_that_holds_everything_open_goes_with_it(self) -> None:
        link = self.vendor(
            "class Sad(Driver):\n"
            "    children = []\n"
            "    def find(self):\n"
            "        if not self.children:\n"
            "            self.children.append(os.fork())\n"
            "            if not self.children[0]: time.sleep(600)\n"
            "        return [str(self.children[0])]\n"
            "driver = Sad()"
        )
        while not (self.events.all and isinstance(self.events.all[-1], wire.Found)):
            await self.events.next()
        child = int(self.events.all[-1].identities[0])
        assert link.pid is not None
        os.kill(link.pid, signal.SIGKILL)
        self.assertEqual(await self.ended(), "was killed by SIGKILL")
        while _state(child) != "Z":
            await deferLater(reactor, 0.01)  # type: ignore[arg-type]

    async def test_a_daemon_that_was_started_goes_with_it(self) -> None:
        note = Path(self.mktemp()).absolute()  # noqa: ASYNC240
        link = self.vendor(
            "class Sad(Driver):\n"
            "    def start(self, context):\n"
            "        if not os.fork():\n"
            "            os.setsid()\n"
            "            if not os.fork():\n"
            f"                open({str(note)!r}, 'w').write(str(os.getpid()))\n"
            "                time.sleep(600)\n"
            "            os._exit(0)\n"
            "        os.wait()\n"
            "driver = Sad()"
        )
        await self.events.until(wire.Found(("lamp",)))
        while not (note.exists() and note.read_text()):
            await deferLater(reactor, 0.01)  # type: ignore[arg-type]
        link.kill("is stuck")
        await self.ended()
        child = int(note.read_text())
        while _state(child) != "Z":
            await deferLater(reactor, 0.01)  # type: ignore[arg-type]


def _state(pid: int) -> str:
    """As ps(1) has it; ``Z`` if there is no such process any more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


class Stops(HostCase):
    async def test_devices_are_closed_and_the_driver_stopped(self) -> None:
        log = Path(self.mktemp())
        link = self.vendor(
            f"def note(text): open({str(log)!r}, 'a').write(text + ' ')\n"
            "class Polite(Driver):\n"
            "    def stop(self): note('stopped')\n"
            "Lamp.close = lambda self: note('closed')\n"
            "driver = Polite()"
        )
        link.send(wire.Open(1, 1, "lamp"))
        await link.stop()
        self.assertEqual(await self.ended(), "ended with exit code 0")
        self.assertEqual(log.read_text(), "closed stopped ")  # noqa: ASYNC240

    async def test_one_that_does_not_stop_is_killed(self) -> None:
        self.patch(hosting, "POLITE", 0.2)
        for stuck in ("Driver.stop", "Lamp.close", "Lamp.describe"):
            self.events.all.clear()
            link = self.vendor(
                f"{stuck} = lambda self: threading.Event().wait()\ndriver = Driver()"
            )
            await self.events.until(wire.Found(("lamp",)))
            link.send(wire.Open(1, 1, "lamp"))
            await link.stop()
            self.assertEqual(await self.ended(), "did not stop when asked")

    async def test_one_that_has_not_even_started_is_killed(self) -> None:
        self.patch(hosting, "POLITE", 0.2)
        link = self.vendor("threading.Event().wait()")
        await link.stop()
        self.assertEqual(await self.ended(), "did not stop when asked")

    async def test_one_that_is_not_there_any_more(self) -> None:
        link = self.start()
        link.kill("enough")
        await self.ended()
        await link.stop()
        link.send(wire.Stop())


class SocketTransport(StringTransport):
    """
    One whose socket can be written to directly.

    :ivar room: bytes that the socket takes before it is full.
    :ivar direct: what it took.
    """

    def __init__(self) -> None:
        super().__init__()
        self.room = 10_000
        self.direct = b""

    def getHandle(self) -> SocketTransport:
        return self

    def send(self, data: bytes) -> int:
        if not self.room:
            raise BlockingIOError
        taken = data[: self.room]
        self.room -= len(taken)
        self.direct += taken
        return len(taken)


class Frames(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.received: list[object] = []
        self.broken: list[str] = []
        self.hung_up: list[bool] = []
        self.channel = Channel(
            self.clock,
            self.received.append,
            self.broken.append,
            lambda: self.hung_up.append(True),
        )
        self.transport = SocketTransport()
        self.channel.makeConnection(self.transport)

    def test_messages_go_out(self) -> None:
        self.channel.send(wire.Stop())
        self.assertEqual(self.transport.direct, wire.frame(wire.Stop()))

    def test_what_a_full_socket_does_not_take_waits_in_order(self) -> None:
        self.transport.room = 3
        self.channel.send(wire.Open(1, 1, "a"))
        self.transport.room = 10_000
        self.channel.send(wire.Stop())
        self.channel.send(wire.Stop())
        self.assertEqual(
            self.transport.direct + self.transport.value(),
            wire.frame(wire.Open(1, 1, "a")) + wire.frame(wire.Stop()) * 2,
        )
        self.assertEqual(len(self.transport.direct), 3)

    def test_a_socket_that_was_full_from_the_start(self) -> None:
        self.transport.room = 0
        self.channel.send(wire.Stop())
        self.assertEqual(self.transport.value(), wire.frame(wire.Stop()))

    def test_messages_come_in(self) -> None:
        self.channel.dataReceived(wire.frame(wire.Found(())) * 3)
        self.assertEqual(self.received, [wire.Found(())] * 3)

    def test_nonsense_ends_it(self) -> None:
        self.channel.dataReceived(b"\xff" * 64)
        self.assertIn("sent nonsense", self.broken[0])
        self.channel.dataReceived(wire.frame(wire.Found(())))
        self.assertEqual(self.received, [])
        self.channel.send(wire.Stop())
        self.assertEqual(self.transport.direct, b"")

    def test_answers_are_no_flood(self) -> None:
        """A busy machine asks a lot; only answers to nothing count."""
        for number in range(2 * FRAMES):
            self.transport.room = 10_000
            self.channel.send(wire.Call(number, 1, "set", ("gain", 1)))
            self.channel.dataReceived(wire.frame(wire.Answer(number, None)))
        self.assertEqual(self.broken, [])
        self.channel.dataReceived(wire.frame(wire.Answer(0, None)) * (FRAMES + 1))
        self.assertEqual(len(self.broken), 1)

    def test_many_messages_are_a_flood_only_within_a_second(self) -> None:
        for _ in range(3):
            self.channel.dataReceived(wire.frame(wire.Found(())) * FRAMES)
            self.clock.advance(1)
        self.assertEqual(self.broken, [])
        self.channel.dataReceived(wire.frame(wire.Found(())) * (FRAMES + 1))
        self.assertEqual(len(self.broken), 1)
