"""Numbers: what the configuration says, what is remembered, and in which order."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rotoclear.devices.assignments import Assignments, Owner
from rotoclear.devices.heads import RESET, Heads
from rotoclear.devices.lamps import Lamps
from rotoclear.devices.slots import PATIENCE, natural
from tests.devices.puppets import House, Puppet, camera, lamp


class Case(SynchronousTestCase):
    def setUp(self) -> None:
        self.house = House()
        self.numbers = Assignments(lambda: 1e9)
        self.begin()

    def begin(self, *wanted: str) -> None:
        """The server starts; what was plugged in is plugged in again by the test."""
        self.house = House()
        self.heads = Heads(
            self.house.clock, self.house.model, self.house.source, self.numbers, wanted
        )
        self.slots = self.heads.slots

    def plug(self, *devices: Puppet) -> None:
        for device in devices:
            self.house.source.plug(device)

    def unplug(self, device: Puppet) -> None:
        """Take it away, and wait until that is believed."""
        self.house.source.unplug(device)
        self.house.clock.advance(RESET)

    def heard(self, *expected: str | None) -> None:
        """These are the heads 1 and 2 now."""
        devices = [self.heads.device(number) for number in (1, 2)]
        self.assertEqual([device and device.identity for device in devices], list(expected))

    def waits(self) -> dict[str, str]:
        return {device.identity: why for device, why in self.slots.waiting()}


class Configured(Case):
    def test_by_serial_number_port_or_identity(self) -> None:
        for wanted in ("S1", "usb-1", "a"):
            self.begin("", wanted)
            self.plug(camera("a", serial="S1", port="usb-1"))
            self.heard(None, "a")

    def test_it_comes_before_what_the_device_says(self) -> None:
        self.begin("", "a")
        self.plug(camera("a", head=1))
        self.heard(None, "a")

    def test_it_comes_before_what_was_remembered(self) -> None:
        self.plug(camera("a"))
        self.begin("", "a")
        self.plug(camera("a"))
        self.heard(None, "a")
        self.assertIsNone(self.numbers.owner("camera", 1))

    def test_no_other_device_takes_the_number(self) -> None:
        self.begin("a")
        self.plug(camera("b"), camera("c"))
        self.heard(None, "b")
        self.assertEqual(
            self.waits(), {"c": "1 is kept for a, as the configuration says, 2 is puppets b"}
        )
        self.assertEqual(self.slots.kept_for(1), "a")
        self.plug(camera("a"))
        self.heard("a", "b")
        self.assertEqual(self.slots.kept_for(1), "")

    def test_a_claim_to_a_number_kept_for_another_counts_for_nothing(self) -> None:
        self.begin("a")
        self.plug(camera("b", head=1))
        self.heard(None, "b")

    def test_of_two_with_one_serial_number_the_second_is_numbered_like_any_other(self) -> None:
        self.begin("0001")
        self.plug(camera("a", serial="0001"), camera("b", serial="0001"))
        self.heard("a", "b")

    def test_one_that_is_named_need_not_wait_out_the_loss_of_another(self) -> None:
        self.begin("usb-1")
        first = camera("a", port="usb-1")
        self.plug(first)
        self.house.source.unplug(first)
        self.plug(camera("b", port="usb-1"))
        self.heard("b", None)

    def test_lamps_likewise(self) -> None:
        lamps = Lamps(
            self.house.clock,
            self.house.model,
            self.heads,
            self.house.source,
            self.numbers,
            ("", "ring"),
        )
        self.plug(lamp("l"), lamp("ring"))
        devices = [lamps.device(number) for number in (1, 2)]
        self.assertEqual([device and device.identity for device in devices], ["l", "ring"])
        self.assertEqual(self.numbers.owner("light", 2), Owner("puppets", "ring"))


class Remembered(Case):
    def test_the_number_is_kept_whatever_the_order_of_arrival(self) -> None:
        self.plug(camera("a"), camera("b"))
        self.begin()
        self.plug(camera("b"), camera("a"))
        self.heard("a", "b")

    def test_it_is_kept_in_another_port(self) -> None:
        self.plug(camera("a", port="1"), camera("b", port="2"))
        self.begin()
        self.plug(camera("a", port="2"), camera("b", port="1"))
        self.heard("a", "b")

    def test_the_replacement_in_the_same_port_takes_the_number(self) -> None:
        first = camera("a", port="1")
        self.plug(first)
        self.unplug(first)
        self.plug(camera("c", port="1"))
        self.heard("c", None)

    def test_another_head_takes_a_number_that_nobody_had_first(self) -> None:
        first = camera("a", port="1")
        self.plug(first)
        self.unplug(first)
        self.plug(camera("c", port="3"))
        self.heard(None, "c")

    def test_without_such_a_number_it_takes_that_of_the_missing_one_at_once(self) -> None:
        first = camera("a", port="1")
        self.plug(first, camera("b", port="2"))
        self.unplug(first)
        self.plug(camera("c", port="3"))
        self.heard("c", "b")
        self.plug(camera("a", port="1"))
        self.heard("c", "b")
        self.assertEqual(self.waits(), {"a": "1 is puppets c, 2 is puppets b"})

    def test_a_spare_does_not_become_camera_1_because_that_was_away_for_a_moment(self) -> None:
        first = camera("a")
        self.plug(first, camera("b"), camera("c"))
        self.unplug(first)
        self.house.clock.advance(PATIENCE - 0.1)
        self.heard(None, "b")
        self.plug(camera("a"))
        self.house.clock.advance(PATIENCE)
        self.heard("a", "b")

    def test_nor_because_the_process_of_all_three_was_started_again(self) -> None:
        three = [camera(identity) for identity in "abc"]
        self.plug(*three)
        for device in three[:2]:
            self.house.source.unplug(device)
        self.house.clock.advance(RESET)
        self.plug(camera("c"))  # as a new object, before the others
        self.plug(camera("b"), camera("a"))
        self.heard("a", "b")

    def test_it_does_when_that_is_gone_for_good(self) -> None:
        first = camera("a")
        self.plug(first, camera("b"), camera("c"))
        self.unplug(first)
        self.house.clock.advance(PATIENCE)
        self.heard("c", "b")

    def test_stop_leaves_no_timer_for_those_who_wait(self) -> None:
        first = camera("a")
        self.plug(first, camera("b"), camera("c"))
        self.unplug(first)
        self.house.turn()
        self.heads.stop()
        self.assertEqual(self.house.clock.getDelayedCalls(), [])


class Gathered(Case):
    def setUp(self) -> None:
        super().setUp()
        self.slots.gather()

    def test_nobody_has_a_number_before_all_are_known(self) -> None:
        self.plug(camera("a", head=1))
        self.heard(None, None)
        self.slots.number()
        self.heard("a", None)

    def test_new_ones_are_numbered_in_the_order_of_their_ports(self) -> None:
        self.plug(camera("a", port="usb-1.10"), camera("b", port="usb-1.2"))
        self.slots.number()
        self.heard("b", "a")

    def test_later_ones_at_once(self) -> None:
        self.slots.number()
        self.plug(camera("a", port="2"))
        self.heard("a", None)

    def test_a_new_one_takes_nothing_from_one_that_had_a_number(self) -> None:
        self.numbers.assign("camera", 1, Owner("puppets", "old", port="9"))
        self.plug(camera("new", port="1"), camera("old", port="9"))
        self.slots.number()
        self.heard("old", "new")

    def test_nor_from_one_that_says_its_number(self) -> None:
        self.plug(camera("new", port="1"), camera("knows", port="2", head=1))
        self.slots.number()
        self.heard("knows", "new")

    def test_one_that_has_left_meanwhile_gets_none(self) -> None:
        first = camera("a")
        self.plug(first)
        self.house.source.unplug(first)
        self.slots.number()
        self.heard(None, None)


class Natural(SynchronousTestCase):
    def test_numbers_count_as_numbers(self) -> None:
        ports = ["1.10", "1.2", "1", "a", "1.2.1", ""]
        self.assertEqual(sorted(ports, key=natural), ["", "a", "1", "1.2", "1.2.1", "1.10"])
