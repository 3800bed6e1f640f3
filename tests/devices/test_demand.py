"""A driver that names its devices: it has a process while it has something to do."""

from __future__ import annotations

from twisted.logger import LogEvent, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.devices import wire
from rotoclear.devices.demand import LINGER
from rotoclear.devices.driver import GRACE, RECONSIDERED, Driver
from rotoclear.devices.link import Entry
from tests.devices.kernel import leds
from tests.devices.stage import LIGHTS, STORAGE, Stage

RED, BLUE = leds("red"), leds("blue")


class DemandCase(SynchronousTestCase):
    def tearDown(self) -> None:
        """Having nothing to do is not being lost."""
        self.assertEqual(self.driver.unattended(), "")

    def setUp(self) -> None:
        self.stage = Stage()
        self.driver = Driver(
            self.stage.clock,
            self.stage.spawn,
            Entry(LIGHTS.name, LIGHTS.module, LIGHTS.attribute),
            kind="light",
            simulated=False,
            options={"port": 3},
            arrived=self.stage.arrived,
            left=self.stage.left,
            needs_devices=True,
            data_dir="/data",
        )
        self.driver.start()

    def serve(self, *identities: str) -> None:
        """The newest process has started and finds these."""
        self.stage.process.started(LIGHTS)
        self.stage.process.finds(*identities)

    def end(self) -> None:
        """The process that was asked to end does."""
        process = self.stage.process
        assert process.stopped is not None
        process.dies()
        process.stopped.callback(None)

    def idle(self) -> bool:
        self.assertEqual(self.driver.state == "idle", self.driver.pid is None)
        return self.driver.state == "idle"


class Starts(DemandCase):
    def test_no_process_before_anybody_has_looked(self) -> None:
        self.stage.clock.advance(60)
        self.assertEqual(self.stage.processes, [])
        self.assertEqual(self.driver.state, "starting")
        self.assertNoResult(self.driver.settled())

    def test_none_when_there_is_no_device_and_that_is_settled(self) -> None:
        settled = self.driver.settled()
        self.driver.present(())
        self.successResultOf(settled)
        self.assertEqual(self.stage.processes, [])
        self.assertTrue(self.idle())

    def test_a_device_starts_one_which_is_told_of_it(self) -> None:
        self.driver.present(())
        self.driver.present((RED,))
        (start,) = self.stage.process.heard
        self.assertEqual(start, wire.Start({"port": 3}, "/data", (RED,)))
        self.serve("red")
        self.assertEqual(self.stage.events, [("arrived", "red")])
        self.assertEqual(self.driver.state, "running")

    def test_settled_when_what_is_there_has_arrived(self) -> None:
        settled = self.driver.settled()
        self.driver.present((RED,))
        self.assertNoResult(settled)
        self.serve("red")
        self.successResultOf(settled)

    def test_later_changes_are_told_to_the_process(self) -> None:
        self.driver.present((RED,))
        self.serve("red")
        self.driver.present((BLUE, RED))
        self.driver.present((BLUE,))
        self.assertEqual(
            self.stage.process.heard_of(wire.Present),
            [wire.Present((BLUE, RED)), wire.Present((BLUE,))],
        )
        self.assertEqual(len(self.stage.processes), 1)

    def test_one_that_died_is_not_started_without_a_device(self) -> None:
        self.driver.present((RED,))
        self.serve("red")
        self.stage.process.dies()
        self.driver.present(())
        self.stage.clock.pump([0.5] * 60)
        self.assertEqual(len(self.stage.processes), 1)
        self.assertTrue(self.idle())
        self.driver.present((RED,))
        self.assertEqual(len(self.stage.processes), 2)


class Idles(DemandCase):
    def setUp(self) -> None:
        super().setUp()
        self.driver.present((RED,))
        self.serve("red")

    def test_a_loss_is_announced_at_once_and_the_process_kept_for_a_while(self) -> None:
        self.driver.present(())
        self.stage.process.finds()
        self.assertEqual([event[0] for event in self.stage.events], ["arrived", "left"])
        self.stage.pass_time(LINGER - 0.5)
        self.assertIsNone(self.stage.process.stopped)
        self.stage.pass_time(1)
        self.assertIsNotNone(self.stage.process.stopped)
        self.assertTrue(self.idle())

    def test_a_reset_keeps_the_process(self) -> None:
        self.driver.present(())
        self.stage.process.finds()
        self.stage.pass_time(0.3)
        self.driver.present((RED,))
        self.stage.process.finds("red")
        self.stage.pass_time(2 * LINGER, "red")
        self.assertIsNone(self.stage.process.stopped)
        self.assertEqual(len(self.stage.processes), 1)
        self.assertEqual([event[0] for event in self.stage.events], ["arrived", "left", "arrived"])

    def test_a_thousand_changes_are_one_process(self) -> None:
        for _ in range(500):
            self.driver.present(())
            self.stage.clock.advance(0.02)
            self.driver.present((RED,))
            self.stage.clock.advance(0.02)
            self.stage.process.finds("red")
        self.assertEqual(len(self.stage.processes), 1)
        self.assertIsNone(self.stage.process.stopped)

    def test_when_nothing_is_found_for_a_while_although_there_are_devices(self) -> None:
        self.stage.pass_time(LINGER)
        self.assertIsNone(self.stage.process.stopped)
        self.stage.pass_time(1)
        self.assertIsNotNone(self.stage.process.stopped)
        self.end()
        self.stage.clock.advance(60)
        self.assertEqual(len(self.stage.processes), 1)
        self.assertTrue(self.idle())
        self.driver.present((BLUE, RED))
        self.assertEqual(len(self.stage.processes), 2)

    def test_a_change_gives_it_more_time(self) -> None:
        self.stage.pass_time(LINGER - 1)
        self.driver.present((BLUE, RED))
        self.stage.pass_time(LINGER - 1)
        self.assertIsNone(self.stage.process.stopped)

    def test_a_device_that_comes_while_the_process_ends_waits_until_it_has(self) -> None:
        self.driver.present(())
        self.stage.pass_time(LINGER + 1)
        self.driver.present((RED,))
        self.assertEqual(len(self.stage.processes), 1)
        self.end()
        self.assertEqual(len(self.stage.processes), 2)
        self.serve("red")
        self.assertEqual(self.driver.state, "running")
        self.assertEqual(self.driver.restarts, 0)

    def test_what_the_ending_process_says_is_not_heard(self) -> None:
        self.driver.present(())
        self.stage.process.finds()
        self.stage.pass_time(LINGER + 1)
        before = list(self.stage.events)
        self.stage.process.finds("red")
        self.assertEqual(self.stage.events, before)
        self.assertTrue(self.idle())

    def test_the_servers_stop_waits_for_a_process_that_is_ending(self) -> None:
        self.driver.present(())
        self.stage.pass_time(LINGER + 1)
        self.driver.present((RED,))
        stopped = self.driver.stop()
        self.assertNoResult(stopped)
        self.end()
        self.successResultOf(stopped)
        self.assertEqual(len(self.stage.processes), 1)
        self.stage.clock.advance(GRACE)
        self.assertEqual(self.stage.clock.getDelayedCalls(), [])

    def test_nothing_is_told_after_the_stop(self) -> None:
        self.driver.stop()
        self.driver.present((BLUE,))
        self.driver.present(())
        self.assertEqual(self.stage.clock.getDelayedCalls(), [])
        self.assertEqual(len(self.stage.processes), 1)


class Unusable(DemandCase):
    def refuse(self) -> None:
        self.stage.process.received(wire.Stopped("There is no licence", unusable=True))
        self.end()

    def log(self) -> list[LogEvent]:
        events: list[LogEvent] = []
        globalLogPublisher.addObserver(events.append)
        self.addCleanup(globalLogPublisher.removeObserver, events.append)
        return events

    def test_it_is_refused_with_the_reason_and_not_started_again(self) -> None:
        settled = self.driver.settled()
        self.driver.present((RED,))
        self.refuse()
        self.successResultOf(settled)
        self.stage.clock.pump([1.0] * 100)
        self.assertEqual(len(self.stage.processes), 1)
        self.assertEqual(
            (self.driver.state, self.driver.reason), ("refused", "There is no licence")
        )
        self.assertIsNone(self.driver.pid)
        self.assertEqual(self.driver.restarts, 0)

    def test_other_devices_have_it_tried_again_but_not_too_often(self) -> None:
        self.driver.present((RED,))
        self.refuse()
        for _ in range(10):
            self.driver.present((BLUE, RED))
            self.stage.clock.advance(0.1)
            self.driver.present((BLUE,))
        self.assertEqual(len(self.stage.processes), 1)
        self.stage.clock.advance(RECONSIDERED)
        self.assertEqual(len(self.stage.processes), 2)
        self.serve("blue")
        self.assertEqual((self.driver.state, self.driver.reason), ("running", ""))

    def test_it_is_said_once(self) -> None:
        events = self.log()
        self.driver.present((RED,))
        self.refuse()
        self.stage.clock.advance(RECONSIDERED)
        self.driver.present((BLUE,))
        self.refuse()
        (event,) = events
        self.assertEqual(formatEvent(event), "acme-lights: cannot be used: There is no licence")

    def test_without_devices_it_stays_refused(self) -> None:
        self.driver.present((RED,))
        self.refuse()
        self.driver.present(())
        self.stage.clock.advance(2 * LINGER)
        self.assertEqual(self.driver.state, "refused")
        self.assertEqual(len(self.stage.processes), 1)


class Sticks(SynchronousTestCase):
    def test_a_storage_driver_is_kept_for_a_stick_that_is_not_mounted_yet(self) -> None:
        stage = Stage()
        driver = Driver(
            stage.clock,
            stage.spawn,
            Entry(STORAGE.name, STORAGE.module, STORAGE.attribute),
            kind="storage",
            simulated=False,
            options={},
            arrived=stage.arrived,
            left=stage.left,
            needs_devices=True,
        )
        driver.start()
        driver.present((RED,))
        stage.process.started(STORAGE)
        stage.process.finds()
        stage.pass_time(2 * LINGER)
        self.assertEqual(driver.state, "running")
        driver.present(())
        stage.process.finds()
        stage.pass_time(2 * LINGER)
        self.assertEqual(driver.state, "idle")
