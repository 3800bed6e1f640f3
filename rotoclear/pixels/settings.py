"""
The image settings, done in software.

All sliders go from 0 to 100, and 50 leaves the picture as it is.

=================== ======================================================================
brightness          adds ``1.6 * (v - 50)`` levels, -80 to 80 of 255
contrast            spreads around the middle grey by ``2 ** ((v - 50) / 50)``, 1/2 to 2
saturation          multiplies the colours by ``v / 50``: 0 is grey, 100 is doubled
gain                multiplies light by ``2 ** ((v - 50) / 25)``, 1/4 to 4 (two stops)
red-gain, blue-gain multiply that colour by ``2 ** ((v - 50) / 50)``, 1/2 to 2
sharpness           adds the difference from the four neighbours: below 50 softens, above
                    50 sharpens
noise-supression    mixes a pixel with what it was before, unless it moves
auto-exposure       instead of gain: brings the mean brightness to 110 within a second or
                    so, by up to two stops
auto-white-balance  instead of the colour gains: brings the mean colour to grey, by up to
                    one stop
=================== ======================================================================
"""

from __future__ import annotations

from typing import Final, cast

import cv2
import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from rotoclear.pixels import Planes, split

_RED, _BLUE = 0.299, 0.114
_GREEN: Final = 1 - _RED - _BLUE
"""The colours' shares in brightness (BT.601)."""

_RGB_TO_YUV: Final = np.array(
    [
        [_RED, _GREEN, _BLUE],
        [-_RED / (2 * (1 - _BLUE)), -_GREEN / (2 * (1 - _BLUE)), 0.5],
        [0.5, -_GREEN / (2 * (1 - _RED)), -_BLUE / (2 * (1 - _RED))],
    ]
)
_YUV_TO_RGB: Final = np.linalg.inv(_RGB_TO_YUV)

GOAL: Final = 110.0
"""Mean brightness that auto-exposure goes for."""

STOPS: Final = 2.0
"""How far it goes, in powers of two."""

COLOUR_STOPS: Final = 1.0
"""How far auto-white-balance goes."""

PACE: Final = 0.12
"""The share of the way that the automatic functions go with each picture."""

NEAR: Final = 0.02
"""How far off, in proportion, they leave things as they are."""

STILL: Final = 12
"""Levels by which a pixel may differ and still be taken for noise."""

NEW: Final = 0.4
"""The share of the new picture where nothing moves; the rest is what was there before."""

_Matrix = NDArray[np.float64]
_Matrix32 = NDArray[np.float32]


@frozen(kw_only=True)
class Settings:
    """What is to be done to a picture; the defaults do nothing."""

    brightness: int = 50
    contrast: int = 50
    sharpness: int = 50
    saturation: int = 50
    gain: int = 50
    red_gain: int = 50
    blue_gain: int = 50
    noise_supression: bool = False
    auto_exposure: bool = False
    auto_white_balance: bool = False


class Automatic:
    """
    Finds exposure and white balance, a little better with each picture.

    It looks at the picture as the camera made it, not at what becomes of it, so
    it cannot swing; and it rests when it is near enough, so it does not flicker.

    :ivar light: by how much light is to be multiplied.
    :ivar red: by how much red is.
    :ivar blue: by how much blue is.
    """

    def __init__(self) -> None:
        self.light = self.red = self.blue = 1.0

    def look(self, planes: Planes, settings: Settings) -> None:
        """Learn from a picture as the camera made it."""
        y, u, v = (_mean(plane) for plane in split(planes))
        if settings.auto_white_balance:
            rgb = _YUV_TO_RGB @ np.array([y, u - 128, v - 128])
            red, green, blue = (max(float(colour), 1.0) for colour in rgb)
            self.red = _nearer(self.red, green / red, COLOUR_STOPS)
            self.blue = _nearer(self.blue, green / blue, COLOUR_STOPS)
        if settings.auto_exposure:
            bright = y * _luma(*_colour_gains(settings, self))
            self.light = _nearer(self.light, GOAL / max(bright, 1.0), STOPS)


def _mean(plane: Planes) -> float:
    """Of so many pixels that more would not tell more."""
    step = max(1, min(plane.shape) // 128)
    return float(np.mean(plane[::step, ::step]))


def _nearer(now: float, wanted: float, stops: float) -> float:
    wanted = min(max(wanted, 2**-stops), 2**stops)
    return now if abs(wanted - now) < NEAR * now else now + PACE * (wanted - now)


class Chain:
    """
    Does it to one picture after another of one camera.

    Every setting may change with every picture, and so may its size.

    :param twin: one for pictures of another size of the same camera: what the automatic
        functions find is common.
    :ivar revision: counts up whenever the same picture would become another.
    """

    def __init__(self, twin: Chain | None = None) -> None:
        self.revision = 0
        self._key: tuple[object, ...] = ()
        self._settings = Settings()
        self._automatic: Automatic = Automatic() if twin is None else twin._automatic
        self._before: Planes | None = None
        self._levels: Planes | None = None
        self._colours: _Matrix32 | None = None
        self._kernel: _Matrix32 | None = None

    def __call__(self, planes: Planes, settings: Settings) -> Planes:
        """
        The picture with the settings.

        :return: the very same one if there is nothing to do, else a new one
            that nobody else has.
        """
        self.look(planes, settings)
        return self.apply(planes)

    def look(self, planes: Planes, settings: Settings) -> None:
        """
        The first half of a call: make ready for these settings.

        :param planes: what the automatic functions look at; a small one will do.
        """
        automatic = self._automatic
        if settings.auto_exposure or settings.auto_white_balance:
            automatic.look(planes, settings)
        key = (settings, automatic.light, automatic.red, automatic.blue)
        if key != self._key:
            self._key = key
            self._prepare(settings)
            self.revision += 1

    @property
    def exposure(self) -> float:
        """By how much auto-exposure multiplies light; 1.0 while it is off."""
        return self._automatic.light if self._settings.auto_exposure else 1.0

    def apply(self, planes: Planes) -> Planes:
        """The other half: do it."""
        if not self._settings.noise_supression:
            self._before = None
            if self._levels is None and self._colours is None and self._kernel is None:
                return planes
        result = np.empty_like(planes)
        y, u, v = split(planes)
        new_y, new_u, new_v = split(result)
        if self._colours is None:
            new_u[:], new_v[:] = u, v
        else:
            height, width = u.shape
            small = cv2.resize(y, (width, height), interpolation=cv2.INTER_AREA)
            mixed = cv2.transform(cv2.merge((small, u, v)), self._colours)
            cv2.extractChannel(mixed, 0, new_u)
            cv2.extractChannel(mixed, 1, new_v)
        if self._settings.noise_supression:
            y = self._calm(y)
        if self._kernel is not None:
            sharper = cv2.filter2D(y, -1, self._kernel, borderType=cv2.BORDER_REPLICATE)
            y = cast(Planes, sharper)
        if self._levels is None:
            new_y[:] = y
        else:
            cv2.LUT(y, self._levels, new_y)
        return result

    def _calm(self, y: Planes) -> Planes:
        """Mixed with what was there before, where nothing moves."""
        before = self._before
        if before is None or before.shape != y.shape:
            self._before = y.copy()
            return self._before
        moving = cv2.threshold(cv2.absdiff(y, before), STILL, 255, cv2.THRESH_BINARY)[1]
        mixed = cast(Planes, cv2.addWeighted(y, NEW, before, 1 - NEW, 0))
        cv2.copyTo(y, moving, mixed)
        self._before = mixed
        return mixed

    def _prepare(self, settings: Settings) -> None:
        self._settings = settings
        automatic = self._automatic
        light = automatic.light if settings.auto_exposure else 2 ** ((settings.gain - 50) / 25)
        red, blue = _colour_gains(settings, automatic)
        self._levels = _levels(settings, light * _luma(red, blue))
        self._colours = _colours(settings.saturation / 50, light, red, blue)
        self._kernel = _kernel(settings.sharpness)


def _colour_gains(settings: Settings, automatic: Automatic) -> tuple[float, float]:
    """By how much red and blue are multiplied."""
    if settings.auto_white_balance:
        return automatic.red, automatic.blue
    return 2 ** ((settings.red_gain - 50) / 50), 2 ** ((settings.blue_gain - 50) / 50)


def _luma(red: float, blue: float) -> float:
    """What becomes of the brightness of grey."""
    return _RED * red + _GREEN + _BLUE * blue


def _levels(settings: Settings, light: float) -> Planes | None:
    """The new brightness for each of the 256."""
    contrast = 2 ** ((settings.contrast - 50) / 50)
    levels = np.arange(256) * light
    levels = (levels - 127.5) * contrast + 127.5 + 1.6 * (settings.brightness - 50)
    table = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    return None if (table == np.arange(256)).all() else table


def _colours(saturation: float, light: float, red: float, blue: float) -> _Matrix32 | None:
    """U and V of brightness, U and V: a matrix of two rows and four columns."""
    gains = np.diag([red, 1.0, blue]) * light
    matrix = np.diag([1.0, saturation, saturation]) @ _RGB_TO_YUV @ gains @ _YUV_TO_RGB
    rows: _Matrix = matrix[1:]
    if np.allclose(rows, [[0, 1, 0], [0, 0, 1]], atol=1e-4):
        return None
    offset = 128 - rows[:, 1:].sum(axis=1) * 128
    return np.column_stack([rows, offset]).astype(np.float32)


def _kernel(sharpness: int) -> _Matrix32 | None:
    if sharpness == 50:
        return None
    weight = (sharpness - 50) / 50
    side = weight * 0.5 if weight > 0 else weight * 0.2
    kernel = [[0, -side, 0], [-side, 1 + 4 * side, -side], [0, -side, 0]]
    return np.array(kernel, np.float32)
