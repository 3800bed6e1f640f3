"""``camN-light``."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rotoclear.devices.heads import Heads
from rotoclear.devices.lamps import Lamps
from rotoclear.state.errors import DEVICE_ERROR, NOT_AVAILABLE
from tests.devices.puppets import House, camera, errors, lamp, message


class Lights(SynchronousTestCase):
    def setUp(self) -> None:
        self.house = House()
        self.heads = Heads(self.house.clock, self.house.model, self.house.source)
        self.lamps = Lamps(self.house.clock, self.house.model, self.heads, self.house.source)
        self.camera, self.lamp = camera("a"), lamp("l")

    def plug(self) -> None:
        for device in (self.camera, self.lamp):
            self.house.source.plug(device)
        self.house.turn()
        self.lamp.forget()

    def test_the_lamp_of_head_n(self) -> None:
        self.plug()
        second = lamp("m")
        self.house.source.plug(camera("b"))
        self.house.source.plug(second)
        (outcome,) = self.house.ask(cam2_light=True)
        self.assertEqual(outcome.applied, {"cam2-light": True})
        self.assertEqual(second.holds["switch"], (True,))
        self.assertEqual(self.lamp.holds["switch"], (False,))

    def test_confirmed_when_the_lamp_has_taken_it(self) -> None:
        self.plug()
        self.lamp.slow = True
        outcomes = self.house.ask(cam1_light=True)
        self.house.turn()
        self.assertEqual(outcomes, [])
        self.assertIs(self.house.model["cam1-light"], False)
        self.lamp.answer()
        self.assertEqual(outcomes[0].applied, {"cam1-light": True})

    def test_not_available_without_the_head(self) -> None:
        self.house.source.plug(self.lamp)
        (outcome,) = self.house.ask(cam1_light=True)
        self.assertEqual(errors(outcome), {"cam1-light": NOT_AVAILABLE})
        self.assertEqual(message(outcome), "Camera 1 is not plugged in")

    def test_not_available_without_its_lamp(self) -> None:
        self.house.source.plug(self.camera)
        (outcome,) = self.house.ask(cam1_light=True)
        self.assertEqual(errors(outcome), {"cam1-light": NOT_AVAILABLE})
        self.assertEqual(message(outcome), "Camera 1 has no lamp")

    def test_a_failure_keeps_the_old_value_and_takes_the_lamp_back_to_it(self) -> None:
        self.plug()
        self.lamp.slow = True
        outcomes = self.house.ask(cam1_light=True)
        self.lamp.fail("bulb")
        self.assertEqual(errors(outcomes[0]), {"cam1-light": DEVICE_ERROR})
        self.assertEqual(message(outcomes[0]), "bulb")
        self.house.turn()
        self.assertEqual(self.lamp.calls, [("switch", True), ("switch", False)])
        self.assertIs(self.house.model["cam1-light"], False)

    def test_a_returning_lamp_is_as_it_was_confirmed(self) -> None:
        self.plug()
        self.house.ask(cam1_light=True)
        self.house.source.unplug(self.lamp)
        again = lamp("l")
        self.house.source.plug(again)
        self.assertEqual(again.calls, [("switch", True)])

    def test_with_the_head_its_lamp_is_applied_again(self) -> None:
        self.plug()
        self.house.ask(cam1_light=True)
        self.lamp.forget()
        self.house.source.plug(camera("a"))
        self.assertEqual(self.lamp.calls, [("switch", True)])

    def test_a_saved_light_without_its_head_stays_off(self) -> None:
        self.house.model.restore({"cam1-light": True})
        self.house.source.plug(self.lamp)
        self.house.turn()
        self.assertEqual(self.lamp.calls, [])
        self.house.source.plug(self.camera)
        self.assertEqual(self.lamp.calls, [("switch", True)])

    def test_the_lamp_that_knows_its_head(self) -> None:
        self.house.source.plug(lamp("m", head=2))
        self.assertIsNone(self.lamps.device(1))
        self.assertIsNotNone(self.lamps.device(2))
        self.assertIsNotNone(self.lamps.description(2))

    def test_a_lost_lamp_is_missed_at_once(self) -> None:
        self.plug()
        self.house.source.unplug(self.lamp)
        (outcome,) = self.house.ask(cam1_light=True)
        self.assertEqual(errors(outcome), {"cam1-light": NOT_AVAILABLE})
