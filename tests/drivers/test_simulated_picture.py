"""What the simulated heads see, measured."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from rotoclear.drivers.simulated_glow import Glow
from rotoclear.drivers.simulated_picture import FEW_PHASES, PHASES, Look, Scene
from rotoclear.drivers.simulated_view import LIGHTS, SimulatedView, settings_of
from rotoclear.pixels import Planes, split
from rotoclear.pixels.convert import to_planes
from rotoclear.pixels.marks import Mark, read
from rotoclear.pixels.settings import GOAL, Settings
from rotoclear.values import Value
from tests.pixels.images import colour, edges, inner, mean, rgb, spread

WIDTH, HEIGHT = 640, 480
RATE = 30

NEUTRAL: Mapping[str, Value] = {}


def planes_of(data: memoryview, width: int = WIDTH, height: int = HEIGHT) -> Planes:
    return to_planes(bytes(data), "yuyv", width, height)


def shown(scene: Scene, number: int, look: Look) -> Planes:
    return planes_of(scene.draw(number, number * 10**9 // RATE, look))


def seen(look: Look, head: int = 1, sensor: int = 1) -> Planes:
    """The first picture, without what is burned in."""
    return inner(shown(Scene(WIDTH, HEIGHT, head, sensor), 0, look))


SENSORS = [(1, 1), (1, 2), (2, 1), (2, 2)]


@pytest.mark.parametrize(("head", "sensor"), SENSORS)
@pytest.mark.parametrize(("width", "height"), [(640, 480), (1280, 720), (1920, 1080)])
def test_a_picture_says_which_it_is(head: int, sensor: int, width: int, height: int) -> None:
    scene = Scene(width, height, head, sensor)
    for number in (0, 1, 2, 500):
        data = scene.draw(number, 5_123_456_789 + number, Look())
        assert read(planes_of(data, width, height)) == Mark(head, sensor, number, 5123)


def test_no_setting_alters_what_is_burned_in() -> None:
    whole = shown(Scene(WIDTH, HEIGHT, 1, 1), 7, Look())
    for settings in (
        Settings(brightness=0, contrast=0, gain=0),
        Settings(brightness=100, contrast=100, saturation=100, sharpness=100),
        Settings(auto_exposure=True, auto_white_balance=True, noise_supression=True),
    ):
        other = shown(Scene(WIDTH, HEIGHT, 1, 1), 7, Look(settings=settings, lit=False))
        strip, bottom = slice(0, HEIGHT // 24), slice(HEIGHT - 30, HEIGHT - 12)
        assert (other[strip] == whole[strip]).all()
        assert (other[bottom, 300:340] == whole[bottom, 300:340]).all()


def test_each_sensor_sees_something_else() -> None:
    pictures = [seen(Look(), *which).astype(int) for which in SENSORS]
    for number, one in enumerate(pictures):
        for other in pictures[number + 1 :]:
            assert np.abs(one - other).mean() > 10
        assert one.std() > 20


@pytest.mark.parametrize(("head", "sensor"), SENSORS)
def test_it_moves_all_the_time(head: int, sensor: int) -> None:
    scene = Scene(WIDTH, HEIGHT, head, sensor)
    pictures = [inner(shown(scene, number, Look())).astype(int) for number in range(20)]
    for one, other in pairwise(pictures):
        moved = np.abs(one - other) > 30
        assert 0.0005 < moved.mean() < 0.2
    # Not only in a circle: what goes to and fro is elsewhere.
    assert (np.abs(pictures[0] - pictures[2 * PHASES]) > 30).mean() > 0.0005


@pytest.mark.parametrize(("width", "height"), [(640, 480), (2560, 1440)])
def test_a_picture_leaves_no_trace_of_the_one_before(width: int, height: int) -> None:
    scene, fresh = Scene(width, height, 2, 1), Scene(width, height, 2, 1)
    for number in (*range(20), 33, 7, 210, 199):
        drawn = scene.draw(number, number, Look())
    assert bytes(drawn) == bytes(fresh.draw(199, 199, Look()))
    assert scene._count == (PHASES if width == 640 else FEW_PHASES)


def test_the_lamp_makes_it_brighter() -> None:
    for which in SENSORS:
        dark, lit = (mean(seen(Look(lit=lit), *which)) for lit in (False, True))
        assert lit > 2 * dark
        assert 60 < lit < 150


@pytest.mark.parametrize(
    ("control", "measure"),
    [
        ("brightness", mean),
        ("contrast", spread),
        ("saturation", colour),
        ("sharpness", edges),
        ("gain", mean),
        ("red-gain", lambda planes: rgb(planes)[0] / rgb(planes)[1]),
        ("blue-gain", lambda planes: rgb(planes)[2] / rgb(planes)[1]),
    ],
)
def test_a_control_of_the_hardware_moves_the_picture_one_way(control, measure) -> None:  # type: ignore[no-untyped-def]
    found = [
        measure(seen(Look(settings=settings_of({control: value}))))
        for value in (10, 30, 50, 70, 90)
    ]
    assert all(later > earlier for earlier, later in pairwise(found)), found
    assert found[2] == measure(seen(Look(settings=settings_of(NEUTRAL))))


def test_who_is_late_draws_nothing_new() -> None:
    """A picture that is wanted in time comes first; its number and its time are right."""
    scene = Scene(WIDTH, HEIGHT, 1, 1)
    scene.draw(5, 5, Look())
    drawn = set(scene._phases)
    for number in range(6, 6 + PHASES):
        data = scene.draw(number, number * 10**6, Look(), late=True)
        assert read(planes_of(data)) == Mark(1, 1, number, number)
    assert set(scene._phases) == drawn
    scene.draw(7, 7, Look())
    assert set(scene._phases) == drawn | {7}


def temporal(look: Look) -> float:
    """How much a pixel differs from picture to picture, where nothing moves."""
    scene = Scene(WIDTH, HEIGHT, 1, 1)
    pictures = [split(shown(scene, number, look))[0][40:60, :200] for number in range(PHASES)]
    return float(np.std(pictures, axis=0).mean())


def test_the_sensor_is_noisy_the_gain_makes_it_worse_and_suppression_better() -> None:
    plain = temporal(Look())
    assert 1.5 < plain < 4
    assert temporal(Look(settings=Settings(gain=75))) > 1.6 * plain
    assert temporal(Look(settings=Settings(noise_supression=True))) < 0.6 * plain


def test_auto_exposure_exposes_for_longer_and_adds_no_noise() -> None:
    dark = Look(settings=Settings(auto_exposure=True), lit=False)
    assert temporal(dark) == pytest.approx(temporal(Look()), rel=0.3)


def test_auto_exposure_makes_up_for_the_lamp_and_settles() -> None:
    scene = Scene(WIDTH, HEIGHT, 1, 1)
    automatic = Settings(auto_exposure=True)
    # A camera that has just started has found its exposure already.
    assert mean(inner(shown(scene, 0, Look(settings=automatic)))) == pytest.approx(GOAL, rel=0.15)
    look = Look(settings=automatic, lit=False)
    found = [mean(inner(shown(scene, number, look))) for number in range(60)]
    assert found[0] < 0.6 * GOAL
    assert found[-1] == pytest.approx(GOAL, rel=0.15)
    assert all(later > earlier - 0.5 for earlier, later in pairwise(found))
    for number in range(60, 60 + 2 * PHASES):
        assert mean(inner(shown(scene, number, look))) == pytest.approx(found[-1], abs=1)


def test_what_the_hardware_holds_becomes_its_settings() -> None:
    assert settings_of({}) == Settings()
    told = {"brightness": 1, "red-gain": 2, "blue-gain": 3, "noise-supression": True, "rate": 30}
    assert settings_of(told) == Settings(
        brightness=1, red_gain=2, blue_gain=3, noise_supression=True
    )
    assert settings_of({"auto-exposure": "shutter-priority"}).auto_exposure
    assert settings_of({"auto-white-balance": True}).auto_white_balance
    for name, (red, blue) in LIGHTS.items():
        found = settings_of({"auto-white-balance": name, "red-gain": 5, "blue-gain": 5})
        assert found == Settings(red_gain=red, blue_gain=blue)


def test_a_view_looks_at_its_hardware_and_its_lamp_for_each_picture(tmp_path: Path) -> None:
    holds: dict[str, Value] = {}
    glow = Glow(str(tmp_path), 1)
    view = SimulatedView(WIDTH, HEIGHT, 1, 1, holds, glow)
    dark = mean(inner(planes_of(view.draw(0, 0))))
    glow.put(True)
    lit = mean(inner(planes_of(view.draw(0, 0))))
    holds["brightness"] = 75
    bright = mean(inner(planes_of(view.draw(0, 0))))
    glow.put(False)
    holds.clear()
    assert mean(inner(planes_of(view.draw(0, 0)))) == dark < lit < bright


def test_without_a_data_folder_it_is_dark() -> None:
    glow = Glow("", 1)
    glow.put(True)
    assert not glow.is_there()
