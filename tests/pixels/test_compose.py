"""Scaling, and two pictures in one."""

from __future__ import annotations

import numpy as np
import pytest

from rotoclear.pixels import Planes, blank, size, split
from rotoclear.pixels.compose import composed, inset, reduced, scaled
from rotoclear.state.keys import PIP_MODES
from tests.pixels.images import mean, natural

CORNERS = {
    "top-left": (60, 60),
    "top-right": (1380, 60),
    "bottom-left": (60, 750),
    "bottom-right": (1380, 750),
}


def plain(width: int, height: int, y: int, u: int = 128, v: int = 128) -> Planes:
    planes = blank(width, height)
    for plane, value in zip(split(planes), (y, u, v), strict=True):
        plane[:] = value
    return planes


def stripes(width: int, height: int, period: int) -> Planes:
    planes = blank(width, height)
    planes[:height] = np.where(np.arange(width) % period < period / 2, 230, 20)
    return planes


def test_what_has_the_size_is_the_very_same() -> None:
    planes = natural()
    assert scaled(planes, 320, 240) is planes
    assert composed(planes, None, "top-left") is planes
    assert composed(planes, planes, "off") is planes


@pytest.mark.parametrize(("width", "height"), [(640, 360), (960, 540), (1280, 720), (3840, 2160)])
def test_scaled_it_is_the_same_picture(width: int, height: int) -> None:
    planes = natural(1920, 1080)
    found = scaled(planes, width, height)
    assert size(found) == (width, height)
    back = scaled(found, 1920, 1080)
    difference = np.abs(back.astype(int) - planes)
    assert difference.mean() < 1.5
    for one, other in zip(split(found), split(planes), strict=True):
        assert abs(float(one.mean()) - float(other.mean())) < 0.3


@pytest.mark.parametrize("width", [480, 640, 800, 900])
def test_fine_stripes_become_grey_and_not_coarse_ones(width: int) -> None:
    found = scaled(stripes(1920, 1080, 2), width, width * 9 // 16 // 2 * 2)
    inner = split(found)[0][4:-4, 4:-4]
    assert abs(float(inner.mean()) - 125) < 3
    assert int(inner.max()) - int(inner.min()) < 40


def test_reduced_it_keeps_its_proportions_and_is_never_larger() -> None:
    planes = natural(1280, 960)
    assert reduced(planes, 1280, 960) is planes
    assert reduced(planes, 2000, 2000) is planes
    for most, wanted in (
        ((640, 480), (640, 480)),
        ((960, 540), (720, 540)),
        ((320, 900), (320, 240)),
    ):
        found = reduced(planes, *most)
        assert size(found) == wanted
        assert abs(float(split(found)[0].mean()) - float(split(planes)[0].mean())) < 0.5


@pytest.mark.parametrize("mode", [mode for mode in PIP_MODES if mode != "off"])
@pytest.mark.parametrize("shape", [(1280, 720), (640, 480)])
def test_it_is_the_same_whether_it_was_reduced_before(mode: str, shape: tuple[int, int]) -> None:
    main, other = natural(1280, 720), natural(*shape)
    small = reduced(other, *inset(1280, 720, mode))
    assert size(small) <= inset(1280, 720, mode)
    difference = np.abs(composed(main, small, mode).astype(int) - composed(main, other, mode))
    assert difference.mean() < 0.5


def test_another_shape_gets_black_bars() -> None:
    found = scaled(plain(640, 480, 200, 90, 170), 1280, 720)
    y, u, v = split(found)
    assert (y[:, :160] == 0).all()
    assert (y[:, -160:] == 0).all()
    assert (y[:, 160:-160] == 200).all()
    assert (u[:, :80] == 128).all()
    assert (v[:, 80:-80] == 170).all()
    y = split(scaled(plain(1920, 1080, 200), 640, 480))[0]
    assert (y[:60] == 0).all()
    assert (y[60:420] == 200).all()
    assert (y[420:] == 0).all()


@pytest.mark.parametrize("mode", CORNERS)
def test_picture_in_picture_is_in_its_corner(mode: str) -> None:
    main, other = plain(1920, 1080, 50, 100, 100), plain(1280, 720, 200, 150, 160)
    before = main.copy()
    found = composed(main, other, mode)
    left, top = CORNERS[mode]
    expected = before.copy()
    for plane, value, part in zip(split(expected), (200, 150, 160), (1, 2, 2), strict=True):
        plane[top // part : (top + 270) // part, left // part : (left + 480) // part] = value
    assert (found == expected).all()
    assert (main == before).all()
    assert not np.shares_memory(found, main)


def test_side_by_side_shows_all_of_both() -> None:
    main, other = plain(1920, 1080, 50), plain(640, 480, 200)
    found = split(composed(main, other, "side-by-side"))[0]
    assert (found[270:810, :960] == 50).all()
    assert (found[:270, :960] == 0).all()
    assert (found[:180] == 0).all()
    assert (found[180:900, 960:] == 200).all()
    assert (main == plain(1920, 1080, 50)).all()


@pytest.mark.parametrize("mode", sorted(PIP_MODES))
@pytest.mark.parametrize("shape", [(640, 480), (1920, 1080), (322, 242), (64, 48)])
def test_any_size_goes_with_any_mode(mode: str, shape: tuple[int, int]) -> None:
    found = composed(natural(*shape), plain(3840, 2160, 255), mode)
    assert size(found) == shape
    if mode != "off":
        assert mean(found) != mean(natural(*shape))
