"""How a connection sends, protocol section 5: unsent bytes for one client."""

from __future__ import annotations

import socket
from collections.abc import Collection

from twisted.internet.interfaces import IConsumer, ISSLTransport, ITransport
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from rotoclear.api.outbox import CHUNK, TRANSPORT_BUFFER, Outbox
from rotoclear.config import Limits


@implementer(ITransport, IConsumer)
class Transport:
    """A transport of whose buffer the test says when it is flushed."""

    def __init__(self, handle: socket.socket | None = None) -> None:
        self.handle = handle
        self.written = bytearray()
        self.unflushed = 0
        self.producer: Outbox | None = None
        self.streaming = False

    def getHandle(self) -> socket.socket | None:
        return self.handle

    def write(self, data: bytes) -> None:
        self.written += data
        self.unflushed += len(data)
        if self.streaming and self.producer and self.unflushed > TRANSPORT_BUFFER:
            self.producer.pauseProducing()

    def registerProducer(self, producer: Outbox, streaming: bool) -> None:
        assert self.producer is None
        self.producer, self.streaming = producer, streaming
        if not streaming:
            producer.resumeProducing()

    def unregisterProducer(self) -> None:
        self.producer = None

    def flush(self) -> None:
        """The socket has taken it all."""
        self.unflushed = 0
        if self.producer is not None:
            self.producer.resumeProducing()


@implementer(ISSLTransport)
class TlsTransport(Transport):
    """One whose socket is not for us."""


class OutboxTestCase(SynchronousTestCase):
    limits = Limits(backlog=100_000)

    def setUp(self) -> None:
        self.clock = Clock()
        self.events: list[object] = []

    def behind(self) -> None:
        self.events.append("behind")

    def caught_up(self, names: Collection[str]) -> None:
        self.events.append(list(names))

    def stalled(self) -> None:
        self.events.append("stalled")


class Plain(OutboxTestCase):
    def setUp(self) -> None:
        super().setUp()
        ours, self.theirs = socket.socketpair()
        for end in (ours, self.theirs):
            end.setblocking(False)
            self.addCleanup(end.close)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self.ours = ours
        self.transport = Transport(ours)
        self.outbox = Outbox(self.clock, self.transport, self.limits, self)

    def received(self) -> bytes:
        data = bytearray()
        while True:
            try:
                data += self.theirs.recv(2**20)
            except BlockingIOError:
                return bytes(data)

    def fill(self) -> int:
        """Send until the socket takes no more; how many bytes that were."""
        sent = 0
        while self.transport.producer is None:
            self.outbox.send(b"%06d" % (sent // 6))
            sent += 6
        return sent

    def test_straight(self) -> None:
        """While nothing is queued, it is in the socket at once."""
        self.outbox.send(b"abc")
        self.assertEqual(self.received(), b"abc")
        self.assertEqual(self.transport.written, b"")

    def test_begin(self) -> None:
        """Nothing overtakes what the transport had before."""
        self.transport.write(b"an answer of HTTP, ")
        self.outbox.begin(b"the handshake")
        self.outbox.send(b", a message")
        self.assertEqual(self.received(), b"")
        self.transport.flush()
        self.assertEqual(self.transport.written, b"an answer of HTTP, the handshake, a message")
        self.transport.flush()
        self.outbox.send(b"straight")
        self.assertEqual(self.received(), b"straight")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_full(self) -> None:
        """What the socket did not take goes through the transport, in order, nothing twice."""
        sent = self.fill()
        for _ in range(1000):
            self.outbox.send(b"%06d" % (sent // 6))
            sent += 6
        direct = self.received()
        while self.transport.producer is not None:
            self.assertLessEqual(self.transport.unflushed, CHUNK)
            self.transport.flush()
        expected = b"".join(b"%06d" % n for n in range(sent // 6))
        self.assertEqual(direct + self.transport.written, expected)
        self.outbox.send(b"straight again")
        self.assertEqual(self.received(), b"straight again")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_newest_values_only(self) -> None:
        """Beyond the bound broadcasts are dropped, and their keys remembered."""
        self.fill()
        for number in range(4):
            self.outbox.broadcast(b"x" * 30_000, [f"key{number}"])
        self.assertEqual(self.events, ["behind"])
        bound = self.outbox.unsent
        for _ in range(100):
            self.outbox.broadcast(b"x" * 30_000, ["brightness", "gain"])
        self.assertEqual(self.outbox.unsent, bound)
        self.assertLess(bound, self.limits.backlog + 30_000)
        while self.transport.producer is not None:
            self.transport.flush()
        self.assertEqual(self.events, ["behind", ["brightness", "gain"]])

    def test_answers_are_never_dropped(self) -> None:
        self.fill()
        self.outbox.broadcast(b"x" * 200_000, ["a"])
        self.outbox.send(b"answer")
        while self.transport.producer is not None:
            self.transport.flush()
        self.assertTrue(self.transport.written.endswith(b"xanswer"))

    def test_stalled(self) -> None:
        """Closed when it reads nothing for thirty seconds; any progress counts."""
        self.fill()
        self.outbox.send(b"x" * 50_000)
        for _ in range(3):
            self.clock.advance(29)
            self.transport.flush()
        self.assertEqual(self.events, [])
        self.clock.advance(30)
        self.assertEqual(self.events, ["stalled"])

    def test_lost(self) -> None:
        """A socket that is gone is the transport's to report."""
        self.theirs.close()
        self.outbox.send(b"a" * 10)
        self.assertEqual(self.transport.written, b"a" * 10)

    def test_close(self) -> None:
        """Nothing of ours keeps the transport from closing."""
        self.fill()
        self.outbox.close()
        self.assertIs(self.transport.producer, None)
        self.outbox.send(b"late")
        self.assertEqual(self.outbox.unsent, 0)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class Tls(OutboxTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.transport = TlsTransport()
        self.outbox = Outbox(self.clock, self.transport, self.limits, self)

    def test_through_the_transport(self) -> None:
        self.outbox.send(b"abc")
        self.assertEqual(self.transport.written, b"abc")

    def test_bounded(self) -> None:
        """The transport's own buffer counts."""
        for _ in range(100):
            self.outbox.broadcast(b"x" * 10_000, ["gain"])
        self.assertEqual(self.events, ["behind"])
        self.assertLess(self.outbox.unsent + self.transport.unflushed, 100_000 + 20_000)

    def test_order(self) -> None:
        for number in range(30):
            self.outbox.broadcast(b"%05d" % number * 1000, ["gain"])
        sent = self.transport.written.copy()
        while self.outbox.unsent or self.events.count("behind") > len(self.events) - 1:
            self.transport.flush()
        self.transport.flush()
        self.assertEqual(self.events, ["behind", ["gain"]])
        self.assertTrue(self.transport.written.startswith(sent))
        numbers = [self.transport.written[n : n + 5] for n in range(0, len(sent), 5000)]
        self.assertEqual(numbers, sorted(numbers))

    def test_close(self) -> None:
        """A registered producer would keep TLS from closing."""
        self.outbox.close()
        self.assertIs(self.transport.producer, None)
