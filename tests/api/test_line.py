"""The order and the rate of one connection's messages, protocol sections 1 and 5."""

from __future__ import annotations

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.api.line import Line
from rotoclear.config import Limits


class LineTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.handled: list[bytes | None] = []
        self.open: list[Deferred[None]] = []
        self.slow = False
        self.floods = 0
        self.line = Line(self.clock, Limits(), self.handle, self.flood)

    def handle(self, payload: bytes | None) -> Deferred[None] | None:
        self.handled.append(payload)
        if self.slow:
            self.open.append(Deferred())
            return self.open[-1]
        return None

    def flood(self) -> None:
        self.floods += 1

    def push(self, count: int) -> None:
        for number in range(count):
            self.line.push(b"%d" % number)


class Order(LineTestCase):
    def test_at_once(self) -> None:
        self.line.push(b"a")
        self.assertEqual(self.handled, [b"a"])

    def test_next_when_answered(self) -> None:
        self.slow = True
        self.push(3)
        self.assertEqual(self.handled, [b"0"])
        self.open[0].callback(None)
        self.assertEqual(self.handled, [b"0", b"1"])
        self.open[1].errback(RuntimeError())
        self.assertEqual(self.handled, [b"0", b"1", b"2"])

    def test_answered_already(self) -> None:
        """A Deferred that has fired does not make the next one wait."""
        line = Line(self.clock, Limits(), lambda p: (self.handled.append(p), succeed(None))[1], int)
        line.push(b"a")
        line.push(b"b")
        self.assertEqual(self.handled, [b"a", b"b"])

    def test_no_recursion(self) -> None:
        """Hundreds that were waiting for one answer do not pile up on the stack."""
        self.slow = True
        self.push(1)
        self.slow = False
        limits = Limits(message_burst=5000, message_size=2**20)
        self.line = Line(self.clock, limits, self.handle, self.flood)
        self.slow = True
        self.line.push(b"first")
        self.slow = False
        self.push(4000)
        self.open[-1].callback(None)
        self.assertEqual(len(self.handled), 4002)

    def test_binary(self) -> None:
        """A binary message keeps its place."""
        self.line.push(None)
        self.line.push(b"a")
        self.assertEqual(self.handled, [None, b"a"])

    def test_hold(self) -> None:
        """Whoever does not read the answers gets no further ones."""
        self.line.hold()
        self.push(2)
        self.assertEqual(self.handled, [])
        self.line.release()
        self.assertEqual(self.handled, [b"0", b"1"])

    def test_close(self) -> None:
        self.slow = True
        self.push(3)
        self.line.close()
        self.open[0].callback(None)
        self.push(1)
        self.assertEqual(self.handled, [b"0"])


class Rate(LineTestCase):
    def test_burst(self) -> None:
        """A hundred at once."""
        self.push(101)
        self.assertEqual(len(self.handled), 100)

    def test_rate(self) -> None:
        """Then a hundred a second."""
        self.push(300)
        for tenth in range(1, 21):
            self.clock.pump([0.01] * 10)
            self.assertEqual(len(self.handled), 100 + 10 * tenth)
        self.assertEqual(self.handled[-1], b"299")

    def test_flood(self) -> None:
        """Two hundred more may wait; with another one the line is cut, and nothing of it runs."""
        self.push(300)
        self.assertEqual(self.floods, 0)
        self.push(1)
        self.assertEqual(self.floods, 1)
        self.clock.pump([0.1] * 50)
        self.assertEqual(len(self.handled), 100)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_recovers(self) -> None:
        """Whoever was quiet for a second has the full burst again."""
        self.push(100)
        self.clock.advance(1)
        self.push(100)
        self.assertEqual(len(self.handled), 200)

    def test_steady(self) -> None:
        """A hundred a second for a minute is never delayed."""
        for count in range(6000):
            self.clock.advance(0.01)
            self.push(1)
            self.assertEqual(len(self.handled), count + 1)

    def test_two_seconds(self) -> None:
        """No message waits longer, however many may wait."""
        limits = Limits(message_rate=10, message_burst=1, message_waiting=200)
        self.line = Line(self.clock, limits, self.handle, self.flood)
        self.push(21)
        self.assertEqual(self.floods, 0)
        self.push(1)
        self.assertEqual(self.floods, 1)

    def test_slow_device(self) -> None:
        """Waiting for a device is not the client's fault, but the line is bounded."""
        self.slow = True
        for _ in range(301):
            self.clock.advance(0.01)
            self.push(1)
        self.assertEqual((self.floods, len(self.handled)), (0, 1))
        self.push(1)
        self.assertEqual(self.floods, 1)

    def test_bytes(self) -> None:
        """Large messages that wait are bounded by their size, too."""
        self.slow = True
        for _ in range(5):
            self.line.push(b"x" * 65_536)
        self.assertEqual(self.floods, 0)
        self.line.push(b"x")
        self.assertEqual(self.floods, 1)
