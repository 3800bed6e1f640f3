"""``snap``: each ``true`` takes one picture."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rotoclear.media.snapshots import Snapshots
from rotoclear.state.errors import DEVICE_ERROR, NOT_AVAILABLE, DeviceError
from tests.devices.puppets import House, errors, message
from tests.media.puppets import Engine, Heads, Volumes


class Case(SynchronousTestCase):
    def setUp(self) -> None:
        self.house = House()
        self.engine = Engine()
        self.heads, self.volumes = Heads(1), Volumes()
        self.snapshots = Snapshots(
            self.house.clock, self.house.model, self.heads, self.volumes, self.engine
        )


class Snapping(Case):
    def test_true_is_broadcast_the_picture_stored_the_asker_confirmed_false_broadcast(self) -> None:
        self.engine.slow = True
        outcomes = self.house.ask(snap=True)
        self.assertEqual((self.house.told("snap"), self.engine.did), ([], []))
        self.house.clock.advance(0)
        self.assertEqual((self.house.told("snap"), self.engine.did), ([True], ["snap"]))
        self.house.turn()
        self.assertEqual((self.house.told("snap"), outcomes), ([True], []))
        self.engine.answer()
        self.assertEqual(outcomes[0].applied, {"snap": True})
        self.assertEqual(self.house.told("snap"), [True])
        self.house.turn()
        self.assertEqual(self.house.told("snap"), [True, False])

    def test_each_true_takes_one_picture(self) -> None:
        self.engine.slow = True
        outcomes = [self.house.ask(snap=True) for _ in range(3)]
        for taken in range(3):
            self.house.turn()
            self.assertEqual(self.house.told("snap"), [True, False] * taken + [True])
            self.engine.answer()
        self.house.turn()
        self.assertEqual(self.engine.did, ["snap"] * 3)
        self.assertEqual([outcome[0].applied for outcome in outcomes], [{"snap": True}] * 3)
        self.assertEqual(self.house.told("snap"), [True, False] * 3)

    def test_and_each_asker_is_confirmed_when_its_own_is_stored(self) -> None:
        self.engine.slow = True
        first, second = self.house.ask(snap=True), self.house.ask(snap=True)
        self.house.turn()
        self.engine.answer()
        self.house.turn()
        self.assertEqual((len(first), len(second)), (1, 0))

    def test_false_is_accepted_and_does_nothing(self) -> None:
        (outcome,) = self.house.ask(snap=False)
        self.house.turn()
        self.assertEqual(outcome.applied, {"snap": False})
        self.assertEqual((self.engine.did, self.house.broadcasts), ([], []))

    def test_false_behind_true_takes_nothing_back(self) -> None:
        self.engine.slow = True
        self.house.ask(snap=True)
        last = self.house.ask(snap=False)
        self.house.turn()
        self.engine.answer()
        self.house.turn()
        self.assertEqual(last[0].applied, {"snap": False})
        self.assertEqual(self.engine.did, ["snap"])
        self.assertEqual(self.house.told("snap"), [True, False])

    def test_while_recording_too(self) -> None:
        for state in (True, "pause"):
            self.house.model.commit({"record": state})
            outcomes = self.house.ask(snap=True)
            self.house.turn()
            self.assertEqual(outcomes[0].applied, {"snap": True})


class Failing(Case):
    def test_without_the_active_camera_not_available(self) -> None:
        self.heads.unplug(1)
        (outcome,) = self.house.ask(snap=True)
        self.assertEqual(errors(outcome), {"snap": NOT_AVAILABLE})
        self.assertEqual(message(outcome), "Camera 1 is not plugged in")
        self.assertEqual(self.house.broadcasts, [])

    def test_without_storage_not_available(self) -> None:
        self.volumes.change(None)
        (outcome,) = self.house.ask(snap=True)
        self.assertEqual(errors(outcome), {"snap": NOT_AVAILABLE})

    def test_a_failure_is_a_device_error_and_ends_in_false(self) -> None:
        self.engine.slow = True
        outcomes = self.house.ask(snap=True)
        self.house.turn()
        self.engine.fail(DeviceError("no picture"))
        self.assertEqual(errors(outcomes[0]), {"snap": DEVICE_ERROR})
        # Whoever asks as soon as the error is there hears nothing else.
        self.assertIs(self.house.model["snap"], False)
        self.house.turn()
        self.assertEqual(self.house.told("snap"), [True, False])

    def test_one_that_takes_too_long_does_not_stop_the_next(self) -> None:
        self.engine.slow = True
        first, second = self.house.ask(snap=True), self.house.ask(snap=True)
        self.house.turn()
        self.house.clock.advance(2)
        self.assertEqual(errors(first[0]), {"snap": DEVICE_ERROR})
        self.house.turn()
        self.engine.waiting[-1].callback(None)
        self.assertEqual(second[0].applied, {"snap": True})
        self.house.turn()
        self.assertEqual(self.house.told("snap"), [True, False, True, False])
