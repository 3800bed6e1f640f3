"""What is repeated is listed a few times, and then summed up."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.auth.repeats import LISTED, MOST, OTHERS, WINDOW, Repeats


class RepeatsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.told: list[tuple[str, str, int]] = []
        self.repeats = Repeats(self.clock, lambda *what: self.told.append(what))

    def listed(self, times: int, kind: str = "refused", address: str = "here") -> int:
        """How many of so many are listed."""
        return sum(self.repeats.listed(kind, address) for _ in range(times))

    def test_a_few_are_all_listed_and_nothing_is_told(self) -> None:
        self.assertEqual(self.listed(LISTED), LISTED)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.clock.advance(WINDOW)
        self.assertEqual(self.listed(LISTED), LISTED)
        self.assertEqual(self.told, [])

    def test_more_are_summed_up_once_the_window_is_over(self) -> None:
        self.assertEqual(self.listed(1000), LISTED)
        self.clock.advance(WINDOW - 1)
        self.assertEqual(self.listed(1), 0)
        self.assertEqual(self.told, [])
        self.clock.advance(1)
        self.assertEqual(self.told, [("refused", "here", 1001 - LISTED)])
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.listed(1), 1)

    def test_kinds_and_addresses_are_apart(self) -> None:
        self.listed(LISTED + 1)
        self.clock.advance(10)
        self.assertEqual(self.listed(LISTED + 2, address="there"), LISTED)
        self.assertEqual(self.listed(LISTED + 3, kind="other"), LISTED)
        self.clock.advance(WINDOW - 10)
        self.assertEqual(self.told, [("refused", "here", 1)])
        self.clock.advance(10)
        self.assertEqual(self.told[1:], [("refused", "there", 2), ("other", "here", 3)])

    def test_many_addresses_fill_neither_the_memory_nor_the_log(self) -> None:
        listed = sum(self.listed(1, address=str(number)) for number in range(10_000))
        self.assertEqual(listed, MOST + LISTED)
        self.assertEqual(len(self.repeats), MOST + 1)
        self.assertEqual(self.listed(1, address="0"), 1)
        self.clock.advance(WINDOW)
        self.assertEqual(self.told, [("refused", OTHERS, 10_000 - MOST - LISTED)])
        self.assertEqual(len(self.repeats), 0)

    def test_the_end(self) -> None:
        self.listed(LISTED + 1)
        self.listed(1, address="there")
        self.repeats.close()
        self.assertEqual(self.told, [("refused", "here", 1)])
        self.assertEqual(self.clock.getDelayedCalls(), [])
