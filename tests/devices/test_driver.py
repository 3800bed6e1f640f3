"""One driver: its process and its devices."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import LogEvent, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.devices import wire
from rotoclear.devices.driver import FIND_LIMIT, GRACE, START_LIMIT, Driver
from rotoclear.devices.link import Entry
from rotoclear.devices.opening import LIMIT, OPEN_LIMIT, PROBE_INTERVAL, PROBE_LIMIT
from rotoclear.devices.plugin import Plugin
from rotoclear.interfaces import VolumeUsage
from rotoclear.state.errors import DeviceError, NotAvailable
from tests.devices.stage import HEAD, LIGHTS, STORAGE, Stage, described


class DriverCase(SynchronousTestCase):
    plugin: Plugin = HEAD

    def setUp(self) -> None:
        self.stage = Stage()
        self.published: list[tuple[str, object]] = []
        self.served: list[str] = []
        self.driver = self.make()

    def make(self) -> Driver:
        plugin = self.plugin
        assert plugin.kind is not None
        return Driver(
            self.stage.clock,
            self.stage.spawn,
            Entry(plugin.name, plugin.module, plugin.attribute),
            kind=plugin.kind,
            simulated=plugin.simulated,
            options={"port": 3},
            arrived=self.stage.arrived,
            left=self.stage.left,
            published=lambda name, value: self.published.append((name, value)),
            serving=lambda: self.served.append(self.driver.state),
        )

    def run_with(self, *identities: str) -> None:
        """Start it; these are there."""
        self.driver.start()
        self.stage.process.started(self.plugin)
        self.stage.process.finds(*identities)

    def restarted_with(self, *identities: str) -> None:
        """Its process has been started anew; these are there."""
        self.stage.process.started(self.plugin)
        self.stage.process.finds(*identities)

    def failure(self, deferred: Deferred[Any]) -> str:
        return self.failureResultOf(deferred, DeviceError).getErrorMessage()

    @property
    def device(self) -> Any:
        return self.stage.devices["a"]

    def log(self) -> list[LogEvent]:
        events: list[LogEvent] = []
        globalLogPublisher.addObserver(events.append)
        self.addCleanup(globalLogPublisher.removeObserver, events.append)
        return events


class Arrivals(DriverCase):
    def test_the_driver_gets_its_options_first(self) -> None:
        self.driver.start()
        self.assertEqual(self.stage.process.heard, [wire.Start({"port": 3})])
        self.assertEqual(self.driver.state, "starting")

    def test_a_device_arrives_once_it_was_opened_described_and_probed(self) -> None:
        self.stage.prepare = lambda process: setattr(process, "answers", False)
        self.run_with("a")
        process = self.stage.process
        process.answer(process.heard[-1])
        self.assertEqual(self.stage.events, [])
        process.answer(process.heard[-1])
        self.assertEqual(self.stage.events, [("arrived", "a")])
        self.assertIsInstance(process.heard[-1], wire.Call)
        self.assertTrue(self.device.alive)
        self.assertEqual(
            (self.device.kind, self.device.driver, self.device.description.model),
            ("camera", "acme-head", "Acme"),
        )
        self.assertEqual(self.driver.state, "running")

    def test_it_arrives_once_however_often_it_is_named(self) -> None:
        self.run_with("a")
        self.stage.pass_time(3, "a")
        self.assertEqual(self.stage.events, [("arrived", "a")])

    def test_it_leaves_when_it_is_not_named_any_more(self) -> None:
        self.run_with("a")
        self.stage.process.finds()
        self.assertEqual(self.stage.events[1:], [("left", "a", "It is not there any more")])
        self.assertEqual(len(self.stage.process.heard_of(wire.Close)), 1)
        self.assertFalse(self.device.alive)
        self.assertEqual(
            self.failure(self.device.call("probe")), "The device is not there any more"
        )

    def test_it_may_come_back(self) -> None:
        self.run_with("a")
        first = self.device
        self.stage.process.finds()
        self.stage.process.finds("a")
        self.assertEqual([event[0] for event in self.stage.events], ["arrived", "left", "arrived"])
        self.assertIsNot(self.device, first)
        self.assertFalse(first.alive)

    def test_it_is_not_opened_again_before_it_was_closed(self) -> None:
        self.run_with("a")
        self.stage.process.silent.add("close")
        self.stage.process.finds()
        self.stage.process.finds("a")
        self.assertEqual(len(self.stage.process.heard_of(wire.Open)), 1)
        (close,) = self.stage.process.heard_of(wire.Close)
        self.stage.process.received(wire.Answer(close.request))
        self.stage.process.finds("a")
        self.assertEqual(len(self.stage.process.heard_of(wire.Open)), 2)

    def test_one_that_does_not_answer_its_first_probe_does_not_arrive(self) -> None:
        self.stage.prepare = lambda process: process.refusals.update(probe=("failure", "dark"))
        self.run_with("a")
        self.stage.pass_time(2, "a")
        self.assertEqual(self.stage.events, [])
        self.assertEqual(self.driver.complaints(), {"a": "dark"})
        self.stage.process.refusals.clear()
        self.stage.pass_time(1, "a")
        self.assertEqual(self.stage.events, [("arrived", "a")])
        self.assertEqual(self.driver.complaints(), {})

    def test_one_that_cannot_be_opened_is_tried_again_and_reported_once(self) -> None:
        events = self.log()
        self.stage.prepare = lambda process: process.refusals.update(open=("failure", "busy"))
        self.run_with("a")
        self.stage.pass_time(5, "a")
        texts = [formatEvent(event) for event in events]
        self.assertEqual(texts, ["acme-head: a cannot be used: busy"])
        self.assertGreater(len(self.stage.process.heard_of(wire.Open)), 5)

    def test_one_with_an_invalid_description_is_refused_with_the_reason(self) -> None:
        raw = described("camera", "a") | {"sensors": []}
        self.stage.prepare = lambda process: process.results.update(open=raw)
        self.run_with("a")
        self.assertEqual(self.stage.events, [])
        self.assertIn("there are 0 sensors", self.driver.complaints()["a"])

    def test_odd_identities_are_left_out_and_complained_of(self) -> None:
        self.run_with("a", "a", "", "b\n", "\xe9", "x" * 129)
        self.assertEqual(self.stage.events, [("arrived", "a")])
        self.assertIn("find() named", self.driver.reason)

    def test_too_many_devices(self) -> None:
        self.run_with(*(f"d{number}" for number in range(100)))
        self.assertEqual(len(self.stage.events), 32)


class Calls(DriverCase):
    def setUp(self) -> None:
        super().setUp()
        self.run_with("a")

    def test_a_call_reaches_the_device_and_its_answer_comes_back(self) -> None:
        done = self.device.call("set", "brightness", 75)
        self.assertIsNone(self.successResultOf(done))
        (call,) = self.stage.process.asked("set")
        self.assertEqual(call.arguments, ("brightness", 75))

    def test_what_the_driver_says_reaches_the_asker(self) -> None:
        self.stage.process.refusals["set"] = ("failure", "too bright")
        self.assertEqual(self.failure(self.device.call("set", "gain", 1)), "too bright")
        self.assertTrue(self.device.alive)

    def test_a_fault_of_the_driver_is_logged_and_not_shown(self) -> None:
        events = self.log()
        self.stage.process.refusals["set"] = ("fault", "KeyError: 'x'")
        self.assertEqual(
            self.failure(self.device.call("set", "gain", 1)), "The driver acme-head failed"
        )
        self.assertIn("KeyError: 'x'", formatEvent(events[-1]))

    def test_a_device_that_is_gone_leaves_at_once(self) -> None:
        self.stage.process.refusals["set"] = ("gone", "unplugged")
        self.assertEqual(self.failure(self.device.call("set", "gain", 1)), "unplugged")
        self.assertEqual(self.stage.events[1:], [("left", "a", "unplugged")])

    def test_methods_of_others_are_none(self) -> None:
        with self.assertRaises(ValueError):
            self.device.call("switch", True)

    def test_one_at_a_time_in_order(self) -> None:
        process = self.stage.process
        process.silent.add("set")
        calls = [self.device.call("set", "gain", number) for number in range(3)]
        self.assertEqual(len(process.asked("set")), 1)
        process.received(wire.Answer(process.asked("set")[0].request))
        self.successResultOf(calls[0])
        self.assertEqual([call.arguments[1] for call in process.asked("set")], [0, 1])

    def test_every_call_is_answered_in_time_and_a_hung_process_is_killed(self) -> None:
        process = self.stage.process
        process.silent.add("set")
        calls = [self.device.call("set", "gain", number) for number in range(3)]
        self.stage.clock.advance(LIMIT - 0.01)
        for call in calls:
            self.assertNoResult(call)
        self.stage.clock.advance(0.02)
        self.assertEqual(self.failure(calls[0]), "The device did not answer within 2 seconds")
        for call in calls[1:]:
            self.failure(call)
        self.assertEqual(process.killed, ["is stuck: set() of a takes longer than 2 seconds"])
        self.assertEqual(len(process.asked("set")), 1)

    def test_a_slow_device_is_not_killed_for_the_queue_before_it(self) -> None:
        process = self.stage.process
        process.silent.add("set")
        calls = [self.device.call("set", "gain", number) for number in range(2)]
        self.stage.clock.advance(LIMIT - 0.5)
        process.received(wire.Answer(process.asked("set")[0].request))
        self.stage.clock.advance(0.6)
        self.assertEqual(self.failure(calls[1]), "The device did not answer within 2 seconds")
        self.assertEqual(process.killed, [])
        process.received(wire.Answer(process.asked("set")[1].request))
        process.silent.clear()
        self.successResultOf(self.device.call("set", "gain", 9))

    def test_a_call_that_its_asker_gave_up_is_not_made_later(self) -> None:
        process = self.stage.process
        process.silent.add("set")
        for wait in (0, 1.0):
            self.stage.clock.advance(wait)
            first = self.device.call("set", "gain", 1)
            first.addErrback(lambda _: None)
        self.stage.clock.advance(LIMIT - 1.0)  # the process is killed
        self.assertEqual(len(process.asked("set")), 1)

    def test_calls_fail_at_once_when_the_process_dies(self) -> None:
        self.stage.process.silent.add("set")
        call = self.device.call("set", "gain", 1)
        self.stage.process.dies()
        self.assertIn("stopped working", self.failure(call))

    def test_an_answer_to_nothing_is_ignored(self) -> None:
        self.stage.process.received(wire.Answer(99_999, "x"))
        self.stage.process.received(wire.Refused(99_999, "gone", "x"))
        self.assertTrue(self.device.alive)


class Volumes(DriverCase):
    plugin = STORAGE

    def test_usage_comes_in_its_own_type(self) -> None:
        self.run_with("a")
        usage = self.successResultOf(self.device.call("usage"))
        self.assertEqual(usage, VolumeUsage(total=10, free=4))

    def test_nonsense_is_the_drivers_fault(self) -> None:
        self.run_with("a")
        self.stage.process.results["usage"] = {"total": -5}
        self.assertEqual(self.failure(self.device.call("usage")), "The driver acme-storage failed")


class Probes(DriverCase):
    def setUp(self) -> None:
        super().setUp()
        self.run_with("a")

    def test_an_idle_device_is_probed_again_and_again(self) -> None:
        before = len(self.stage.process.asked("probe"))
        self.stage.clock.pump([PROBE_INTERVAL] * 4)
        self.assertEqual(len(self.stage.process.asked("probe")), before + 4)

    def test_one_that_answers_no_probe_leaves_soon_and_comes_back_when_it_does(self) -> None:
        process = self.stage.process
        process.silent.add("probe")
        self.stage.clock.advance(PROBE_INTERVAL)
        self.stage.clock.advance(PROBE_LIMIT)
        self.assertEqual(self.stage.events[1:], [("left", "a", "It does not answer")])
        first = self.device
        process.received(wire.Answer(process.asked("probe")[-1].request))
        self.assertEqual(self.stage.events[2:], [("arrived", "a")])
        self.assertIsNot(self.device, first)
        self.assertEqual(len(process.heard_of(wire.Open)), 1)

    def test_an_answer_that_we_were_too_busy_to_read_counts(self) -> None:
        """The reactor keeps time first and reads then."""
        process = self.stage.process
        process.silent.add("probe")
        self.stage.clock.advance(PROBE_INTERVAL)
        answer = wire.Answer(process.asked("probe")[-1].request)
        self.stage.clock.callLater(PROBE_LIMIT, process.received, answer)
        self.stage.clock.advance(PROBE_LIMIT + 1)
        self.assertEqual(self.stage.events[1:], [])

    def test_one_that_is_slow_to_open_is_waited_for(self) -> None:
        """Nobody waits for it, and its process may have others that work."""
        process = self.stage.process
        process.silent.add("open")
        process.finds("a", "b")
        for _ in range(int(OPEN_LIMIT)):
            self.assertEqual(process.killed, [])
            self.stage.clock.advance(1)
            process.finds("a", "b")
        self.assertEqual(process.killed, ["is stuck: open() of b takes longer than 10 seconds"])

    def test_one_that_never_does_is_stuck(self) -> None:
        self.stage.process.silent.add("probe")
        self.stage.clock.advance(PROBE_INTERVAL)
        self.stage.clock.advance(LIMIT)
        self.assertEqual(
            self.stage.process.killed, ["is stuck: probe() of a takes longer than 2 seconds"]
        )

    def test_a_long_call_is_no_missing_probe(self) -> None:
        self.stage.process.silent.add("set")
        call = self.device.call("set", "gain", 1)
        self.stage.clock.advance(LIMIT - 0.1)
        self.stage.process.received(wire.Answer(self.stage.process.asked("set")[0].request))
        self.successResultOf(call)
        self.assertEqual(self.stage.events, [("arrived", "a")])

    def test_a_probe_may_be_asked_for(self) -> None:
        self.successResultOf(self.device.call("probe"))
        self.stage.process.refusals["probe"] = ("failure", "dark")
        self.assertEqual(self.failure(self.device.call("probe")), "dark")
        self.assertEqual(self.stage.events[1], ("left", "a", "dark"))

    def test_a_failed_probe_is_a_loss_and_a_reset_is_over_soon(self) -> None:
        process = self.stage.process
        process.refusals["probe"] = ("failure", "resetting")
        self.stage.clock.advance(PROBE_INTERVAL)
        self.assertEqual(self.stage.events[1:], [("left", "a", "resetting")])
        self.stage.pass_time(0.15)
        process.refusals.clear()
        self.stage.pass_time(0.15)
        self.assertEqual(self.stage.events[2:], [("arrived", "a")])


class Deaths(DriverCase):
    def test_back_within_the_grace_is_no_loss(self) -> None:
        self.run_with("a")
        first = self.device
        self.stage.process.dies()
        self.assertFalse(first.alive)
        self.assertEqual(self.driver.state, "failed")
        self.assertEqual(self.driver.reason, "It was killed by SIGKILL")
        self.stage.clock.advance(0.1)
        self.restarted_with("a")
        self.stage.pass_time(3, "a")
        self.assertEqual(self.stage.events, [("arrived", "a"), ("arrived", "a")])
        self.assertIsNot(self.device, first)
        self.assertEqual(self.driver.restarts, 1)

    def test_after_the_grace_it_has_left(self) -> None:
        self.run_with("a")
        first = self.device
        self.stage.process.dies()
        self.stage.clock.advance(GRACE)
        self.assertEqual(
            self.stage.events[1:], [("left", "a", "The driver acme-head does not work")]
        )
        self.restarted_with("a")
        self.assertEqual(self.stage.events[2:], [("arrived", "a")])
        self.assertFalse(first.alive)

    def test_not_there_when_the_process_is_back(self) -> None:
        self.run_with("a")
        self.stage.process.dies()
        self.stage.clock.advance(0.1)
        self.restarted_with()
        self.assertEqual([event[0] for event in self.stage.events], ["arrived", "left"])
        self.stage.pass_time(2)
        self.assertEqual(len(self.stage.events), 2)

    def test_a_hundred_deaths_are_survived_quickly(self) -> None:
        self.run_with("a")
        for number in range(100):
            self.stage.process.dies()
            self.stage.clock.advance(1.0)
            self.assertEqual(len(self.stage.processes), number + 2)
            self.restarted_with("a")
            self.assertTrue(self.device.alive)

    def test_one_that_never_gets_anywhere_is_started_ever_less_often(self) -> None:
        self.driver.start()
        for _ in range(2000):
            if self.stage.process.running:
                self.stage.process.dies("ended with exit code 1")
            self.stage.clock.advance(0.1)
        self.assertLess(len(self.stage.processes), 20)

    def test_no_process_can_be_started(self) -> None:
        self.stage.error = OSError(11, "Resource temporarily unavailable")
        self.driver.start()
        self.assertEqual(
            self.driver.reason, "It cannot be started: Resource temporarily unavailable"
        )
        self.stage.error = None
        self.stage.clock.advance(0.1)
        self.restarted_with("a")
        self.assertEqual(self.stage.events, [("arrived", "a")])

    def test_too_slow_a_start(self) -> None:
        self.driver.start()
        self.stage.clock.advance(START_LIMIT)
        self.assertEqual(self.stage.process.killed, ["did not start within 20 seconds"])

    def test_no_sign_of_life(self) -> None:
        self.run_with("a")
        self.stage.clock.pump([0.1] * int(FIND_LIMIT / 0.1 + 1))
        self.assertEqual(self.stage.processes[0].killed, ["did not answer find() within 2 seconds"])

    def test_what_a_driver_says_of_its_failed_start_is_the_reason(self) -> None:
        self.driver.start()
        self.stage.process.received(wire.Stopped("There is no licence"))
        self.stage.process.dies("ended with exit code 1")
        self.assertEqual(self.driver.reason, "There is no licence")

    def test_another_driver_than_was_scanned(self) -> None:
        self.driver.start()
        self.stage.process.received(wire.Started("other", "camera", False))
        self.assertIn("calls itself 'other'", self.stage.process.killed[0])

    def test_find_fails(self) -> None:
        self.run_with("a")
        events = self.log()
        for _ in range(10):
            self.stage.process.received(wire.Lost("no bus"))
        self.assertEqual(self.driver.state, "failed")
        self.assertEqual(self.driver.reason, "find() failed: no bus")
        self.assertTrue(self.device.alive)
        self.assertEqual(len(events), 1)
        self.stage.process.finds("a")
        self.assertEqual(self.driver.state, "running")


class LookedAfter(DriverCase):
    """However badly a driver behaves, somebody is there for it."""

    def assert_attended(self) -> None:
        self.assertEqual(self.driver.unattended(), "")

    def test_whatever_it_does(self) -> None:
        self.driver.start()
        self.assert_attended()
        self.stage.process.started(self.plugin)
        self.assert_attended()
        self.stage.process.finds("a")
        self.assert_attended()
        self.stage.process.dies()
        self.assert_attended()
        for _ in range(300):  # it never gets anywhere, or never says anything
            self.stage.clock.advance(0.1)
            self.assert_attended()
            if self.stage.process.running and self.stage.process.killed:
                self.stage.process.dies()
                self.assert_attended()
        self.driver.stop()
        self.assert_attended()

    def test_no_process_can_be_started(self) -> None:
        self.stage.error = OSError(11, "Resource temporarily unavailable")
        self.driver.start()
        self.assert_attended()

    def test_lost(self) -> None:
        """What must never be: a limit was dropped, and nothing takes its place."""
        self.run_with("a")
        assert self.driver._watch is not None
        self.driver._watch.cancel()
        self.assertIn("acme-head is running, and neither", self.driver.unattended())
        self.stage.process.dies()
        assert self.driver._waiting is not None
        self.driver._waiting.cancel()
        self.assertIn("acme-head is failed, and neither", self.driver.unattended())


class Neighbours(DriverCase):
    plugin = LIGHTS

    def test_one_that_hangs_when_it_is_opened_does_not_keep_the_other_away(self) -> None:
        def only_b(process: Any) -> None:
            process.kind = "light"
            answer = process.answer
            process.answer = lambda m: None if getattr(m, "identity", "") == "a" else answer(m)

        self.stage.prepare = only_b
        self.run_with("a", "b")
        up = 0
        for _ in range(600):
            if self.stage.process.running and len(self.stage.process.heard) == 1:
                self.stage.process.started(self.plugin)
            self.stage.pass_time(0.5, "a", "b")
            up += self.stage.devices["b"].alive
        self.assertGreater(up, 400)
        self.assertIn("open() of a", self.driver.complaints()["a"])


class Settling(DriverCase):
    def test_when_what_is_there_has_arrived(self) -> None:
        settled = self.driver.settled()
        self.stage.prepare = lambda process: setattr(process, "answers", False)
        self.run_with("a")
        process = self.stage.process
        process.answer(process.heard[-1])
        self.assertNoResult(settled)
        process.answer(process.heard[-1])
        self.successResultOf(settled)
        self.successResultOf(self.driver.settled())

    def test_when_there_is_nothing(self) -> None:
        settled = self.driver.settled()
        self.run_with()
        self.successResultOf(settled)

    def test_when_it_fails(self) -> None:
        for fail in (
            lambda: self.stage.process.dies(),
            lambda: self.stage.process.received(wire.Lost("no bus")),
        ):
            self.driver = self.make()
            settled = self.driver.settled()
            self.driver.start()
            fail()
            self.successResultOf(settled)

    def test_when_what_is_there_cannot_be_opened(self) -> None:
        settled = self.driver.settled()
        self.stage.prepare = lambda process: process.refusals.update(open=("failure", "busy"))
        self.run_with("a")
        self.successResultOf(settled)


class Ends(DriverCase):
    def test_it_is_asked_to_stop_and_nothing_is_left(self) -> None:
        self.run_with("a")
        stopped = self.driver.stop()
        assert self.stage.process.stopped is not None
        self.assertNoResult(stopped)
        self.stage.process.dies()
        self.stage.process.stopped.callback(None)
        self.successResultOf(stopped)
        self.assertEqual(self.stage.clock.getDelayedCalls(), [])
        self.assertEqual(self.stage.events, [("arrived", "a")])
        self.assertEqual(len(self.stage.processes), 1)

    def test_in_every_other_state_too(self) -> None:
        def dies() -> None:
            self.run_with("a")
            self.stage.process.dies()

        def calls() -> None:
            self.run_with("a")
            self.stage.process.silent.add("set")
            self.device.call("set", "gain", 1).addErrback(lambda _: None)

        for prepare in (lambda: None, lambda: self.driver.start(), dies, calls):
            self.stage.processes.clear()
            self.driver = self.make()
            prepare()
            self.driver.stop()
            self.stage.clock.advance(0)
            self.assertEqual(self.stage.clock.getDelayedCalls(), [])

    def test_settled_is_answered(self) -> None:
        self.driver.start()
        settled = self.driver.settled()
        self.driver.stop()
        self.successResultOf(settled)


class OwnKeys(DriverCase):
    def test_what_the_driver_publishes_is_passed_on(self) -> None:
        self.run_with()
        self.stage.process.received(wire.Published("vendor-acme", 7))
        self.assertEqual(self.published, [("vendor-acme", 7)])

    def test_each_new_process_is_said_to_serve_once_it_can_be_told_things(self) -> None:
        self.driver.start()
        self.assertEqual(self.served, [])
        self.stage.process.started(self.plugin)
        self.assertEqual(self.served, ["running"])
        self.stage.process.finds()
        self.stage.process.dies()
        self.stage.clock.advance(1)
        self.restarted_with()
        self.assertEqual(self.served, ["running", "running"])

    def test_a_key_is_set(self) -> None:
        self.run_with()
        self.assertIsNone(self.successResultOf(self.driver.set_key("vendor-acme", 7)))
        (message,) = self.stage.process.heard_of(wire.SetKey)
        self.assertEqual((message.name, message.value), ("vendor-acme", 7))

    def test_a_refusal_says_why(self) -> None:
        self.run_with()
        self.stage.process.refusals["set-key"] = ("failure", "too fast")
        self.assertEqual(self.failure(self.driver.set_key("vendor-acme", 7)), "too fast")

    def test_a_fault_is_logged_and_not_shown(self) -> None:
        self.run_with()
        events = self.log()
        self.stage.process.refusals["set-key"] = ("fault", "KeyError: 'x'")
        self.assertEqual(self.failure(self.driver.set_key("vendor-acme", 7)), "The driver failed")
        self.assertIn("KeyError: 'x'", formatEvent(events[-1]))

    def test_no_answer_in_time_ends_the_process(self) -> None:
        self.run_with()
        process = self.stage.process
        process.silent.add("set-key")
        done = self.driver.set_key("vendor-acme", 7)
        self.stage.clock.advance(LIMIT - 0.01)
        self.assertNoResult(done)
        self.stage.clock.advance(0.02)
        self.assertEqual(self.failure(done), "The driver did not answer within 2 seconds")
        self.assertEqual(
            process.killed, ["is stuck: set_key('vendor-acme') takes longer than 2 seconds"]
        )

    def test_a_slow_one_is_not_killed_for_the_queue_before_it(self) -> None:
        self.run_with("a")
        process = self.stage.process
        process.silent.add("set-key")
        calls = [self.driver.set_key("vendor-acme", number) for number in range(2)]
        self.stage.pass_time(1.5, "a")
        first, second = process.heard_of(wire.SetKey)
        process.received(wire.Answer(first.request))
        self.successResultOf(calls[0])
        self.stage.pass_time(1.5, "a")
        self.failure(calls[1])
        process.received(wire.Answer(second.request))
        self.stage.pass_time(3, "a")
        self.assertEqual(process.killed, [])

    def test_without_a_process(self) -> None:
        self.failureResultOf(self.driver.set_key("vendor-acme", 7), NotAvailable)
        self.run_with()
        self.stage.process.silent.add("set-key")
        done = self.driver.set_key("vendor-acme", 7)
        self.stage.process.dies()
        self.failure(done)
        self.failureResultOf(self.driver.set_key("vendor-acme", 7), NotAvailable)

    def test_nobody_waits_any_more(self) -> None:
        self.run_with()
        self.stage.process.silent.add("set-key")
        done = self.driver.set_key("vendor-acme", 7)
        done.addErrback(lambda _: None)
        done.cancel()
        self.driver.stop()
        self.assertEqual(self.stage.clock.getDelayedCalls(), [])


class Log(DriverCase):
    def test_records_of_the_driver(self) -> None:
        self.run_with()
        events = self.log()
        for level in (10, 20, 30, 40, 50):
            self.stage.process.received(wire.Record(level, "warm {x}"))
        self.assertEqual([formatEvent(e) for e in events], ["acme-head: warm {x}"] * 5)
        self.assertEqual(
            [event["log_level"].name for event in events],
            ["debug", "info", "warn", "error", "critical"],
        )


class Rehearsal(DriverCase):
    def test_an_action_is_answered(self) -> None:
        self.run_with("a")
        done = self.driver.simulate("show", "a", {})
        self.assertEqual(self.successResultOf(done), {"holds": {}})

    def test_a_refusal_says_why(self) -> None:
        self.run_with("a")
        self.stage.process.refusals["warp"] = ("value", "There is no fault 'warp'")
        done = self.driver.simulate("warp", "a", {})
        self.assertIn("no fault", self.failureResultOf(done, ValueError).getErrorMessage())

    def test_no_answer(self) -> None:
        self.run_with("a")
        self.stage.process.silent.add("show")
        done = self.driver.simulate("show", "a", {})
        self.stage.pass_time(2, "a")
        self.failureResultOf(done, ValueError)

    def test_without_a_process(self) -> None:
        self.failureResultOf(self.driver.simulate("show", "a", {}), ValueError)
        self.run_with("a")
        self.stage.process.silent.add("show")
        done = self.driver.simulate("show", "a", {})
        self.stage.process.dies()
        self.failureResultOf(done, ValueError)
        self.failureResultOf(self.driver.simulate("show", "a", {}), ValueError)
