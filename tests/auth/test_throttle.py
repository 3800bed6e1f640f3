"""Guessing is slow, and remembering who guessed is bounded."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.auth.errors import TooManyAttempts
from rotoclear.auth.throttle import Throttle


class ThrottleTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.throttle = Throttle(self.clock, failures=5, window=300.0, most=100)

    def fail_times(self, times: int, name: str = "admin", address: str = "here") -> None:
        for _ in range(times):
            self.throttle.check(name, address)
            self.throttle.failed(name, address)

    def test_four_failures_are_forgiven(self) -> None:
        self.fail_times(4)
        self.throttle.check("admin", "here")

    def test_after_five_no_more_is_heard(self) -> None:
        self.fail_times(5)
        error = self.assertRaises(TooManyAttempts, self.throttle.check, "admin", "here")
        self.assertEqual(error.retry_after, 300)
        self.assertIn("300 s", str(error))

    def test_retry_after_counts_from_the_oldest_failure_and_rounds_up(self) -> None:
        self.fail_times(1)
        self.clock.advance(100.25)
        self.fail_times(4)
        error = self.assertRaises(TooManyAttempts, self.throttle.check, "admin", "here")
        self.assertEqual(error.retry_after, 200)
        self.clock.advance(199.5)
        error = self.assertRaises(TooManyAttempts, self.throttle.check, "admin", "here")
        self.assertEqual(error.retry_after, 1)

    def test_whoever_waits_as_long_as_told_is_heard(self) -> None:
        self.fail_times(5)
        self.clock.advance(299.9)
        self.assertRaises(TooManyAttempts, self.throttle.check, "admin", "here")
        self.clock.advance(0.1)
        self.throttle.check("admin", "here")

    def test_the_window_slides(self) -> None:
        self.fail_times(4)
        self.clock.advance(200)
        self.fail_times(1)
        self.clock.advance(100)  # the four are out of it now
        self.fail_times(4)
        error = self.assertRaises(TooManyAttempts, self.throttle.check, "admin", "here")
        self.assertEqual(error.retry_after, 200)

    def test_another_user_and_another_address_are_not_concerned(self) -> None:
        self.fail_times(5)
        self.throttle.check("admin", "there")
        self.throttle.check("operator", "here")

    def test_the_right_password_clears_the_count(self) -> None:
        self.fail_times(4)
        self.throttle.succeeded("admin", "here")
        self.fail_times(4)
        self.throttle.check("admin", "here")

    def test_what_no_longer_counts_is_forgotten(self) -> None:
        for number in range(50):
            self.throttle.failed("admin", str(number))
        self.clock.advance(300)
        self.throttle.failed("admin", "here")
        self.assertEqual(len(self.throttle), 1)

    def test_many_names_and_addresses_do_not_fill_the_memory(self) -> None:
        for number in range(1000):
            self.throttle.failed(f"user{number}", str(number))
        self.assertEqual(len(self.throttle), 100)

    def test_the_one_that_has_not_failed_for_the_longest_is_forgotten(self) -> None:
        for number in range(90):
            self.throttle.failed("user", str(number))
        self.fail_times(5)
        for number in range(99):
            self.throttle.failed("other", str(number))
        self.assertRaises(TooManyAttempts, self.throttle.check, "admin", "here")
        self.throttle.failed("one", "more")
        self.throttle.check("admin", "here")
