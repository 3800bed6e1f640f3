"""When a sign of life is given, and when not."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.systemd.watchdog import ROUNDS, Watchdog

INTERVAL = 30.0


class WatchdogTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.signs = 0
        self.reason = ""
        self.answer: object = None
        self.asked = 0
        self.dog = self.make(INTERVAL)

    def make(self, interval: float) -> Watchdog:
        return Watchdog(
            self.clock, interval, self.alive, {"drivers": self.drivers, "reactor": self.reactor}
        )

    def alive(self) -> None:
        self.signs += 1

    def drivers(self) -> None:
        if self.reason:
            raise RuntimeError(self.reason)

    def reactor(self) -> object:
        self.asked += 1
        return self.answer

    def rounds(self, number: int = 1) -> int:
        """The signs of so many rounds."""
        before = self.signs
        self.clock.pump([INTERVAL / ROUNDS] * number)
        return self.signs - before

    def test_well(self) -> None:
        """One at once, and then more often than they are wanted."""
        self.dog.startService()
        self.assertEqual(self.signs, 1)
        self.assertEqual(self.rounds(ROUNDS), ROUNDS)
        self.dog.stopService()
        self.assertEqual(self.rounds(3), 0)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_not_watched(self) -> None:
        dog = self.make(0)
        dog.startService()
        self.assertEqual(self.asked, 0)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        dog.stopService()

    def test_one_is_wrong(self) -> None:
        """Then there is none, however well the others are; and as soon as it is well, there is."""
        self.dog.startService()
        self.reason = "lost"
        self.assertEqual(self.rounds(5), 0)
        self.assertEqual(self.dog.wrong, {"drivers": "lost"})
        self.reason = ""
        self.assertEqual(self.rounds(), 1)
        self.assertEqual(self.dog.wrong, {})

    def test_no_answer(self) -> None:
        """What does not answer is not asked again and again."""
        answer: Deferred[None] = Deferred()
        self.answer = answer
        self.dog.startService()
        self.assertEqual(self.rounds(5), 0)
        self.assertEqual(self.asked, 1)
        self.assertEqual(self.dog.wrong, {"reactor": "it does not answer"})
        self.answer = None
        answer.callback(None)
        self.assertEqual(self.signs, 1)
        self.assertEqual(self.rounds(), 1)

    def test_answer_that_fails(self) -> None:
        self.answer = answer = Deferred()
        self.dog.startService()
        answer.errback(ConnectionRefusedError())
        self.assertEqual(self.signs, 0)
        self.assertEqual(self.dog.wrong, {"reactor": "ConnectionRefusedError()"})

    def test_answer_within_the_round(self) -> None:
        """A sign of life needs all answers of one round."""
        self.answer = answer = Deferred()
        self.dog.startService()
        self.clock.advance(INTERVAL / ROUNDS / 2)
        answer.callback(None)
        self.assertEqual(self.signs, 1)

    def test_answer_after_the_end(self) -> None:
        self.answer = answer = Deferred()
        self.dog.startService()
        self.dog.stopService()
        answer.callback(None)
        self.assertEqual(self.signs, 0)
