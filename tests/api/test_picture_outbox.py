"""How a viewer is sent pictures: the newest, and never more than one that waits."""

from __future__ import annotations

import socket
from collections.abc import Callable

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.api.picture_outbox import CHUNK, PictureOutbox
from tests.api.test_outbox import TlsTransport, Transport

STALL = 30.0
SIZE = 300_000


def picture(number: int) -> bytes:
    return bytes([number]) * SIZE


class PlainTransport(Transport):
    """One whose socket is ours; it says when it can be written to if it is asked."""

    asked = False

    def startWriting(self) -> None:
        self.asked = True

    def writable(self) -> None:
        """The reactor finds that the socket takes something."""
        assert self.asked, "nobody has asked"
        self.asked = False
        self.flush()


class PictureOutboxTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.stalls = 0

    def stalled(self) -> None:
        self.stalls += 1

    def tearDown(self) -> None:
        self.outbox.close()
        self.assertEqual(self.clock.getDelayedCalls(), [])


class Plain(PictureOutboxTestCase):
    def setUp(self) -> None:
        super().setUp()
        ours, self.theirs = socket.socketpair()
        for end in (ours, self.theirs):
            end.setblocking(False)
            self.addCleanup(end.close)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self.ours = ours
        self.transport = PlainTransport(ours)
        self.outbox = PictureOutbox(self.clock, self.transport, STALL, self)

    def read(self) -> bytes:
        """All that has been sent, the transport being asked as the reactor would."""
        data = bytearray()
        while True:
            try:
                data += self.theirs.recv(2**20)
            except BlockingIOError:
                if not self.transport.asked:
                    return bytes(data)
                self.transport.writable()

    def test_at_once(self) -> None:
        """No turn of the reactor lies between a picture and the socket."""
        self.outbox.show(b"one")
        self.outbox.show(b"two")
        self.assertEqual(self.theirs.recv(10), b"onetwo")
        self.assertFalse(self.outbox.blocked)
        self.assertEqual((self.outbox.shown, self.outbox.skipped), (2, 0))

    def test_only_the_newest_waits(self) -> None:
        for number in range(1, 9):
            self.outbox.show(picture(number))
            self.assertLess(self.outbox.unsent, 2 * SIZE)
        self.assertEqual(self.read(), picture(1) + picture(8))
        self.assertEqual((self.outbox.shown, self.outbox.skipped), (2, 6))
        self.assertFalse(self.outbox.blocked)
        self.assertIsNone(self.transport.producer)

    def test_small_ones_come_between_two_pictures(self) -> None:
        """Control frames must not stand in the middle of a message, RFC 6455 5.4."""
        self.outbox.show(picture(1))
        self.outbox.show(picture(2))
        self.outbox.send(b"ping")
        self.assertEqual(self.read(), picture(1) + b"ping" + picture(2))

    def test_begins_behind_what_the_transport_has(self) -> None:
        self.outbox.begin(b"head")
        self.outbox.show(b"picture")
        self.assertEqual(bytes(self.transport.written), b"head")
        with self.assertRaises(BlockingIOError):
            self.theirs.recv(10)
        self.transport.flush()
        self.assertEqual(self.theirs.recv(10), b"picture")

    def test_dropped(self) -> None:
        for number in (1, 2):
            self.outbox.show(picture(number))
        self.outbox.drop()
        self.assertEqual(self.read(), picture(1))
        self.outbox.show(b"three")
        self.assertEqual(self.read(), b"three")

    def test_muted(self) -> None:
        self.outbox.show(picture(1))
        self.outbox.show(picture(2))
        self.outbox.mute()
        self.outbox.show(picture(3))
        self.outbox.send(b"close")
        self.assertEqual(self.read(), picture(1) + b"close")

    def test_closed(self) -> None:
        self.outbox.show(picture(1))
        self.outbox.close()
        self.outbox.show(picture(2))
        self.outbox.send(b"more")
        self.assertIsNone(self.transport.producer)
        self.assertEqual(self.outbox.unsent, 0)
        self.assertLess(len(self.theirs.recv(2**20)), SIZE)

    def test_reads_nothing(self) -> None:
        self.outbox.show(picture(1))
        for _ in range(3):
            self.clock.advance(STALL / 4)
            self.outbox.show(picture(2))
        self.assertEqual(self.stalls, 0)
        self.clock.advance(STALL / 4)
        self.assertEqual(self.stalls, 1)

    def test_reads_a_little(self) -> None:
        self.outbox.show(picture(1))
        for _ in range(5):
            self.clock.advance(STALL - 1)
            self.theirs.recv(10_000)
            self.transport.writable()
        self.assertEqual(self.stalls, 0)
        self.read()
        self.clock.advance(10 * STALL)
        self.assertEqual(self.stalls, 0)

    def test_the_connection_is_lost(self) -> None:
        self.outbox.show(picture(1))
        self.outbox.stopProducing()
        self.outbox.show(picture(2))
        self.assertEqual(self.outbox.unsent, 0)

    def test_the_other_end_is_gone(self) -> None:
        """It is the transport that finds out, at its next write."""
        self.theirs.close()
        self.outbox.show(picture(1))
        self.assertTrue(self.outbox.blocked)
        self.assertTrue(self.transport.asked)


class Tls(PictureOutboxTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.transport = TlsTransport()
        self.outbox = PictureOutbox(self.clock, self.transport, STALL, self)

    def taken(self, flushes: int) -> bytes:
        """What the transport has been given by the time it was flushed so often."""
        for _ in range(flushes):
            self.transport.flush()
        return bytes(self.transport.written)

    def test_in_pieces(self) -> None:
        """The transport never has much more than it takes for itself."""
        self.outbox.show(picture(1))
        while self.outbox.blocked:
            self.assertLessEqual(self.transport.unflushed, 2 * CHUNK)
            self.transport.flush()
        self.assertEqual(bytes(self.transport.written), picture(1))

    def test_only_the_newest_waits(self) -> None:
        for number in range(1, 9):
            self.outbox.show(picture(number))
        self.assertEqual(self.taken(10), picture(1) + picture(8))
        self.assertEqual(self.outbox.skipped, 6)

    def test_small_ones_come_between_two_pictures(self) -> None:
        for data, send in (
            (picture(1), self.outbox.show),
            (picture(2), self.outbox.show),
            (b"ping", self.outbox.send),
        ):
            take: Callable[[bytes], None] = send
            take(data)
        self.assertEqual(self.taken(10), picture(1) + b"ping" + picture(2))

    def test_reads_nothing(self) -> None:
        self.outbox.show(picture(1))
        self.clock.advance(STALL)
        self.assertEqual(self.stalls, 1)

    def test_closed(self) -> None:
        self.outbox.show(picture(1))
        self.outbox.close()
        self.assertIsNone(self.transport.producer)
