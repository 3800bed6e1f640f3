"""``main-camera``, ``resolution`` and ``fps`` together."""

from __future__ import annotations

import json

from twisted.internet.defer import Deferred

from rotoclear.devices.modes import modes_of, nearest_rate, nearest_size
from rotoclear.interfaces import VideoMode
from rotoclear.state.errors import DEVICE_ERROR, INVALID_VALUE, NOT_AVAILABLE
from tests.devices.puppets import MODES, camera, errors, message
from tests.devices.test_controls import Case

SMALL = (VideoMode(800, 600, (20, 25)), VideoMode(640, 480, (10, 15, 30)))


class Unknown(Case):
    def test_any_size_and_rate_is_taken_while_no_camera_was_seen(self) -> None:
        (outcome,) = self.house.ask(resolution="333x222", fps=7)
        self.assertEqual(outcome.applied, {"resolution": "333x222", "fps": 7})

    def test_what_is_none_is_refused(self) -> None:
        (outcome,) = self.house.ask(resolution="big", fps=61)
        self.assertEqual(errors(outcome), {"resolution": INVALID_VALUE, "fps": INVALID_VALUE})
        self.assertIn("between 5 and 60", message(self.house.ask(fps=61)[0]))

    def test_nothing_is_narrower_than_the_table_says(self) -> None:
        for name in ("resolution", "fps"):
            self.assertEqual(self.model.type_of(name), self.model.keys[name].type)

    def test_a_head_that_arrives_makes_them_fall_to_what_it_can_do(self) -> None:
        self.house.ask(resolution="1900x1000", fps=59)
        self.house.turn()
        self.plug(camera())
        self.assertEqual(self.house.told("resolution"), ["1900x1000", "1280x720"])
        self.assertEqual(self.house.told("fps"), [59, 30])

    def test_a_head_that_arrives_but_is_not_active_does_not(self) -> None:
        self.house.ask(resolution="1900x1000", fps=59)
        device = camera(head=2)
        self.plug(device)
        self.assertEqual(self.model["resolution"], "1900x1000")
        self.assertEqual(device.holds["select"], (1, 1280, 720, 30))


class ResolutionAndFps(Case):
    def setUp(self) -> None:
        super().setUp()
        self.device = camera()
        self.plug(self.device)

    def test_one_of_the_active_cameras(self) -> None:
        (outcome,) = self.house.ask(resolution="800x600")
        self.assertEqual(errors(outcome), {"resolution": INVALID_VALUE})
        self.assertEqual(
            message(outcome), "Value must be one of 1920x1080, 1280x720, 640x480 with camera 1"
        )

    def test_the_choices_right_now_are_the_active_cameras(self) -> None:
        self.plug(camera("b", modes=SMALL))
        self.assertIn("1280x720", json.dumps(self.model.type_of("resolution").schema()))
        self.house.ask(main_camera=2)
        self.house.turn()
        choices = self.model.type_of("resolution").schema()["enum"]
        self.assertEqual(choices, ["800x600", "640x480"])

    def test_the_rates_right_now_are_those_at_this_resolution(self) -> None:
        described = self.model.type_of("fps")
        self.assertEqual(described.schema(), {"type": "integer", "enum": [5, 15, 30, 60]})
        self.house.ask(resolution="1280x720")
        self.house.turn()
        self.assertEqual(self.model.type_of("fps").schema()["enum"], [15, 30, 60])
        self.house.source.unplug(self.device)
        self.plug(camera("b", modes=SMALL))
        self.house.ask(main_camera=2)
        self.house.turn()
        self.assertEqual(self.model.type_of("fps").schema()["enum"], [20, 25])

    def test_taken_to_the_hardware_in_one_step(self) -> None:
        (outcome,) = self.house.ask(fps=60, resolution="1280x720")
        self.assertEqual(outcome.applied, {"fps": 60, "resolution": "1280x720"})
        self.assertEqual(self.device.calls, [("select", 1, 1280, 720, 60)])

    def test_fps_is_what_the_camera_can_do_at_this_resolution(self) -> None:
        (outcome,) = self.house.ask(fps=59)
        self.assertEqual(errors(outcome), {"fps": INVALID_VALUE})
        self.assertEqual(message(outcome), "Value must be one of 5, 15, 30, 60 at 1920x1080")

    def test_judged_by_the_combined_result_whatever_the_order(self) -> None:
        for names in (("fps", "resolution"), ("resolution", "fps")):
            wanted: dict[str, object] = {"fps": 5, "resolution": "1280x720"}
            (outcome,) = self.house.request({name: wanted[name] for name in names})
            self.assertEqual(errors(outcome), {"fps": INVALID_VALUE})
            self.assertEqual(message(outcome), "Value must be one of 15, 30, 60 at 1280x720")
            self.assertEqual(outcome.applied, {"resolution": "1280x720"})
            self.house.ask(resolution="1920x1080")

    def test_the_other_way_round_it_fits(self) -> None:
        self.house.ask(resolution="640x480")
        for names in (("fps", "resolution"), ("resolution", "fps")):
            wanted: dict[str, object] = {"fps": 5, "resolution": "1920x1080"}
            (outcome,) = self.house.request({name: wanted[name] for name in names})
            self.assertEqual(outcome.applied, wanted)
            self.house.ask(resolution="640x480")

    def test_a_refused_resolution_does_not_stop_fps(self) -> None:
        (outcome,) = self.house.ask(resolution="800x600", fps=60)
        self.assertEqual(outcome.applied, {"fps": 60})

    def test_when_resolution_changes_alone_fps_falls_and_is_broadcast(self) -> None:
        self.house.ask(fps=60)
        self.house.turn()
        (outcome,) = self.house.ask(resolution="640x480")
        self.house.turn()
        self.assertEqual(outcome.applied, {"resolution": "640x480"})
        self.assertEqual(self.house.broadcasts[-1], {"resolution": "640x480", "fps": 30})

    def test_if_none_is_lower_it_becomes_the_lowest(self) -> None:
        self.house.ask(fps=5)
        self.house.ask(resolution="640x480")
        self.assertEqual(self.model["fps"], 30)

    def test_a_failure_keeps_all_of_it(self) -> None:
        self.device.faults["select"] = "no bandwidth"
        (outcome,) = self.house.ask(resolution="640x480", fps=30)
        self.assertEqual(errors(outcome), {"resolution": DEVICE_ERROR, "fps": DEVICE_ERROR})
        self.assertEqual(self.model["resolution"], "1920x1080")
        del self.device.faults["select"]
        self.house.turn()
        self.ends_as_confirmed(self.device)

    def test_the_present_values_are_confirmed_and_disturb_nothing(self) -> None:
        (outcome,) = self.house.ask(resolution="1920x1080", fps=30, main_camera=1)
        self.assertEqual(len(outcome.applied), 3)
        self.assertEqual(self.device.calls, [])


class MainCamera(Case):
    def setUp(self) -> None:
        super().setUp()
        self.first, self.second = camera("a"), camera("b", modes=SMALL)
        self.plug(self.first, self.second)

    def test_one_that_is_not_there_is_not_available(self) -> None:
        self.house.source.unplug(self.second)
        self.house.clock.advance(1)
        (outcome,) = self.house.ask(main_camera=2)
        self.assertEqual(errors(outcome), {"main-camera": NOT_AVAILABLE})
        self.assertEqual(message(outcome), "Camera 2 is not plugged in")

    def test_one_that_is_being_reset_does_not_answer(self) -> None:
        self.house.source.unplug(self.second)
        (outcome,) = self.house.ask(main_camera=2)
        self.assertEqual(errors(outcome), {"main-camera": DEVICE_ERROR})

    def test_it_never_switches_by_itself(self) -> None:
        self.house.source.unplug(self.first)
        self.house.clock.advance(5)
        self.assertEqual(self.model["main-camera"], 1)
        self.assertEqual(self.house.told("main-camera"), [])

    def test_changed_alone_resolution_and_fps_fall_and_are_broadcast(self) -> None:
        (outcome,) = self.house.ask(main_camera=2)
        self.house.turn()
        self.assertEqual(outcome.applied, {"main-camera": 2})
        self.assertEqual(
            self.house.broadcasts[-1], {"main-camera": 2, "resolution": "800x600", "fps": 25}
        )
        self.assertEqual(self.second.holds["select"], (1, 800, 600, 25))

    def test_the_new_cameras_modes_count_for_the_whole_message(self) -> None:
        (outcome,) = self.house.ask(fps=10, resolution="640x480", main_camera=2)
        self.assertEqual(len(outcome.applied), 3)
        self.house.ask(main_camera=1)
        (outcome,) = self.house.ask(resolution="1280x720", main_camera=2)
        self.assertEqual(outcome.applied, {"main-camera": 2})
        self.assertEqual(errors(outcome), {"resolution": INVALID_VALUE})
        self.assertEqual(message(outcome), "Value must be one of 800x600, 640x480 with camera 2")

    def test_refused_the_rest_is_judged_by_the_present_one(self) -> None:
        self.house.source.unplug(self.second)
        self.house.clock.advance(1)
        (outcome,) = self.house.ask(main_camera=2, resolution="1280x720")
        self.assertEqual(outcome.applied, {"resolution": "1280x720"})

    def test_it_waits_until_the_new_one_has_size_and_rate(self) -> None:
        self.second.slow = True
        outcomes = self.house.ask(main_camera=2, resolution="640x480")
        self.assertEqual(outcomes, [])
        self.second.answer()
        self.assertEqual(self.model["main-camera"], 2)

    def test_a_new_one_that_failed_in_the_background_is_tried_before_it_is_confirmed(self) -> None:
        self.house.ask(resolution="640x480")
        self.second.faults["select"] = "no"
        self.house.wait()
        self.assertEqual(self.second.calls, [("select", 1, 640, 480, 30)])
        (outcome,) = self.house.ask(main_camera=2)
        self.assertEqual(errors(outcome), {"main-camera": DEVICE_ERROR})

    def test_a_failure_keeps_the_camera(self) -> None:
        self.second.faults["select"] = "no"
        (outcome,) = self.house.ask(main_camera=2, resolution="640x480")
        self.assertEqual(set(errors(outcome).values()), {DEVICE_ERROR})
        self.assertEqual(self.model["main-camera"], 1)
        self.assertEqual(self.model["resolution"], "1920x1080")


class WhileRecording(Case):
    def setUp(self) -> None:
        super().setUp()
        self.first, self.second = camera("a"), camera("b", modes=MODES[:1])
        self.plug(self.first, self.second)
        self.model.commit({"record": True})

    def test_resolution_and_fps_are_refused(self) -> None:
        for state in (True, "pause"):
            self.model.commit({"record": state})
            (outcome,) = self.house.ask(resolution="640x480", fps=60)
            self.assertEqual(errors(outcome), {"resolution": NOT_AVAILABLE, "fps": NOT_AVAILABLE})
        self.assertEqual(self.first.calls, [])

    def test_the_present_ones_are_confirmed(self) -> None:
        (outcome,) = self.house.ask(resolution="1920x1080", fps=30)
        self.assertEqual(outcome.applied, {"resolution": "1920x1080", "fps": 30})

    def test_the_camera_may_be_switched(self) -> None:
        (outcome,) = self.house.ask(main_camera=2)
        self.assertEqual(outcome.applied, {"main-camera": 2})
        self.assertEqual(self.model["resolution"], "1920x1080")

    def test_but_not_to_one_that_cannot_do_the_present_mode(self) -> None:
        self.model.commit({"record": False})
        self.house.ask(resolution="1280x720")
        self.model.commit({"record": True})
        (outcome,) = self.house.ask(main_camera=2)
        self.assertEqual(errors(outcome), {"main-camera": NOT_AVAILABLE})
        self.assertEqual(
            message(outcome),
            "A recording is running, and camera 2 cannot do 1280x720 at 30 frames per second",
        )

    def test_allowed_again_when_it_has_ended(self) -> None:
        self.model.commit({"record": False})
        (outcome,) = self.house.ask(resolution="1280x720", fps=60)
        self.assertEqual(len(outcome.applied), 2)


class Held(Case):
    """A recording that starts keeps size and rate still."""

    def setUp(self) -> None:
        super().setUp()
        self.device = camera()
        self.plug(self.device)

    def held(self) -> list[Deferred[None]]:
        fired: list[object] = []
        self.video.hold().addCallback(fired.append)
        return fired  # type: ignore[return-value]

    def test_changes_are_refused_until_released(self) -> None:
        self.assertEqual(len(self.held()), 1)
        (outcome,) = self.house.ask(fps=60)
        self.assertEqual(errors(outcome), {"fps": NOT_AVAILABLE})
        self.video.release()
        (outcome,) = self.house.ask(fps=60)
        self.assertEqual(outcome.applied, {"fps": 60})

    def test_it_waits_for_the_change_that_is_on_its_way(self) -> None:
        self.device.slow = True
        self.house.ask(fps=60)
        fired = self.held()
        self.house.turn()
        self.assertEqual(fired, [])
        self.device.answer()
        self.assertEqual(fired, [])
        self.house.turn()
        self.assertEqual(len(fired), 1)
        self.assertEqual(self.model["fps"], 60)


class Modes(Case):
    def test_rates_that_fps_cannot_have_do_not_count(self) -> None:
        described = (VideoMode(64, 48, (1, 5, 120)), VideoMode(32, 24, (1,)))
        self.assertEqual(modes_of(described), {"64x48": (5,)})

    def test_a_size_described_twice_has_the_rates_of_both(self) -> None:
        described = (VideoMode(64, 48, (30,)), VideoMode(64, 48, (5, 30)))
        self.assertEqual(modes_of(described), {"64x48": (5, 30)})

    def test_the_nearest_lower(self) -> None:
        modes = modes_of(MODES)
        self.assertEqual(nearest_size(modes, "1920x1080"), "1920x1080")
        self.assertEqual(nearest_size(modes, "1900x1080"), "1280x720")
        self.assertEqual(nearest_size(modes, "320x200"), "640x480")
        self.assertEqual(nearest_rate(modes, "1280x720", 59), 30)
        self.assertEqual(nearest_rate(modes, "1280x720", 5), 15)

    def test_nothing_known_nothing_changed(self) -> None:
        self.assertEqual(nearest_size({}, "1x1"), "1x1")
        self.assertEqual(nearest_rate({}, "1x1", 7), 7)
