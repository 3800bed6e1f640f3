"""Image, automatic and sensor settings on their way into the heads."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rotoclear.devices.controls import Controls
from rotoclear.devices.heads import Heads
from rotoclear.devices.video import Video
from rotoclear.interfaces import IMAGE_CONTROLS
from rotoclear.state.errors import DEVICE_ERROR, INVALID_VALUE, NOT_AVAILABLE
from tests.devices.puppets import House, Puppet, camera, errors, message


class Case(SynchronousTestCase):
    def setUp(self) -> None:
        self.house = House()
        self.model = self.house.model
        self.heads = Heads(self.house.clock, self.model, self.house.source)
        self.controls = Controls(self.house.clock, self.model, self.heads)
        self.video = Video(self.house.clock, self.model, self.heads, self.controls)

    def plug(self, *devices: Puppet) -> None:
        for device in devices:
            self.house.source.plug(device)
        self.house.turn()
        for device in devices:
            device.forget()

    def ends_as_confirmed(self, device: Puppet, number: int = 1) -> None:
        """Hardware and state agree."""
        self.house.turn()
        for key in IMAGE_CONTROLS - {"gain", "red-gain", "blue-gain"}:
            self.assertEqual(device.holds[key], self.model[key], key)
        width, height = str(self.model["resolution"]).split("x")
        self.assertEqual(
            device.holds["select"],
            (self.model[f"cam{number}-sensor"], int(width), int(height), self.model["fps"]),
        )


class WithoutCamera(Case):
    def test_image_settings_are_checked_stored_and_confirmed(self) -> None:
        (outcome,) = self.house.ask(brightness=75, contrast=101, auto_exposure="off")
        self.assertEqual(outcome.applied, {"brightness": 75, "auto-exposure": False})
        self.assertEqual(errors(outcome), {"contrast": INVALID_VALUE})

    def test_picture_in_picture_and_quality_need_no_device(self) -> None:
        (outcome,) = self.house.request({"pip-mode": "top-left", "jpeg-quality": 70})
        self.assertEqual(outcome.applied, {"pip-mode": "top-left", "jpeg-quality": 70})

    def test_applied_when_it_is_there(self) -> None:
        self.house.request({"brightness": 75, "noise-supression": True})
        device = camera()
        self.plug(device)
        self.assertEqual(device.holds["brightness"], 75)
        self.assertIs(device.holds["noise-supression"], True)
        self.ends_as_confirmed(device)

    def test_sensors_need_theirs(self) -> None:
        self.plug(camera(head=1))
        (outcome,) = self.house.ask(cam1_sensor=2, cam2_sensor=2)
        self.assertEqual(outcome.applied, {"cam1-sensor": 2})
        self.assertEqual(errors(outcome), {"cam2-sensor": NOT_AVAILABLE})
        self.assertEqual(message(outcome), "Camera 2 is not plugged in")

    def test_during_a_reset_settings_are_stored_and_a_sensor_does_not_answer(self) -> None:
        device = camera()
        self.plug(device)
        self.house.source.unplug(device)
        (outcome,) = self.house.ask(cam1_sensor=2, brightness=60)
        self.assertEqual(outcome.applied, {"brightness": 60})
        self.assertEqual(errors(outcome), {"cam1-sensor": DEVICE_ERROR})
        again = camera()
        self.plug(again)
        self.assertEqual(again.holds["brightness"], 60)


class ActiveCamera(Case):
    def setUp(self) -> None:
        super().setUp()
        self.device, self.other = camera("a"), camera("b")
        self.plug(self.device, self.other)

    def test_confirmed_when_the_hardware_has_taken_it(self) -> None:
        self.device.slow = True
        outcomes = self.house.ask(brightness=75)
        self.house.turn()
        self.assertEqual(outcomes, [])
        self.assertEqual(self.model["brightness"], 50)
        self.device.answer()
        self.assertEqual(outcomes[0].applied, {"brightness": 75})
        self.assertEqual(self.device.calls, [("set", "brightness", 75)])

    def test_the_other_head_gets_it_without_making_anybody_wait(self) -> None:
        self.other.slow = True
        (outcome,) = self.house.ask(brightness=75)
        self.assertEqual(outcome.applied, {"brightness": 75})
        self.house.wait()
        self.other.answer_all()
        self.assertEqual(self.other.holds["brightness"], 75)

    def test_the_other_head_gets_a_dragged_slider_once(self) -> None:
        for value in range(60, 70):
            self.house.ask(brightness=value)
            self.house.turn()
        self.assertEqual(self.other.calls, [])
        self.house.wait()
        self.assertEqual(self.other.calls, [("set", "brightness", 69)])

    def test_what_the_hardware_does_not_have_is_confirmed_at_once(self) -> None:
        plain = camera("c", head=1, controls=frozenset({"contrast"}))
        self.house.source.unplug(self.device)
        self.plug(plain)
        plain.slow = True
        (outcome,) = self.house.ask(brightness=75)
        self.assertEqual(outcome.applied, {"brightness": 75})
        self.house.turn()
        self.assertEqual(plain.calls, [])

    def test_a_failure_keeps_the_old_value_and_takes_the_hardware_back_to_it(self) -> None:
        self.device.slow = True
        outcomes = self.house.ask(brightness=75)
        self.device.fail("sensor is hot")
        self.assertEqual(errors(outcomes[0]), {"brightness": DEVICE_ERROR})
        self.assertEqual(message(outcomes[0]), "sensor is hot")
        self.assertEqual(self.model["brightness"], 50)
        self.house.turn()
        self.device.answer_all()
        self.assertEqual(self.device.calls, [("set", "brightness", 75), ("set", "brightness", 50)])

    def test_one_setting_that_fails_does_not_stop_the_others(self) -> None:
        self.device.faults["brightness"] = "no"
        (outcome,) = self.house.ask(brightness=75, contrast=60)
        self.assertEqual(outcome.applied, {"contrast": 60})
        self.assertEqual(errors(outcome), {"brightness": DEVICE_ERROR})

    def test_what_the_device_does_after_the_time_limit_is_undone(self) -> None:
        self.device.slow = True
        outcomes = self.house.ask(brightness=75)
        self.house.clock.advance(2)
        self.assertEqual(errors(outcomes[0]), {"brightness": DEVICE_ERROR})
        self.house.turn()
        self.device.answer_all()
        self.ends_as_confirmed(self.device)
        self.assertEqual(self.device.holds["brightness"], 50)

    def test_a_device_error_names_no_other_camera(self) -> None:
        self.other.faults["brightness"] = "no"
        (outcome,) = self.house.ask(brightness=75)
        self.assertEqual(outcome.applied, {"brightness": 75})

    def test_what_failed_in_the_background_is_applied_when_that_head_becomes_active(self) -> None:
        self.other.faults["brightness"] = "no"
        self.house.ask(brightness=75)
        self.house.wait()
        self.assertEqual(self.other.calls, [("set", "brightness", 75)])
        del self.other.faults["brightness"]
        self.house.ask(contrast=60)
        self.house.wait()
        self.assertEqual(self.other.holds["brightness"], 50)
        self.house.ask(main_camera=2)
        self.house.wait()
        self.ends_as_confirmed(self.other, 2)

    def test_a_value_that_it_should_have_and_has_not_is_tried_again(self) -> None:
        device = camera("a")
        device.faults["brightness"] = "no"
        self.plug(device)
        (outcome,) = self.house.ask(brightness=50)
        self.assertEqual(errors(outcome), {"brightness": DEVICE_ERROR})

    def test_a_value_it_has_already_troubles_no_hardware(self) -> None:
        (outcome,) = self.house.ask(brightness=50)
        self.assertEqual(outcome.applied, {"brightness": 50})
        self.assertEqual(self.device.calls, [])


class AutomaticFunctions(Case):
    def setUp(self) -> None:
        super().setUp()
        self.device = camera(exposure_modes=("sports",), white_balance_modes=("lamp",))
        self.plug(self.device)

    def test_gain_waits_for_the_end_of_auto_exposure(self) -> None:
        (outcome,) = self.house.ask(gain=70)
        self.assertEqual(outcome.applied, {"gain": 70})
        self.assertEqual(self.device.calls, [])
        self.house.ask(auto_exposure=False)
        self.assertEqual(self.device.calls, [("set", "auto-exposure", False), ("set", "gain", 70)])

    def test_the_end_of_auto_exposure_waits_for_the_gain(self) -> None:
        self.device.slow = True
        outcomes = self.house.ask(auto_exposure=False)
        self.device.answer()
        self.assertEqual(outcomes, [])
        self.device.answer()
        self.assertEqual(outcomes[0].applied, {"auto-exposure": False})

    def test_a_gain_that_fails_then_keeps_auto_exposure(self) -> None:
        self.device.faults["gain"] = "no"
        (outcome,) = self.house.ask(auto_exposure=False)
        self.assertEqual(errors(outcome), {"auto-exposure": DEVICE_ERROR})
        self.house.turn()
        self.assertIs(self.model["auto-exposure"], True)
        self.assertIs(self.device.holds["auto-exposure"], True)

    def test_a_mode_is_automatic_too(self) -> None:
        self.house.ask(auto_exposure="sports", gain=70)
        self.assertEqual(self.device.calls, [("set", "auto-exposure", "sports")])

    def test_colour_gains_wait_for_the_end_of_auto_white_balance(self) -> None:
        self.house.ask(red_gain=10, blue_gain=20, auto_exposure=False)
        self.device.forget()
        self.house.ask(auto_white_balance=False)
        self.assertEqual(
            self.device.calls,
            [
                ("set", "auto-white-balance", False),
                ("set", "red-gain", 10),
                ("set", "blue-gain", 20),
            ],
        )

    def test_gain_is_applied_anew_each_time_that_auto_exposure_ends(self) -> None:
        self.house.ask(auto_exposure=False)
        self.house.ask(auto_exposure=True)
        self.device.forget()
        self.house.ask(auto_exposure=False)
        self.assertEqual(self.device.calls, [("set", "auto-exposure", False), ("set", "gain", 50)])

    def test_both_in_one_message_end_together(self) -> None:
        for message_ in (
            {"gain": 70, "auto-exposure": False},
            {"auto-exposure": True, "gain": 30},
            {"auto-exposure": False, "gain": 71},
        ):
            (outcome,) = self.house.request(message_)
            self.assertEqual(outcome.refused, [])
            self.house.turn()
            if self.model["auto-exposure"] is False:
                self.assertEqual(self.device.holds["gain"], self.model["gain"])

    def test_modes_are_those_that_the_camera_offers(self) -> None:
        (outcome,) = self.house.ask(auto_exposure="lamp", auto_white_balance="lamp")
        self.assertEqual(outcome.applied, {"auto-white-balance": "lamp"})
        self.assertEqual(
            message(outcome), "Value must be true, false or one of on, auto, off, manual, sports"
        )

    def test_a_mode_that_the_new_active_camera_does_not_offer_is_plain_automatic(self) -> None:
        other = camera("b")
        self.plug(other)
        self.house.ask(auto_exposure="sports")
        self.house.turn()
        self.assertIs(other.holds["auto-exposure"], True)
        self.house.ask(main_camera=2)
        self.house.turn()
        self.assertIs(self.model["auto-exposure"], True)
        self.assertEqual(self.house.told("auto-exposure"), ["sports", True])

    def test_a_mode_that_waited_is_judged_by_the_camera_that_is_active_then(self) -> None:
        self.plug(camera("b"))
        self.device.slow = True
        self.house.ask(auto_exposure=False)
        waiting = self.house.ask(auto_exposure="sports")
        self.house.ask(main_camera=2)
        self.house.turn()
        self.device.answer_all()
        self.assertEqual(errors(waiting[0]), {"auto-exposure": INVALID_VALUE})


class Sensors(Case):
    def test_one_of_those_that_the_head_reports(self) -> None:
        self.plug(camera(sensors=3))
        (outcome,) = self.house.ask(cam1_sensor=4)
        self.assertEqual(errors(outcome), {"cam1-sensor": INVALID_VALUE})
        self.assertEqual(message(outcome), "Value must be between 1 and 3")

    def test_selected_with_the_current_mode(self) -> None:
        device = camera()
        self.plug(device)
        (outcome,) = self.house.ask(cam1_sensor=2)
        self.assertEqual(outcome.applied, {"cam1-sensor": 2})
        self.assertEqual(device.calls, [("select", 2, 1920, 1080, 30)])

    def test_the_same_sensor_again_does_not_disturb_the_picture(self) -> None:
        device = camera()
        self.plug(device)
        (outcome,) = self.house.ask(cam1_sensor=1)
        self.assertEqual(outcome.applied, {"cam1-sensor": 1})
        self.assertEqual(device.calls, [])

    def test_a_failure_is_a_device_error(self) -> None:
        device = camera()
        self.plug(device)
        device.faults["select"] = "no such input"
        (outcome,) = self.house.ask(cam1_sensor=2)
        self.assertEqual(errors(outcome), {"cam1-sensor": DEVICE_ERROR})
        self.assertEqual(self.model["cam1-sensor"], 1)
        del device.faults["select"]
        self.house.turn()
        self.ends_as_confirmed(device)

    def test_one_that_it_should_have_and_has_not_is_tried_again(self) -> None:
        device = camera()
        device.faults["select"] = "no such input"
        self.plug(device)
        (outcome,) = self.house.ask(cam1_sensor=1)
        self.assertEqual(errors(outcome), {"cam1-sensor": DEVICE_ERROR})

    def test_a_head_with_fewer_sensors_has_its_last_one_selected(self) -> None:
        self.model.restore({"cam1-sensor": 5})
        device = camera(sensors=2)
        self.house.source.plug(device)
        self.house.turn()
        self.assertNotIn(("select", 5, 1920, 1080, 30), device.calls)
        self.assertEqual(self.model["cam1-sensor"], 2)
        self.assertEqual(device.holds["select"], (2, 1920, 1080, 30))
        self.assertEqual(self.house.told("cam1-sensor"), [2])

    def test_sensor_and_resolution_in_one_message_end_together(self) -> None:
        device = camera()
        self.plug(device)
        device.slow = True
        outcomes = self.house.ask(cam1_sensor=2, resolution="1280x720", fps=60)
        device.answer_all()
        self.house.turn()
        device.answer_all()
        self.assertEqual(outcomes[0].refused, [])
        self.assertEqual(device.holds["select"], (2, 1280, 720, 60))

    def test_sensor_and_resolution_that_cross_end_together_when_one_fails(self) -> None:
        device = camera()
        self.plug(device)
        device.slow = True
        outcomes = self.house.ask(resolution="1280x720", cam1_sensor=2)
        device.fail()
        device.answer_all()
        self.house.turn()
        device.answer_all()
        self.assertEqual(errors(outcomes[0]), {"resolution": DEVICE_ERROR})
        self.ends_as_confirmed(device)


class Returns(Case):
    def test_everything_confirmed_is_applied_again_auto_modes_first(self) -> None:
        self.plug(camera())
        self.house.ask(brightness=10, auto_exposure=False, gain=20, cam1_sensor=2, fps=60)
        again = camera()
        self.house.source.plug(again)
        self.house.turn()
        self.assertEqual(
            [call[:2] for call in again.calls[:3]],
            [("select", 2), ("set", "auto-exposure"), ("set", "auto-white-balance")],
        )
        self.assertEqual(again.holds["gain"], 20)
        self.ends_as_confirmed(again)

    def test_the_second_head_too(self) -> None:
        self.plug(camera("a"), camera("b"))
        self.house.ask(brightness=10, cam2_sensor=2)
        again = camera("b")
        self.plug(again)
        self.ends_as_confirmed(again, 2)

    def test_a_setting_that_fails_does_not_block_the_others(self) -> None:
        device = camera()
        device.faults["auto-exposure"] = "no"
        device.faults["select"] = "no"
        self.house.source.plug(device)
        self.assertEqual(device.holds["brightness"], 50)

    def test_a_head_that_hangs_does_not_block_the_other(self) -> None:
        first, second = camera("a"), camera("b")
        first.slow = True
        self.plug(first, second)
        self.assertEqual(second.holds["brightness"], 50)

    def test_failed_calls_of_the_lost_one_do_not_count_for_the_new_one(self) -> None:
        first = camera()
        first.slow = True
        self.house.source.plug(first)
        again = camera()
        self.house.source.plug(again)
        first.fail("gone")
        self.house.turn()
        self.ends_as_confirmed(again)

    def test_a_change_while_it_is_applied_again_wins(self) -> None:
        device = camera()
        device.slow = True
        self.house.source.plug(device)
        self.house.turn()
        outcomes = self.house.ask(brightness=75)
        for _ in range(20):
            device.answer_all()
            self.house.turn()
        self.assertEqual(outcomes[0].applied, {"brightness": 75})
        self.ends_as_confirmed(device)
