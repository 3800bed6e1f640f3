"""``record``: the state machine of the protocol, section 3."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rotoclear.media.interfaces import IEngine
from rotoclear.media.recorder import Recorder
from rotoclear.state.errors import DEVICE_ERROR, INVALID_VALUE, NOT_AVAILABLE, DeviceError
from rotoclear.state.queue import Outcome
from rotoclear.values import Value
from tests.devices.puppets import House, errors, message
from tests.media.puppets import Engine, Heads, Video, Volumes


class Case(SynchronousTestCase):
    def setUp(self) -> None:
        self.house = House()
        self.engine, self.video = Engine(), Video()
        self.heads, self.volumes = Heads(1), Volumes()
        self.recorder = Recorder(
            self.house.clock, self.house.model, self.heads, self.volumes, self.engine, self.video
        )

    def record(self, step: object) -> Outcome:
        (outcome,) = self.house.ask(record=step)
        self.house.turn()
        return outcome

    def reach(self, state: Value) -> None:
        """Bring the recorder into a state."""
        for step in {False: (), True: (True,), "pause": (True, "pause")}[state]:
            self.record(step)
        self.assertEqual(self.house.model["record"], state)
        self.engine.did.clear()
        self.house.broadcasts.clear()


class Steps(Case):
    def check(
        self, state: Value, step: object, result: Value, did: str | None, told: bool = True
    ) -> None:
        self.reach(state)
        outcome = self.record(step)
        self.assertEqual(outcome.applied, {"record": result})
        self.assertIs(type(outcome.applied["record"]), type(result))
        self.assertEqual(self.house.model["record"], result)
        self.assertEqual(self.engine.did, [did] if did else [])
        self.assertEqual(self.house.told("record"), [result] if told else [])

    def refused(self, state: Value, step: str, text: str) -> None:
        self.reach(state)
        outcome = self.record(step)
        self.assertEqual(errors(outcome), {"record": NOT_AVAILABLE})
        self.assertEqual(message(outcome), text)
        self.assertEqual(self.house.model["record"], state)
        self.assertEqual(self.engine.did, [])

    def test_true_starts(self) -> None:
        self.check(False, True, True, "start")

    def test_on_starts_and_is_confirmed_as_true(self) -> None:
        self.check(False, "on", True, "start")

    def test_true_resumes(self) -> None:
        self.check("pause", True, True, "resume")

    def test_on_resumes(self) -> None:
        self.check("pause", "on", True, "resume")

    def test_false_stops(self) -> None:
        self.check(True, False, False, "stop")

    def test_off_stops_and_is_confirmed_as_false(self) -> None:
        self.check(True, "off", False, "stop")

    def test_false_stops_a_paused_recording(self) -> None:
        self.check("pause", False, False, "stop")

    def test_pause_pauses_a_running_recording(self) -> None:
        self.check(True, "pause", "pause", "pause")

    def test_pause_needs_a_running_recording(self) -> None:
        self.refused(False, "pause", "There is no running recording to pause")

    def test_pause_while_paused_makes_no_sense(self) -> None:
        self.refused("pause", "pause", "The recording is paused already")

    def test_pause_release_resumes_and_is_confirmed_as_true(self) -> None:
        self.check("pause", "pause_release", True, "resume")

    def test_pause_release_needs_a_paused_one(self) -> None:
        self.refused(True, "pause_release", "There is no paused recording to go on with")

    def test_pause_release_while_stopped_makes_no_sense(self) -> None:
        self.refused(False, "pause_release", "There is no paused recording to go on with")

    def test_true_while_recording_is_confirmed_and_changes_nothing(self) -> None:
        self.check(True, True, True, None, told=False)

    def test_false_while_stopped_is_confirmed_and_changes_nothing(self) -> None:
        self.check(False, False, False, None, told=False)

    def test_anything_else_is_an_invalid_value(self) -> None:
        for step in ("resume", 1, None, "ON"):
            self.assertEqual(errors(self.record(step)), {"record": INVALID_VALUE})


class Needs(Case):
    def test_without_the_active_camera_not_available(self) -> None:
        self.heads.unplug(1)
        self.heads.plug(2)
        outcome = self.record(True)
        self.assertEqual(errors(outcome), {"record": NOT_AVAILABLE})
        self.assertEqual(message(outcome), "Camera 1 is not plugged in")

    def test_without_storage_not_available(self) -> None:
        self.volumes.change(None)
        outcome = self.record(True)
        self.assertEqual(errors(outcome), {"record": NOT_AVAILABLE})
        self.assertEqual(message(outcome), "There is no storage to write on")

    def test_false_while_stopped_needs_neither(self) -> None:
        self.volumes.change(None)
        self.heads.unplug(1)
        self.assertEqual(self.record(False).applied, {"record": False})


class EachStepCounts(Case):
    def test_steps_that_wait_are_not_merged(self) -> None:
        self.engine.slow = True
        outcomes = [self.house.ask(record=step) for step in (True, "pause", True, False, True)]
        for _ in range(5):
            self.house.turn()
            self.engine.answer()
        self.house.turn()
        self.assertEqual(self.engine.did, ["start", "pause", "resume", "stop", "start"])
        self.assertEqual(
            [outcome[0].applied["record"] for outcome in outcomes],
            [True, "pause", True, False, True],
        )
        self.assertEqual(self.house.told("record"), [True, "pause", True, False, True])

    def test_each_is_judged_by_the_state_it_finds(self) -> None:
        self.engine.slow = True
        start, release = self.house.ask(record=True), self.house.ask(record="pause_release")
        self.engine.answer()
        self.assertEqual(start[0].applied, {"record": True})
        self.assertEqual(errors(release[0]), {"record": NOT_AVAILABLE})

    def test_every_step_is_broadcast_even_within_one_turn(self) -> None:
        for step in (True, "pause", "pause_release", False):
            self.house.ask(record=step)
        self.house.turn()
        self.assertEqual(self.house.told("record"), [True, "pause", True, False])


class Failures(Case):
    def test_a_failure_is_a_device_error_and_the_state_keeps_its_old_value(self) -> None:
        for state, step in ((False, True), (True, "pause"), ("pause", True), (True, False)):
            self.record(False)
            self.reach(state)
            self.engine.slow = True
            outcomes = self.house.ask(record=step)
            self.engine.fail(DeviceError("no picture"))
            self.engine.slow = False
            self.assertEqual(errors(outcomes[0]), {"record": DEVICE_ERROR})
            self.assertEqual(message(outcomes[0]), "no picture")
            self.assertEqual(self.house.model["record"], state)

    def test_a_start_that_takes_too_long_is_taken_back(self) -> None:
        self.engine.slow = True
        outcomes = self.house.ask(record=True)
        self.house.clock.advance(2)
        self.assertEqual(errors(outcomes[0]), {"record": DEVICE_ERROR})
        self.assertIs(self.house.model["record"], False)
        self.assertEqual(self.engine.did, ["start", "stop"])


class Losses(Case):
    def test_when_the_volume_goes_the_recording_ends(self) -> None:
        for state in (True, "pause"):
            self.reach(state)
            self.volumes.change(None)
            self.house.turn()
            self.assertEqual(self.house.told("record"), [False])
            self.assertEqual(self.engine.did, ["stop"])
            self.assertEqual(self.recorder.ending, "The volume that was written on is gone")
            self.volumes.change("stick")

    def test_when_another_volume_takes_over_the_recording_ends(self) -> None:
        self.reach(True)
        self.volumes.change("disk")
        self.house.turn()
        self.assertEqual(self.house.told("record"), [False])

    def test_when_the_active_camera_goes_the_recording_ends(self) -> None:
        self.reach(True)
        self.heads.unplug(1)
        self.house.turn()
        self.assertEqual(self.house.told("record"), [False])
        self.assertEqual(self.recorder.ending, "Camera 1 is not plugged in")

    def test_when_the_other_camera_goes_it_goes_on(self) -> None:
        self.heads.plug(2)
        self.reach(True)
        self.heads.unplug(2)
        self.house.turn()
        self.assertIs(self.house.model["record"], True)
        self.assertEqual(self.engine.did, [])

    def test_it_does_not_begin_again_by_itself(self) -> None:
        self.reach(True)
        self.heads.unplug(1)
        self.heads.plug(1)
        self.house.turn()
        self.assertEqual(self.house.told("record"), [False])

    def test_a_camera_that_became_active_and_is_gone_already(self) -> None:
        self.reach(True)
        self.house.model.commit({"main-camera": 2})
        self.house.turn()
        self.assertEqual(self.house.told("record"), [False])

    def test_a_loss_during_a_step_is_not_missed(self) -> None:
        for state, step in ((False, True), (True, "pause"), ("pause", True)):
            self.record(False)
            self.reach(state)
            self.engine.slow = True
            outcomes = self.house.ask(record=step)
            self.heads.unplug(1)
            self.heads.plug(1)
            self.engine.slow = False
            self.engine.answer()
            while self.engine.waiting:
                self.engine.answer()
            self.assertEqual(errors(outcomes[0]), {"record": NOT_AVAILABLE})
            self.assertEqual(message(outcomes[0]), "Camera 1 is not plugged in")
            self.assertIs(self.house.model["record"], False)
            self.assertEqual(self.engine.did[-1], "stop")

    def test_the_reason_is_forgotten_with_the_next_recording(self) -> None:
        self.reach(True)
        self.volumes.change(None)
        self.volumes.change("stick")
        self.record(True)
        self.assertIsNone(self.recorder.ending)

    def test_an_engine_that_fails_to_stop_is_logged(self) -> None:
        self.reach(True)
        self.engine.slow = True
        self.volumes.change(None)
        self.engine.fail(DeviceError("stuck"))
        self.assertEqual(len(self.flushLoggedErrors(DeviceError)), 1)
        self.assertIs(self.house.model["record"], False)


class TheEngineIsLate(Case):
    """What it does when its asker was told that it has failed is a change like any other."""

    def test_it_pauses_and_goes_on(self) -> None:
        for begin, step, late in ((True, "pause", "pause"), ("pause", "pause_release", True)):
            self.reach(begin)
            self.engine.slow = True
            outcomes = self.house.ask(record=step)
            self.house.clock.advance(2)
            self.assertEqual(errors(outcomes[0]), {"record": DEVICE_ERROR})
            self.house.broadcasts.clear()
            self.recorder.late(late == "pause")
            self.house.turn()
            self.assertEqual(self.house.told("record"), [late])
            self.engine.slow = False

    def test_when_it_is_so_already_or_over_nothing_changes(self) -> None:
        for state in (False, "pause"):
            self.reach(state)
            self.house.broadcasts.clear()
            self.recorder.late(True)
            self.house.turn()
            self.assertEqual(self.house.told("record"), [])

    def test_while_it_stops(self) -> None:
        self.reach(True)
        self.engine.slow = True
        self.house.ask(record=False)
        self.house.turn()
        self.recorder.late(True)
        self.assertIs(self.house.model["record"], True)
        self.engine.answer()
        self.assertIs(self.house.model["record"], False)


class TheEngineIsLost(Case):
    def lose(self) -> None:
        """As a real one: the watcher is told first, then what was asked fails."""
        self.recorder.lost("It crashed")
        while self.engine.waiting:
            self.engine.fail(DeviceError("It crashed"))
        self.house.turn()

    def come_back(self) -> None:
        self.engine.slow = False
        self.engine.did.clear()
        self.house.broadcasts.clear()
        self.recorder.back()
        self.house.turn()

    def test_the_recorder_watches_it(self) -> None:
        self.assertIs(self.engine.watcher, self.recorder)

    def test_running_ends_and_goes_on(self) -> None:
        self.reach(True)
        self.lose()
        self.assertEqual(self.house.told("record"), [False])
        self.assertEqual(self.recorder.ending, "It crashed")
        self.assertEqual(self.engine.did, [], "there is no engine to be told anything")
        self.come_back()
        self.assertEqual(self.engine.did, ["start again"])
        self.assertEqual(self.house.told("record"), [True])
        self.assertEqual(self.recorder.ending, "It crashed", "it is worth knowing still")

    def test_it_goes_on_once(self) -> None:
        self.reach(True)
        self.lose()
        self.come_back()
        self.record(False)
        self.come_back()
        self.assertEqual(self.engine.did, [])

    def test_paused_stays_ended(self) -> None:
        self.reach("pause")
        self.lose()
        self.assertEqual(self.house.told("record"), [False])
        self.come_back()
        self.assertEqual(self.engine.did, [])
        self.assertEqual(self.recorder.ending, "It crashed")

    def test_stopped_stays_stopped(self) -> None:
        self.lose()
        self.come_back()
        self.assertEqual(self.engine.did, [])
        self.assertIsNone(self.recorder.ending)

    def test_who_asks_for_false_meanwhile_gets_it(self) -> None:
        self.reach(True)
        self.lose()
        self.assertEqual(self.record(False).applied, {"record": False})
        self.come_back()
        self.assertEqual(self.engine.did, [])

    def test_who_asks_for_true_meanwhile_goes_on_with_it(self) -> None:
        self.reach(True)
        self.lose()
        self.record(True)
        self.assertEqual(self.engine.did, ["start again"])
        self.come_back()
        self.assertEqual(self.engine.did, [])

    def test_while_it_stops(self) -> None:
        self.reach(True)
        self.engine.slow = True
        self.house.ask(record=False)
        self.lose()
        self.come_back()
        self.assertEqual(self.engine.did, [])

    def test_while_it_pauses(self) -> None:
        """The one who asked knows that it did not; so it runs on."""
        self.reach(True)
        self.engine.slow = True
        outcomes = self.house.ask(record="pause")
        self.lose()
        self.assertEqual(errors(outcomes[0]), {"record": DEVICE_ERROR})
        self.come_back()
        self.assertEqual(self.engine.did, ["start again"])

    def test_while_it_starts(self) -> None:
        self.engine.slow = True
        outcomes = self.house.ask(record=True)
        self.lose()
        self.assertEqual(errors(outcomes[0]), {"record": DEVICE_ERROR})
        self.come_back()
        self.assertEqual(self.engine.did, [])

    def test_while_it_resumes(self) -> None:
        self.reach("pause")
        self.engine.slow = True
        self.house.ask(record=True)
        self.lose()
        self.assertIs(self.house.model["record"], False)
        self.come_back()
        self.assertEqual(self.engine.did, [])

    def test_lost_again_while_it_goes_on(self) -> None:
        self.reach(True)
        self.lose()
        self.engine.slow = True
        self.recorder.back()
        self.lose()
        self.come_back()
        self.assertEqual(self.engine.did, ["start again"])
        self.assertIs(self.house.model["record"], True)

    def test_the_camera_is_gone_when_it_is_back(self) -> None:
        self.reach(True)
        self.lose()
        self.heads.unplug(1)
        self.come_back()
        self.assertIs(self.house.model["record"], False)
        self.assertEqual(self.recorder.ending, "Camera 1 is not plugged in")
        self.heads.plug(1)
        self.come_back()
        self.assertEqual(self.engine.did, [], "it was given up")

    def test_it_ends_by_itself(self) -> None:
        """The disk is full: that is no reason to begin again."""
        for state in (True, "pause"):
            self.reach(state)
            self.recorder.ended("The volume is full")
            self.house.turn()
            self.assertEqual(self.house.told("record"), [False])
            self.assertEqual(self.recorder.ending, "The volume is full")
            self.come_back()
            self.assertEqual(self.engine.did, [])


class SizeAndRateStandStill(Case):
    def test_while_a_recording_starts(self) -> None:
        self.engine.slow = True
        self.house.ask(record=True)
        self.assertEqual(self.video.holds, 1)
        self.engine.answer()
        self.assertEqual(self.video.holds, 1)
        self.assertIs(self.house.model["record"], True)
        self.house.turn()
        self.assertEqual(self.video.holds, 0)

    def test_it_starts_when_the_change_on_its_way_has_ended(self) -> None:
        self.video.moving = Deferred()
        outcomes = self.house.ask(record=True)
        self.assertEqual(self.engine.did, [])
        self.video.moving.callback(None)
        self.assertEqual(self.engine.did, ["start"])
        self.assertEqual(outcomes[0].applied, {"record": True})

    def test_released_when_it_does_not_start(self) -> None:
        self.engine.slow = True
        self.house.ask(record=True)
        self.engine.fail(DeviceError("no"))
        self.house.turn()
        self.assertEqual(self.video.holds, 0)


class Doubles(SynchronousTestCase):
    def test_the_engine_here_is_one(self) -> None:
        verifyObject(IEngine, Engine())
