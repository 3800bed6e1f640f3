"""The ``storage-...`` keys."""

from __future__ import annotations

from typing import ClassVar

from twisted.trial.unittest import SynchronousTestCase

from rotoclear.devices.volumes import POLL, Volumes
from rotoclear.interfaces import VolumeUsage
from rotoclear.media.recorder import Recorder
from rotoclear.state.errors import DeviceError
from rotoclear.values import Value
from tests.devices.puppets import House, Puppet, camera, volume
from tests.media.puppets import Engine, Video
from tests.media.puppets import Heads as PlayedHeads


class Storage(SynchronousTestCase):
    def setUp(self) -> None:
        self.house = House()
        self.volumes = Volumes(self.house.clock, self.house.model, self.house.source)
        self.changes = 0
        self.volumes.observe(self.changed)
        self.volume = volume("v")
        self.volume.slow = True

    def changed(self) -> None:
        self.changes += 1

    def plug(self) -> None:
        self.house.source.plug(self.volume)
        self.house.turn()
        self.volume.answer_all()
        self.house.turn()

    def storage(self) -> tuple[object, ...]:
        return tuple(self.house.model[f"storage-{key}"] for key in ("exists", "name", "free"))

    def test_without_a_volume(self) -> None:
        self.assertEqual(self.storage(), (False, "", 0))
        self.assertIsNone(self.volumes.current())

    def test_the_first_volume_records(self) -> None:
        self.plug()
        self.house.source.plug(volume("w"))
        self.assertIs(self.volumes.current(), self.volume)
        self.assertEqual(self.storage(), (True, "Volume v", 400))
        self.assertEqual(self.changes, 1)
        self.assertEqual(len(self.volumes.present()), 2)

    def test_its_free_space_is_looked_at_every_five_seconds(self) -> None:
        self.plug()
        self.volume.usage = VolumeUsage(total=1000, free=300)
        self.house.clock.advance(POLL - 0.1)
        self.assertEqual(len(self.volume.waiting), 0)
        self.house.clock.advance(0.2)
        self.volume.answer()
        self.house.turn()
        self.assertEqual(self.house.told("storage-free"), [400, 300])

    def test_a_slow_volume_is_not_asked_twice_at_once(self) -> None:
        self.plug()
        self.house.clock.advance(POLL)
        self.house.clock.advance(10 * POLL)
        self.assertEqual(len(self.volume.waiting), 1)

    def test_one_that_is_chosen_anew_while_it_is_asked_is_still_asked_once_a_time(self) -> None:
        self.plug()
        self.house.clock.advance(POLL)
        stick = volume("stick", removable=True)
        self.house.source.plug(stick)
        self.assertIs(self.volumes.current(), stick)
        self.house.source.unplug(stick)
        self.assertIs(self.volumes.current(), self.volume)
        self.assertEqual(len(self.volume.waiting), 2)
        self.volume.answer_all()
        self.house.turn()
        self.house.clock.advance(POLL)
        self.assertEqual(len(self.volume.waiting), 1)

    def test_a_volume_that_fails_to_tell_is_asked_again(self) -> None:
        self.plug()
        self.house.clock.advance(POLL)
        self.volume.fail()
        self.assertEqual(self.storage(), (True, "Volume v", 400))
        self.house.clock.advance(POLL)
        self.assertEqual(len(self.volume.waiting), 1)

    def test_when_it_goes_the_next_one_takes_over(self) -> None:
        self.plug()
        other = volume("w", free=7)
        other.slow = True
        self.house.source.plug(other)
        self.house.source.unplug(self.volume)
        self.house.turn()
        other.answer()
        self.assertIs(self.volumes.current(), other)
        self.assertEqual(self.storage(), (True, "Volume w", 7))
        self.assertEqual(self.changes, 2)

    def test_when_the_last_one_goes_there_is_none(self) -> None:
        self.plug()
        self.house.clock.advance(POLL)
        self.house.source.unplug(self.volume)
        self.house.turn()
        self.volume.answer()
        self.assertEqual(self.storage(), (False, "", 0))
        self.assertEqual(self.changes, 2)
        self.assertEqual(self.house.clock.getDelayedCalls(), [])

    def test_nobody_looks_at_one_that_is_gone(self) -> None:
        self.plug()
        self.house.source.unplug(self.volume)
        self.house.turn()
        self.assertEqual(self.house.clock.getDelayedCalls(), [])

    def test_one_that_is_back_as_a_new_object_is_the_same_volume(self) -> None:
        self.plug()
        self.house.source.plug(volume("w"))
        again = volume("v", free=399)
        again.slow = True
        self.house.source.plug(again)
        self.house.turn()
        again.answer()
        self.house.source.unplug(self.volume)
        self.house.turn()
        self.assertIs(self.volumes.current(), again)
        self.assertEqual(self.house.told("storage-exists"), [True])
        self.assertEqual(self.house.told("storage-free"), [400, 399])
        self.assertEqual(self.changes, 1)

    def test_stop_ends_the_looking(self) -> None:
        self.plug()
        self.volumes.stop()
        self.assertEqual(self.house.clock.getDelayedCalls(), [])

    def test_other_devices_are_ignored(self) -> None:
        self.house.source.plug(camera())
        self.assertEqual(self.storage(), (False, "", 0))


class Preference(SynchronousTestCase):
    preferred: ClassVar[tuple[str, ...]] = ("removable", "internal")

    def setUp(self) -> None:
        self.house = House()
        self.volumes = Volumes(
            self.house.clock, self.house.model, self.house.source, self.preferred
        )
        self.changes: list[str | None] = []
        self.volumes.observe(lambda: self.changes.append(self.current()))
        self.disk, self.stick = volume("disk"), volume("stick", removable=True)

    def current(self) -> str | None:
        device = self.volumes.current()
        return device and device.identity

    def plug(self, device: Puppet) -> None:
        self.house.source.plug(device)
        self.house.turn()

    def unplug(self, device: Puppet) -> None:
        self.house.source.unplug(device)
        self.house.turn()

    def record(self, state: Value) -> None:
        self.house.model.commit({"record": state})
        self.house.turn()


class Removable(Preference):
    def test_a_better_one_takes_over_and_gives_back(self) -> None:
        self.plug(self.disk)
        self.plug(self.stick)
        self.assertEqual(self.house.model["storage-name"], "Volume stick")
        self.unplug(self.stick)
        self.assertEqual(self.house.model["storage-name"], "Volume disk")
        self.assertEqual(self.changes, ["disk", "stick", "disk"])

    def test_a_worse_one_does_not(self) -> None:
        self.plug(self.stick)
        self.plug(self.disk)
        self.assertEqual(self.changes, ["stick"])

    def test_of_several_of_one_rank_the_first_that_came(self) -> None:
        self.plug(self.stick)
        self.plug(volume("later", removable=True))
        self.assertEqual(self.changes, ["stick"])

    def test_a_better_one_waits_for_the_end_of_a_recording(self) -> None:
        self.plug(self.disk)
        for state in (True, "pause"):
            self.record(state)
            self.plug(self.stick)
            self.assertEqual(self.current(), "disk")
            self.record(False)
            self.assertEqual(self.current(), "stick")
            self.unplug(self.stick)
        self.assertEqual(self.changes, ["disk", "stick", "disk", "stick", "disk"])

    def test_a_better_one_waits_while_a_recording_is_about_to_start(self) -> None:
        self.plug(self.disk)
        self.volumes.hold()
        self.plug(self.stick)
        self.assertEqual(self.current(), "disk")
        self.volumes.release()
        self.assertEqual(self.current(), "stick")

    def test_a_loss_during_a_recording_is_told_and_the_next_takes_over_at_once(self) -> None:
        self.plug(self.disk)
        self.record(True)
        self.plug(self.stick)
        self.house.source.unplug(self.disk)
        self.assertEqual(self.changes, ["disk", "stick"])

    def test_a_recorded_volume_that_is_back_as_a_new_object_is_no_loss(self) -> None:
        self.plug(self.disk)
        self.record(True)
        again = volume("disk")
        self.plug(self.stick)
        self.plug(again)
        self.assertIs(self.volumes.current(), again)
        self.assertEqual(self.changes, ["disk"])


class Named(Preference):
    preferred = ("Volume b", "puppets-2", "c")

    def test_by_name_driver_and_identity(self) -> None:
        second = volume("x")
        second.driver = "puppets-2"
        for device in (volume("c"), second, volume("b")):
            self.plug(device)
        self.assertEqual(self.changes, ["c", "x", "b"])
        self.assertEqual([self.volumes.rank(d) for d in self.volumes.present()], [3, 2, 1])

    def test_one_that_is_not_named_never_records(self) -> None:
        self.plug(self.stick)
        self.assertIsNone(self.current())
        self.assertIs(self.house.model["storage-exists"], False)
        self.assertIsNone(self.volumes.rank(self.stick))
        self.assertEqual(self.volumes.present(), [self.stick])


class WithRecorder(Preference):
    def setUp(self) -> None:
        super().setUp()
        self.engine = Engine()
        self.recorder = Recorder(
            self.house.clock,
            self.house.model,
            PlayedHeads(1),
            self.volumes,
            self.engine,
            Video(),
        )
        self.plug(self.disk)

    def start(self) -> None:
        self.house.ask(record=True)
        self.house.turn()

    def test_a_stick_that_arrives_does_not_end_the_recording(self) -> None:
        self.start()
        self.plug(self.stick)
        self.assertIs(self.house.model["record"], True)
        self.house.ask(record=False)
        self.house.turn()
        self.assertEqual(self.current(), "stick")

    def test_nor_its_start(self) -> None:
        self.engine.slow = True
        self.start()
        self.plug(self.stick)
        self.engine.answer()
        self.house.turn()
        self.assertIs(self.house.model["record"], True)
        self.assertEqual(self.current(), "disk")

    def test_a_start_that_fails_lets_it_take_over(self) -> None:
        self.engine.slow = True
        self.start()
        self.plug(self.stick)
        self.engine.fail(DeviceError("no"))
        self.house.turn()
        self.assertEqual(self.current(), "stick")

    def test_a_loss_ends_it(self) -> None:
        self.start()
        self.plug(self.stick)
        self.unplug(self.disk)
        self.assertIs(self.house.model["record"], False)
        self.assertEqual(self.recorder.ending, "The volume that was written on is gone")
        self.assertEqual(self.current(), "stick")
