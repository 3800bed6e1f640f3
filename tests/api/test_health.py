"""Since when each part is as it is."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.api.health import HealthWatch


class HealthWatchTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.wall = 1_000_000_000.0
        self.parts: dict[str, dict[str, object]] = {"store": {"state": "ok"}}
        self.watch = HealthWatch(
            self.clock, lambda: self.parts, lambda: self.wall + self.clock.seconds()
        )
        self.events: list[str] = []
        globalLogPublisher.addObserver(self.note)
        self.addCleanup(globalLogPublisher.removeObserver, self.note)
        self.watch.startService()

    def note(self, event) -> None:
        if event.get("log_namespace") == "rotoclear.api.health.HealthWatch":
            self.events.append(event["log_format"].format(**event))

    def test_since(self) -> None:
        """It is noticed though nobody asks, and stays so while only the reason changes."""
        self.clock.pump([1] * 10)
        self.parts["store"] = {"state": "failed", "reason": "full"}
        self.clock.pump([1] * 60)
        self.parts["store"] = {"state": "failed", "reason": "fuller"}
        self.clock.pump([1] * 30)
        (part,) = self.watch.parts().values()
        self.assertEqual(part["since"], "2001-09-09T01:46:51Z")
        self.assertEqual(part["reason"], "fuller")

    def test_wall_clock_is_set(self) -> None:
        """How long it lasts is what counts."""
        self.clock.pump([1] * 10)
        self.wall += 86_400
        self.assertEqual(self.watch.parts()["store"]["since"], "2001-09-10T01:46:40Z")

    def test_log(self) -> None:
        self.parts["store"] = {"state": "failed", "reason": "full"}
        self.clock.pump([1] * 3)
        self.parts["store"] = {"state": "ok"}
        self.clock.pump([1] * 3)
        self.assertEqual(
            self.events, ["health: store is failed: full", "health: store is ok again"]
        )

    def test_starting_is_no_warning(self) -> None:
        levels = []

        def note(event) -> None:
            if event.get("part"):
                levels.append(event["log_level"].name)

        globalLogPublisher.addObserver(note)
        self.addCleanup(globalLogPublisher.removeObserver, note)
        for state in ("starting", "idle", "failed", "degraded"):
            self.parts["store"] = {"state": state}
            self.clock.advance(1)
        self.assertEqual(levels, ["info", "info", "warn", "warn"])

    def test_a_part_that_comes_again_is_new(self) -> None:
        del self.parts["store"]
        self.clock.pump([1] * 5)
        self.parts["store"] = {"state": "ok"}
        self.assertEqual(self.watch.parts()["store"]["since"], "2001-09-09T01:46:45Z")

    def test_a_fault_of_a_look_does_not_end_it(self) -> None:
        good = self.parts
        self.parts = None  # type: ignore[assignment]
        self.clock.pump([1] * 2)
        self.assertTrue(self.flushLoggedErrors(AttributeError))
        self.parts = good
        self.parts["store"] = {"state": "failed"}
        self.clock.pump([1] * 2)
        self.assertIn("health: store is failed", self.events)

    def test_stop(self) -> None:
        self.watch.stopService()
        self.assertEqual(self.clock.getDelayedCalls(), [])
