"""The ``storage-...`` keys."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rotoclear.devices.volumes import POLL, Volumes
from rotoclear.interfaces import VolumeUsage
from tests.devices.puppets import House, camera, volume


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
