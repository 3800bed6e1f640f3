"""
What a simulated camera sees, as its pictures.

The picture is made as in a camera: light falls on a sensor that adds noise, and
the settings are applied to what it gives. That is done only when something has
changed: there are a few pictures, in which the spindle has turned a little
further and the noise is another, shown one after the other for ever. Into each of
them is put what differs every time: what goes to and fro, the number and the time,
for people (:data:`LETTERS`) and for programs (:mod:`rotoclear.pixels.marks`).
These two no setting alters.
"""

from __future__ import annotations

from typing import Final, cast

import cv2
import numpy as np
from attrs import define, evolve, field, frozen
from numpy.typing import NDArray

from rotoclear.drivers.simulated_scenes import VIEWS, Canvas
from rotoclear.pixels import Planes, size, split
from rotoclear.pixels.compose import scaled
from rotoclear.pixels.marks import CELLS, LINES, ROWS, Mark, cells, edges
from rotoclear.pixels.raw import from_rgb, to_yuyv
from rotoclear.pixels.settings import Chain, Settings

PHASES: Final = 8
"""Pictures of a turn."""

FEW_PHASES: Final = 4
"""The same if they are larger than :data:`LARGE`: they take memory."""

LARGE: Final = 2_200_000
"""Pixels."""

NOISE: Final = 2.5
"""
Standard deviation of the sensor's noise, in levels, before any gain.

Automatic exposure is not a gain: it exposes for longer, as long as that suffices.
"""

QUIET: Final = 1.0
"""The same with noise suppression."""

BRIGHT: Final = 1.4
"""What the lamp's light makes of the drawing's colours in the middle of the picture."""

AMBIENT: Final = 0.4
"""The share of the light that is there without the lamp."""

TRAVEL: Final = 240
"""Pictures that what goes to and fro takes for one way."""

LETTERS: Final = 22
"""The picture's height divided by that of the line with number and time."""

_LOOK: Final = 160
"""The width of the picture that the automatic functions look at."""

_SAMPLE: Final = 1_000_003
"""Pixels of noise: a prime, so that no pattern shows where it begins again."""

_WHITE, _BLACK = 235, 16
_ALPHABET: Final = "0123456789. "

_Bytes = NDArray[np.uint8]


@frozen(kw_only=True)
class Look:
    """
    What the picture depends on besides the scene.

    :ivar settings: what the camera was told; its noise suppression is the sensor's own.
    :ivar lit: the lamp is on.
    """

    settings: Settings = field(factory=Settings)
    lit: bool = True


@define
class _Phase:
    """
    One of the pictures that are shown in turn.

    :ivar scene: as the sensor would see it without noise, with the lamp on.
    :ivar state: of the camera when the other two were made.
    :ivar shown: in YUYV; the slide is in it, where it was last.
    :ivar slide: in YUYV.
    :ivar under: what the slide covers.
    :ivar left: where it is, in bytes of a line, or -1: nowhere yet.
    """

    scene: Planes
    state: tuple[object, ...] = ()
    shown: _Bytes = field(factory=lambda: np.empty((0, 0), np.uint8))
    slide: _Bytes = field(factory=lambda: np.empty((0, 0), np.uint8))
    under: _Bytes = field(factory=lambda: np.empty((0, 0), np.uint8))
    left: int = -1


class Scene:
    """
    Pictures in YUYV.

    :param width: pixels, even.
    :param height: pixels, even.
    :param head: 1 or 2.
    :param sensor: 1 or 2.
    """

    def __init__(self, width: int, height: int, head: int, sensor: int) -> None:
        self.width = width
        self.height = height
        self._mark = head, sensor
        self._view = VIEWS[head, sensor]
        self._chain = Chain()
        self._started = False
        self._phases: dict[int, _Phase] = {}
        self._count = PHASES if width * height <= LARGE else FEW_PHASES
        chance = np.random.default_rng(10 * head + sensor)
        self._sample = chance.standard_normal(_SAMPLE, np.float32)
        self._noise = 0.0, np.empty(0, np.int8)
        self._vignette = _vignette(width, height)
        self._still = self._drawn_still()
        left, top, across, down, self._way = self._view.track
        self._place = tuple(_even(x * width / 1600) for x in (left, across, self._way))
        self._lines = _even(top * height / 900), _even(down * height / 900)
        self._slide = self._drawn_slide()
        self._glyphs = _glyphs(height // LETTERS)
        self._columns = np.diff(edges(width, CELLS))
        self._rows = edges(height // LINES, ROWS)
        self._thumb = scaled(self._phase(0).scene, _LOOK, _even(_LOOK * height / width))

    def draw(self, number: int, timestamp: int, look: Look, *, late: bool = False) -> memoryview:
        """
        The picture of that number.

        :param timestamp: nanoseconds of ``CLOCK_MONOTONIC``.
        :param late: the next one is due already: the spindle may turn less evenly rather than
            be drawn in another place now.
        :return: it stays as it is until the next one is drawn.
        """
        self._look(look)
        turn = number % self._count
        if late and turn not in self._phases:
            turn = tuple(self._phases)[number % len(self._phases)]
        phase = self._phase(turn)
        state = (self._chain.revision, look.lit, look.settings.noise_supression)
        if phase.state != state:
            self._develop(phase, turn, look)
            phase.state = state
        self._put_slide(phase, number)
        self._burn_in(phase.shown, number, timestamp // 1_000_000)
        return memoryview(cast(bytes, phase.shown)).cast("B").toreadonly()

    # -- the scene -------------------------------------------------------

    def _drawn_still(self) -> _Bytes:
        canvas = Canvas(self.width, self.height, (0, 0, 0))
        self._view.still(canvas)
        canvas.write(self._view.title, 40, 880, 34, (225, 225, 225))
        return canvas.image

    def _drawn_slide(self) -> Planes:
        canvas = Canvas(self._place[1], self._lines[1], (0, 0, 0))
        self._view.slide(canvas)
        return from_rgb(canvas.image, cv2.COLOR_BGR2YCrCb)

    def _phase(self, number: int) -> _Phase:
        """One of them, drawn when it is wanted for the first time."""
        phase = self._phases.get(number)
        if phase is None:
            canvas = Canvas(self.width, self.height, (0, 0, 0))
            canvas.image = self._still.copy()
            chance = np.random.default_rng(number)
            self._view.turning(canvas, number / self._count, chance)
            scene = from_rgb(canvas.image, cv2.COLOR_BGR2YCrCb)
            y = split(scene)[0]
            cv2.multiply(y, self._vignette, y, dtype=cv2.CV_8U)
            phase = self._phases[number] = _Phase(scene)
        return phase

    # -- the camera ------------------------------------------------------

    def _look(self, look: Look) -> None:
        """Let the automatic functions do what they do with each picture."""
        thumb, settings = _light(self._thumb, look.lit), _for_chain(look.settings)
        before = -1
        # What a camera sees before its first picture is for them alone.
        while before != self._chain.revision:
            before = self._chain.revision
            self._chain.look(thumb, settings)
            if self._started:
                return
        self._started = True

    def _develop(self, phase: _Phase, number: int, look: Look) -> None:
        """Expose it and apply the settings."""
        strength = QUIET if look.settings.noise_supression else NOISE
        noise = np.roll(self._noise_of(strength / self._chain.exposure), number * 137_911)
        made = []
        for planes in (phase.scene, self._slide):
            exposed = _light(planes, look.lit)
            noisy = cv2.add(exposed, np.resize(noise, exposed.shape), dtype=cv2.CV_8U)
            made.append(to_yuyv(self._chain.apply(cast(Planes, noisy))))
        phase.shown, phase.slide = made
        phase.left = -1

    def _noise_of(self, strength: float) -> NDArray[np.int8]:
        """Of that standard deviation, in whole levels."""
        if self._noise[0] != strength:
            self._noise = strength, np.rint(self._sample * strength).astype(np.int8)
        return self._noise[1]

    # -- what differs every time -----------------------------------------

    def _put_slide(self, phase: _Phase, number: int) -> None:
        left, across, way = self._place
        top, down = self._lines
        if phase.left >= 0:
            phase.shown[top : top + down, phase.left : phase.left + 2 * across] = phase.under
        gone = abs((number + TRAVEL) % (2 * TRAVEL) - TRAVEL)
        phase.left = 2 * (left + _even(way * gone / TRAVEL, 0))
        area = phase.shown[top : top + down, phase.left : phase.left + 2 * across]
        phase.under = area.copy()
        area[:] = phase.slide

    def _burn_in(self, shown: _Bytes, number: int, time: int) -> None:
        bits = cells(Mark(*self._mark, number, time))
        line = np.full((ROWS, 2 * self.width), 128, np.uint8)
        line[:, ::2] = np.repeat(bits * np.uint8(_WHITE - _BLACK) + _BLACK, self._columns, axis=1)
        for row in range(ROWS):
            shown[self._rows[row] : self._rows[row + 1]] = line[row]
        seconds, thousandths = divmod(time, 1000)
        text = f"{number % 1_000_000:06} {seconds % 1_000_000:06}.{thousandths:03}"
        letters = np.concatenate([self._glyphs[letter] for letter in text], axis=1)
        high, wide = letters.shape
        left = max(0, (self.width - wide // 2) // 4 * 4)
        bottom = self.height - high // 2
        shown[bottom - high : bottom, left : left + wide] = letters


def _for_chain(settings: Settings) -> Settings:
    """The noise is suppressed where it comes from."""
    return evolve(settings, noise_supression=False)


def _light(planes: Planes, lit: bool) -> Planes:
    """The scene as it is with the lamp on, or off."""
    if lit:
        return planes
    result = np.empty_like(planes)
    height = size(planes)[1]
    cv2.LUT(planes[:height], _DIM, result[:height])
    cv2.LUT(planes[height:], _PALE, result[height:])
    return result


_DIM: Final = np.rint(np.arange(256) * AMBIENT).astype(np.uint8)
_PALE: Final = np.rint((np.arange(256) - 128) * AMBIENT + 128).astype(np.uint8)


def _vignette(width: int, height: int) -> NDArray[np.float32]:
    """How much of the lamp's light reaches each pixel."""
    x = np.linspace(-1, 1, width, dtype=np.float32) ** 2
    y = np.linspace(-1, 1, height, dtype=np.float32) ** 2
    return cast(NDArray[np.float32], BRIGHT * (1 - 0.25 * (x[None] + y[:, None])))


def _glyphs(height: int) -> dict[str, _Bytes]:
    """The letters in YUYV, white on black, all of the same size."""
    width = _even(height * 0.7)
    found = {}
    for letter in _ALPHABET:
        luma = np.full((height, width), _BLACK, np.uint8)
        scale, thick = height / 32, max(1, height // 12)
        where = width // 8, height - max(1, height // 7)
        cv2.putText(
            luma, letter, where, cv2.FONT_HERSHEY_SIMPLEX, scale, _WHITE, thick, cv2.LINE_AA
        )
        found[letter] = cv2.merge((luma, np.full_like(luma, 128))).reshape(height, 2 * width)
    return cast(dict[str, _Bytes], found)


def _even(length: float, least: int = 2) -> int:
    return max(least, int(length) // 2 * 2)
