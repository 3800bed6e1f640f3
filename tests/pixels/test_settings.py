"""The image settings, measured."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from attrs import evolve

from rotoclear.pixels import Planes, blank, split
from rotoclear.pixels.settings import GOAL, Chain, Settings
from tests.pixels.images import colour, edges, mean, natural, noisy, rgb, spread

STEPS = (0, 10, 25, 40, 49, 50, 51, 60, 75, 90, 100)


def dim(planes: Planes, factor: float = 0.5) -> Planes:
    """Darker, so that nothing is cut off when it is multiplied."""
    result = planes.copy()
    for plane, middle in zip(split(result), (0, 128, 128), strict=True):
        plane[:] = (plane.astype(float) - middle) * factor + middle
    return result


def made(planes: Planes, **values: int | bool) -> Planes:
    return Chain()(planes, Settings(**values))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("setting", "measure", "ends"),
    [
        ("brightness", mean, None),
        ("contrast", spread, (0.5, 2)),
        ("saturation", colour, (0, 2)),
        ("sharpness", edges, None),
        ("gain", mean, (0.25, 4)),
        ("red_gain", lambda planes: rgb(planes)[0] / rgb(planes)[1], (0.5, 2)),
        ("blue_gain", lambda planes: rgb(planes)[2] / rgb(planes)[1], (0.5, 2)),
    ],
)
def test_a_slider_moves_the_picture_one_way_from_end_to_end(
    setting: str, measure: Callable[[Planes], float], ends: tuple[float, float] | None
) -> None:
    planes = dim(natural(), 0.3 if setting == "gain" else 0.5)
    if setting == "contrast":
        planes = dim(natural(), 0.6)
        planes[:240] += 45
    if setting == "sharpness":
        planes = natural()
    found = [measure(made(planes, **{setting: value})) for value in STEPS]
    assert all(later > earlier - 0.02 for earlier, later in pairwise(found)), found
    rough = [found[STEPS.index(value)] for value in (0, 25, 50, 75, 100)]
    assert all(later > earlier for earlier, later in pairwise(rough)), found
    if ends is not None:
        neutral = measure(planes)
        assert found[0] / neutral == pytest.approx(ends[0], abs=0.04)
        assert found[-1] / neutral == pytest.approx(ends[1], rel=0.06)


def test_brightness_adds_what_is_documented() -> None:
    planes = np.full((36, 24), 128, np.uint8)
    assert mean(made(planes, brightness=0)) == 48
    assert mean(made(planes, brightness=100)) == 208


def test_brightness_and_contrast_leave_the_colours_and_saturation_the_brightness() -> None:
    planes = natural()
    for setting in ("brightness", "contrast", "sharpness"):
        changed = made(planes, **{setting: 80})
        assert (changed[240:] == planes[240:]).all()
    assert (made(planes, saturation=80)[:240] == planes[:240]).all()


@pytest.mark.parametrize("setting", ["red_gain", "blue_gain"])
def test_a_colours_gain_leaves_the_others_be(setting: str) -> None:
    # Grey, so that nothing but the gain is measured.
    planes = np.full((36, 24), 128, np.uint8)
    planes[:24] = 90
    red, green, blue = rgb(made(planes, **{setting: 75}))
    assert green == pytest.approx(90, abs=2)
    gained, left = (red, blue) if setting == "red_gain" else (blue, red)
    assert gained == pytest.approx(90 * 2**0.5, abs=3)
    assert left == pytest.approx(90, abs=2)


def test_50_and_off_is_the_very_same_picture() -> None:
    planes = natural()
    assert made(planes) is planes
    chain = Chain()
    chain(planes, Settings(brightness=80, noise_supression=True))
    assert chain(planes, Settings()) is planes


@pytest.mark.parametrize(
    "setting", ["brightness", "sharpness", "saturation", "noise_supression", "auto_exposure"]
)
def test_the_picture_that_was_given_is_left_alone_and_shares_nothing(setting: str) -> None:
    planes = natural()
    before = planes.copy()
    value = 70 if Settings.__annotations__[setting] == "int" else True
    chain, settings = Chain(), Settings(**{setting: value})  # type: ignore[arg-type]
    first, second = chain(planes, settings), chain(planes, settings)
    assert (planes == before).all()
    kept = second.copy()
    assert not np.shares_memory(first, second)
    assert not np.shares_memory(first, planes)
    first[:] = 0
    planes[:] = 0
    assert (second == kept).all()
    # Nor does the chain keep what the caller may change.
    second[:] = 0
    assert abs(mean(chain(before, settings)) - mean(kept)) < 12


def test_noise_supression_takes_temporal_noise_away() -> None:
    still = natural()
    pictures = [noisy(still, seed) for seed in range(24)]
    chain = Chain()
    calm = [chain(planes, Settings(noise_supression=True)) for planes in pictures]
    noise, rest = (
        float(np.std([split(planes)[0] for planes in each[8:]], axis=0).mean())
        for each in (pictures, calm)
    )
    assert rest < 0.6 * noise
    assert abs(mean(calm[-1]) - mean(still)) < 0.5


def test_noise_supression_leaves_no_trail() -> None:
    chain = Chain()
    for number in range(12):
        planes = blank(160, 90 // 2 * 2)
        planes[:90] = 60
        planes[30:60, number * 10 : number * 10 + 20] = 200
        shown = chain(planes, Settings(noise_supression=True))
        assert np.abs(shown.astype(int) - planes).max() <= 1


def test_auto_exposure_settles_and_stays() -> None:
    for factor in (0.35, 0.7, 1.3):
        scene = dim(natural(), factor)
        chain, settings = Chain(), Settings(auto_exposure=True, gain=0)
        found = [mean(chain(noisy(scene, number, 1), settings)) for number in range(90)]
        assert found[-1] == pytest.approx(GOAL, rel=0.05)
        rising = mean(scene) < GOAL
        for earlier, later in pairwise(found):
            assert (later - earlier if rising else earlier - later) > -0.3, "it swings"
        assert max(found[60:]) - min(found[60:]) < 0.3, "it flickers"


def test_auto_exposure_goes_two_stops_and_no_further() -> None:
    dark = dim(natural(), 0.05)
    chain = Chain()
    for _ in range(120):
        shown = chain(dark, Settings(auto_exposure=True))
    assert mean(shown) / mean(dark) == pytest.approx(4, rel=0.1)


def test_auto_exposure_holds_its_goal_with_the_white_balance_on() -> None:
    scene = natural()
    split(scene)[1][:] = 150
    chain = Chain()
    for _ in range(90):
        shown = chain(scene, Settings(auto_exposure=True, auto_white_balance=True))
    assert mean(shown) == pytest.approx(GOAL, rel=0.05)


@pytest.mark.parametrize("setting", ["red_gain", "blue_gain"])
@pytest.mark.parametrize("value", [20, 80])
def test_auto_white_balance_takes_a_cast_away(setting: str, value: int) -> None:
    grey = dim(natural(), 0.6)
    grey[240:] = 128
    scene = made(grey, **{setting: value})

    def cast(planes: Planes) -> float:
        red, green, blue = rgb(planes)
        return abs((red if setting == "red_gain" else blue) / green - 1)

    chain, settings = Chain(), Settings(auto_white_balance=True)
    found = [cast(chain(noisy(scene, number, 1), settings)) for number in range(60)]
    assert cast(scene) > 0.3
    assert found[-1] < 0.03
    assert all(later < earlier + 0.01 for earlier, later in pairwise(found)), "it swings"
    assert max(found[45:]) - min(found[45:]) < 0.01, "it flickers"


def test_the_manual_settings_count_again_when_automatic_is_off() -> None:
    scene = natural()
    chain = Chain()
    for _ in range(30):
        chain(scene, Settings(auto_exposure=True, auto_white_balance=True, gain=80, red_gain=80))
    assert chain(scene, Settings()) is scene


def test_a_camera_may_change_its_size() -> None:
    chain = Chain()
    settings = Settings(noise_supression=True, sharpness=70, saturation=70, gain=55)
    for width, height in ((320, 240), (64, 48), (320, 240), (322, 246)):
        planes = natural(width, height)
        shown = chain(planes, settings)
        assert shown.shape == planes.shape
        assert abs(mean(shown) - mean(Chain()(planes, settings))) < 0.01


def test_the_revision_tells_when_the_same_picture_would_become_another() -> None:
    scene = dim(natural())
    chain, settings = Chain(), Settings(brightness=60)
    revisions = []
    for look in (settings, settings, evolve(settings, gain=60), settings):
        chain.look(scene, look)
        revisions.append(chain.revision)
    assert revisions[0] == revisions[1] < revisions[2] < revisions[3]
    automatic = Settings(auto_exposure=True)
    for _ in range(60):
        chain.look(scene, automatic)
    settled = chain.revision
    chain.look(scene, automatic)
    assert chain.revision == settled > revisions[3] + 10
