"""How long a driver's process stays away."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rotoclear.devices.backoff import FIRST, MOST, MOST_SERVING, Backoff


class Delays(SynchronousTestCase):
    def test_one_that_never_serves_waits_twice_as_long_each_time(self) -> None:
        backoff = Backoff()
        delays = [backoff.delay(None) for _ in range(12)]
        self.assertEqual(delays[:4], [FIRST, 2 * FIRST, 4 * FIRST, 8 * FIRST])
        self.assertEqual(delays[-1], MOST)

    def test_one_that_serves_is_never_away_for_long(self) -> None:
        backoff = Backoff()
        delays = [backoff.delay(0.1) for _ in range(100)]
        self.assertEqual(delays[0], FIRST)
        self.assertEqual(max(delays), MOST_SERVING)

    def test_a_stable_while_is_a_new_beginning(self) -> None:
        backoff = Backoff()
        for _ in range(12):
            backoff.delay(None)
        self.assertEqual(backoff.delay(2.0), FIRST)
        self.assertEqual(backoff.delay(None), 2 * FIRST)
