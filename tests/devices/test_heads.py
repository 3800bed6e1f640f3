"""Which camera is which, and ``camN-exists``."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rotoclear.devices.heads import RESET, Heads
from rotoclear.devices.slots import PATIENCE
from tests.devices.puppets import House, camera, lamp


class Numbers(SynchronousTestCase):
    def setUp(self) -> None:
        self.house = House()
        self.heads = Heads(self.house.clock, self.house.model, self.house.source)

    def numbers(self) -> list[str | None]:
        devices = [self.heads.device(number) for number in (1, 2)]
        return [device.identity if device else None for device in devices]

    def test_a_head_that_knows_its_number_gets_it(self) -> None:
        self.house.source.plug(camera("a", head=2))
        self.assertEqual(self.numbers(), [None, "a"])

    def test_others_get_the_first_free_number(self) -> None:
        self.house.source.plug(camera("a"))
        self.house.source.plug(camera("b"))
        self.assertEqual(self.numbers(), ["a", "b"])

    def test_a_number_is_kept_for_the_head_that_had_it(self) -> None:
        first, second = camera("a"), camera("b")
        for device in (first, second):
            self.house.source.plug(device)
        for device in (first, second):
            self.house.source.unplug(device)
        self.house.clock.advance(1)
        self.house.source.plug(camera("b"))
        self.assertEqual(self.numbers(), [None, "b"])
        self.house.source.plug(camera("a"))
        self.assertEqual(self.numbers(), ["a", "b"])

    def test_the_same_identity_of_another_driver_is_another_head(self) -> None:
        first, second = camera("a"), camera("a")
        second.driver = "others"
        self.house.source.plug(first)
        self.house.source.plug(second)
        self.assertIs(self.heads.device(1), first)
        self.assertIs(self.heads.device(2), second)

    def test_a_number_nobody_had_goes_before_one_that_somebody_had(self) -> None:
        first = camera("a")
        self.house.source.plug(first)
        self.house.source.unplug(first)
        self.house.clock.advance(1)
        self.house.source.plug(camera("b"))
        self.assertEqual(self.numbers(), [None, "b"])

    def test_a_replaced_head_frees_its_number_for_a_new_one(self) -> None:
        first = camera("a")
        for device in (first, camera("b")):
            self.house.source.plug(device)
        self.house.source.unplug(first)
        self.house.clock.advance(1)
        self.house.source.plug(camera("c"))
        self.assertEqual(self.numbers(), ["c", "b"])

    def test_a_third_head_waits_until_a_number_is_free(self) -> None:
        first = camera("a")
        for device in (first, camera("b"), camera("c")):
            self.house.source.plug(device)
        self.assertEqual(self.numbers(), ["a", "b"])
        self.house.source.unplug(first)
        self.house.clock.advance(RESET)
        self.house.clock.advance(PATIENCE - 0.01)
        self.assertEqual(self.numbers(), [None, "b"])
        self.house.clock.advance(0.02)
        self.assertEqual(self.numbers(), ["c", "b"])

    def test_one_that_waited_and_left_is_forgotten(self) -> None:
        first, third = camera("a"), camera("c")
        for device in (first, camera("b"), third):
            self.house.source.plug(device)
        self.house.source.unplug(third)
        self.house.source.unplug(first)
        self.house.clock.advance(1)
        self.assertEqual(self.numbers(), [None, "b"])

    def test_the_second_of_two_that_claim_one_number_waits(self) -> None:
        first = camera("a", head=1)
        self.house.source.plug(first)
        self.house.source.plug(camera("b", head=1))
        self.assertEqual(self.numbers(), ["a", None])
        self.house.source.unplug(first)
        self.house.clock.advance(0.31)
        self.assertEqual(self.numbers(), ["b", None])

    def test_one_that_waits_and_comes_back_waits_once(self) -> None:
        first, again = camera("a"), camera("c")
        for device in (first, camera("b"), camera("c"), again):
            self.house.source.plug(device)
        self.house.source.unplug(again)
        self.house.source.unplug(first)
        self.house.clock.advance(1)
        self.assertIsNone(self.heads.device(1))

    def test_one_that_moves_gets_its_new_number_at_once(self) -> None:
        before, after = camera("a", head=1), camera("a", head=2)
        self.house.source.plug(before)
        self.house.source.unplug(before)
        self.house.source.plug(after)
        self.assertIs(self.heads.device(2), after)
        self.house.clock.advance(1)
        self.assertFalse(self.heads.present(1))
        self.assertTrue(self.heads.present(2))

    def test_other_devices_are_ignored(self) -> None:
        self.house.source.plug(lamp())
        self.assertEqual(self.numbers(), [None, None])


class Existence(SynchronousTestCase):
    def setUp(self) -> None:
        self.house = House()
        self.heads = Heads(self.house.clock, self.house.model, self.house.source)
        self.seen: list[tuple[int, bool, bool]] = []
        self.heads.observe(
            lambda number: self.seen.append(
                (number, self.heads.device(number) is not None, self.heads.present(number))
            )
        )
        self.device = camera("a")
        self.house.source.plug(self.device)
        self.house.turn()

    def test_cam_n_exists_follows_the_plug(self) -> None:
        self.assertIs(self.house.model["cam1-exists"], True)
        self.assertIs(self.house.model["cam2-exists"], False)
        self.house.source.unplug(self.device)
        self.house.clock.advance(0.31)
        self.house.turn()
        self.assertEqual(self.house.told("cam1-exists"), [True, False])

    def test_a_reset_of_300_ms_is_waited_out(self) -> None:
        self.house.source.unplug(self.device)
        self.house.clock.advance(0.29)
        self.assertTrue(self.heads.present(1))
        self.assertIsNone(self.heads.device(1))
        again = camera("a")
        self.house.source.plug(again)
        self.house.clock.advance(5)
        self.assertEqual(self.house.told("cam1-exists"), [True])
        self.assertIs(self.heads.device(1), again)

    def test_who_looks_on_sees_every_step(self) -> None:
        self.house.source.unplug(self.device)
        self.house.clock.advance(0.31)
        self.assertEqual(self.seen, [(1, True, True), (1, False, True), (1, False, False)])

    def test_a_loss_that_was_none_is_not_noticed_later(self) -> None:
        self.house.source.unplug(self.device)
        self.house.source.plug(camera("a"))
        self.house.clock.advance(1)
        self.assertEqual(self.seen, [(1, True, True), (1, False, True), (1, True, True)])

    def test_a_late_farewell_of_an_earlier_opening_is_ignored(self) -> None:
        self.house.source.plug(camera("a"))
        self.house.source.unplug(self.device)
        self.house.clock.advance(1)
        self.assertTrue(self.heads.present(1))

    def test_another_head_that_knows_its_place_takes_it_at_once(self) -> None:
        self.house.source.unplug(self.device)
        self.house.source.plug(camera("b", head=1))
        self.house.clock.advance(1)
        self.assertTrue(self.heads.present(1))
        self.assertEqual(self.house.told("cam1-exists"), [True])

    def test_the_last_known_description_is_kept(self) -> None:
        self.house.source.unplug(self.device)
        self.house.clock.advance(1)
        self.assertEqual(self.heads.description(1), self.device.description)
        self.assertIsNone(self.heads.description(2))

    def test_stop_leaves_no_timer(self) -> None:
        self.house.source.unplug(self.device)
        self.house.turn()
        self.heads.stop()
        self.assertEqual(self.house.clock.getDelayedCalls(), [])
