"""What a simulated camera sees: colour bars, and a block that moves across them."""

from __future__ import annotations

from typing import Final

BARS: Final = (
    (235, 128, 128),
    (210, 16, 146),
    (170, 166, 16),
    (145, 54, 34),
    (106, 202, 222),
    (81, 90, 240),
    (41, 240, 110),
    (16, 128, 128),
)
"""White, yellow, cyan, green, magenta, red, blue, black as Y, Cb, Cr (BT.601, full bars)."""

_STEP: Final = 8
"""Pixels that the block moves with each picture."""


class Scene:
    """
    Pictures in YUYV, each made of the one before: two strips of it are written anew.

    The order of the bars tells the head, and the sensor, whose picture it is:
    that of head 1, sensor 1 begins with white, each other one a bar later.

    :param width: pixels, even.
    :param height: pixels.
    :param head: 1 or 2.
    :param sensor: from 1.
    """

    def __init__(self, width: int, height: int, head: int, sensor: int) -> None:
        self.width = width
        self.height = height
        first = 2 * (head - 1) + sensor - 1
        colours = [BARS[(first + x * len(BARS) // width) % len(BARS)] for x in range(0, width, 2)]
        self._line = b"".join(bytes((y, cb, y, cr)) for y, cb, cr in colours)
        self._side = max(2, min(width, height) // 8 // 2 * 2)
        self._block = bytes((235, 128, 16, 128)) * (self._side // 2)
        self._top = (height - self._side) // 2
        self._left = 0
        self._picture = bytearray(self._line * height)

    def draw(self, number: int) -> memoryview:
        """The picture of that number; it stays as it is until the next one is drawn."""
        self._put(self._left, self._line[2 * self._left : 2 * (self._left + self._side)])
        self._left = number * _STEP % (self.width - self._side + 2)
        self._put(self._left, self._block)
        return memoryview(self._picture).toreadonly()

    def _put(self, left: int, pixels: bytes) -> None:
        length = 2 * self.width
        for start in range(self._top * length, (self._top + self._side) * length, length):
            begin = start + 2 * left
            self._picture[begin : begin + len(pixels)] = pixels
