"""What there is to be seen in front of the simulated heads: drawings of machine tools."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
from attrs import frozen
from numpy.typing import NDArray

_Image = NDArray[np.uint8]
_Colour = tuple[int, int, int]

WALL: Final = (96, 84, 72)
STEEL: Final = (150, 150, 146)
DARK: Final = (52, 50, 48)
BRASS: Final = (70, 150, 190)
COOLANT: Final = (205, 190, 160)
ORANGE: Final = (40, 120, 225)
GREEN: Final = (80, 150, 70)
BLUE: Final = (170, 90, 40)


class Canvas:
    """
    Draws in a coordinate system of 1600 by 900, whatever the size of the picture.

    Colours are blue, green and red.

    :ivar image: the picture so far.
    """

    def __init__(self, width: int, height: int, colour: _Colour) -> None:
        self.image: _Image = np.full((height, width, 3), colour, np.uint8)
        self._across, self._down = width / 1600, height / 900

    def _at(self, x: float, y: float) -> tuple[int, int]:
        return round(x * self._across), round(y * self._down)

    def _thick(self, width: float) -> int:
        return max(1, round(width * min(self._across, self._down)))

    def box(self, left: float, top: float, right: float, bottom: float, colour: _Colour) -> None:
        """A filled rectangle."""
        last = self._at(right, bottom)
        corner = max(0, last[0] - 1), max(0, last[1] - 1)
        cv2.rectangle(self.image, self._at(left, top), corner, colour, -1)

    def line(self, begin: tuple[float, float], end: tuple[float, float], colour: _Colour) -> None:
        """A thin line."""
        cv2.line(self.image, self._at(*begin), self._at(*end), colour, self._thick(4), cv2.LINE_AA)

    def disc(self, x: float, y: float, radius: float, colour: _Colour) -> None:
        """A filled circle."""
        axes = round(radius * self._across), round(radius * self._down)
        cv2.ellipse(self.image, self._at(x, y), axes, 0, 0, 360, colour, -1, cv2.LINE_AA)

    def shape(self, points: list[tuple[float, float]], colour: _Colour) -> None:
        """A filled polygon."""
        corners = np.array([self._at(x, y) for x, y in points], np.int32)
        cv2.fillPoly(self.image, [corners], colour, cv2.LINE_AA)

    def write(self, text: str, x: float, y: float, size: float, colour: _Colour) -> None:
        """Letters as high as that, on a line that begins there."""
        scale = size * self._down / 22
        font = cv2.FONT_HERSHEY_SIMPLEX
        where = self._at(x, y)
        cv2.putText(self.image, text, where, font, scale, colour, self._thick(5), cv2.LINE_AA)


@frozen
class View:
    """
    What a sensor sees.

    :ivar title: written into it.
    :ivar still: draws what stays.
    :ivar turning: draws what turns: by an angle of 0 to 1, which is as far as it
        takes to look the same again, and with chance for the coolant's drops.
    :ivar slide: draws what goes to and fro, on a canvas of its own.
    :ivar track: where that is: left, top, width and height of its place at the left
        end, and how far it goes to the right.
    """

    title: str
    still: Callable[[Canvas], None]
    turning: Callable[[Canvas, float, np.random.Generator], None]
    slide: Callable[[Canvas], None]
    track: tuple[int, int, int, int, int]


def _drops(
    canvas: Canvas, chance: np.random.Generator, x: float, y: float, reach: float, number: int
) -> None:
    """Coolant that splashes from there."""
    for angle, far, size in chance.uniform((0.1, 0.15, 2), (math.pi - 0.1, 1, 7), (number, 3)):
        at = x + math.cos(angle) * far * reach, y + math.sin(angle) * far * reach
        canvas.disc(*at, size, COOLANT)


def _mill(canvas: Canvas) -> None:
    """A machining centre, seen from its door."""
    canvas.box(0, 0, 1600, 560, WALL)
    canvas.box(0, 560, 1600, 900, (70, 66, 62))
    for x in range(0, 1700, 160):
        canvas.line((x, 60), (x * 0.8 + 160, 560), (84, 73, 63))
    canvas.shape([(160, 560), (1440, 560), (1600, 900), (0, 900)], (88, 90, 92))
    for row in range(5):
        y = 590 + row * row * 16
        canvas.line((150 - row * 30, y), (1450 + row * 30, y), DARK)
    canvas.box(1380, 140, 1540, 420, BLUE)
    canvas.write("VMC 4", 1395, 230, 34, (230, 230, 230))
    canvas.disc(1420, 350, 22, GREEN)
    canvas.disc(1500, 350, 22, (40, 40, 210))
    canvas.box(700, 45, 900, 250, STEEL)
    canvas.box(740, 250, 860, 330, DARK)
    canvas.shape([(480, 45), (520, 45), (700, 330), (680, 340)], ORANGE)


def _mill_turning(canvas: Canvas, angle: float, chance: np.random.Generator) -> None:
    canvas.box(755, 330, 845, 400, STEEL)
    for flute in range(3):
        x = 755 + ((flute + angle) * 30) % 90
        canvas.box(x, 330, min(x + 12, 845), 400, DARK)
    _drops(canvas, chance, 800, 400, 130, 30)


def _mill_slide(canvas: Canvas) -> None:
    """The vice with the part in it, on the table."""
    canvas.box(0, 0, 1600, 900, STEEL)
    canvas.box(0, 560, 1600, 900, DARK)
    canvas.box(0, 0, 220, 560, ORANGE)
    canvas.box(1380, 0, 1600, 560, ORANGE)
    canvas.box(400, 100, 1200, 460, BRASS)


def _cutter(canvas: Canvas) -> None:
    """The milling cutter, from near by."""
    canvas.box(0, 0, 1600, 900, (60, 62, 66))
    for y in range(60, 520, 46):
        canvas.line((0, y), (1600, y - 90), (72, 74, 80))
    canvas.box(0, 560, 1600, 900, (126, 128, 124))
    for x in range(-200, 1600, 90):
        canvas.line((x, 900), (x + 220, 560), (140, 143, 140))
    canvas.box(640, 45, 960, 200, DARK)


def _cutter_turning(canvas: Canvas, angle: float, chance: np.random.Generator) -> None:
    canvas.box(670, 200, 930, 560, STEEL)
    for flute in range(-2, 5):
        top = 200 + (flute + angle) * 90
        points = [(670, top + 110), (930, top), (930, top + 36), (670, top + 146)]
        canvas.shape([(x, min(max(y, 200), 560)) for x, y in points], DARK)
    _drops(canvas, chance, 800, 540, 330, 70)


def _cutter_slide(canvas: Canvas) -> None:
    """The corner of the part, with a bore in it."""
    canvas.box(0, 0, 1600, 900, BRASS)
    canvas.disc(800, 450, 500, (40, 90, 120))
    canvas.disc(800, 450, 330, DARK)


def _lathe(canvas: Canvas) -> None:
    """A lathe's chuck, seen along its axis."""
    canvas.box(0, 0, 1600, 900, (70, 86, 74))
    canvas.box(0, 640, 1600, 900, (60, 66, 62))
    canvas.shape([(900, 640), (1600, 560), (1600, 760), (900, 840)], STEEL)
    canvas.line((900, 720), (1600, 650), DARK)
    canvas.disc(520, 430, 345, (90, 92, 92))
    canvas.box(1340, 70, 1560, 200, GREEN)
    canvas.write("CTX 2", 1365, 150, 34, (235, 235, 235))


def _lathe_turning(canvas: Canvas, angle: float, chance: np.random.Generator) -> None:
    canvas.disc(520, 430, 320, STEEL)
    for jaw in range(3):
        turn = (jaw + angle) * math.tau / 3
        along, aside = (math.cos(turn), math.sin(turn)), (-math.sin(turn), math.cos(turn))
        corners = [(80, -45), (310, -45), (310, 45), (80, 45)]
        points = [
            (520 + a * along[0] + b * aside[0], 430 + a * along[1] + b * aside[1])
            for a, b in corners
        ]
        canvas.shape(points, DARK)
    canvas.disc(520, 430, 95, BRASS)
    _drops(canvas, chance, 520, 520, 280, 40)


def _lathe_slide(canvas: Canvas) -> None:
    """The turret with its tools."""
    canvas.box(0, 0, 1600, 900, BLUE)
    canvas.box(0, 340, 420, 560, STEEL)
    canvas.disc(950, 450, 330, STEEL)
    canvas.disc(950, 450, 120, DARK)


def _turned(canvas: Canvas) -> None:
    """A part that is being turned, from near by."""
    canvas.box(0, 0, 1600, 900, (48, 44, 60))
    for x in range(0, 1600, 120):
        canvas.line((x, 45), (x + 60, 900), (58, 54, 72))
    canvas.box(0, 200, 180, 640, DARK)


def _turned_turning(canvas: Canvas, angle: float, chance: np.random.Generator) -> None:
    for x, radius in ((180, 190), (620, 150), (1120, 95)):
        right = {180: 620, 620: 1120, 1120: 1480}[x]
        for step in range(24):
            lit = math.cos((step - 8) / 24 * math.pi) ** 2
            shade = tuple(int(60 + lit * part) for part in (70, 120, 170))
            top = 420 - radius + step * radius / 12
            canvas.box(x, top, right, top + radius / 12 + 1, (shade[0], shade[1], shade[2]))
        for ring in range(4):
            y = 420 - radius * math.cos((ring + angle) / 4 * math.pi)
            canvas.line((x, y), (right, y), (210, 225, 235))
    _drops(canvas, chance, 900, 560, 260, 60)


def _turned_slide(canvas: Canvas) -> None:
    """The tool with its insert."""
    canvas.box(0, 0, 1600, 900, STEEL)
    canvas.shape([(300, 0), (1300, 0), (800, 420)], (60, 190, 235))
    canvas.box(0, 500, 1600, 900, DARK)


VIEWS: Final = {
    (1, 1): View("MILL WIDE", _mill, _mill_turning, _mill_slide, (320, 430, 480, 130, 480)),
    (1, 2): View("MILL NEAR", _cutter, _cutter_turning, _cutter_slide, (80, 600, 360, 220, 900)),
    (2, 1): View("LATHE WIDE", _lathe, _lathe_turning, _lathe_slide, (900, 300, 320, 260, 360)),
    (2, 2): View("LATHE NEAR", _turned, _turned_turning, _turned_slide, (360, 620, 220, 220, 900)),
}
"""By the number of the head, and of the sensor."""
