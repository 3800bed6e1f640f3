"""
Which picture is it? Told by the picture itself, for programs.

The simulated heads burn a mark into each picture, and whoever has the picture
in the end (a test, a benchmark, a page in a browser) reads it back: from a
film, a JPEG, or a picture of half the size.

**Where.** A strip along the upper edge, as wide as the picture; its height is a
24th of the picture's. It has two rows of equal height and 76 *cells* of equal
width in each, so cell ``x`` of row ``y`` reaches from ``x * width / 76`` to
``(x + 1) * width / 76`` and from ``y * height / 48`` to ``(y + 1) * height / 48``.
Picture-in-picture leaves this strip free.

**What.** Two cells that lie side by side are one bit: white and black is 1,
black and white is 0. Only which of the two is brighter counts, so brightness,
contrast, gain and a limited range do no harm. The 76 bits, from left to right, the
upper row first, each number with its highest bit first, are:

====  ==============================================================================
bits  meaning
====  ==============================================================================
2     head, less 1
2     sensor, less 1
24    the picture's number, which counts from 0 when the camera starts, modulo 2**24
32    when it was taken: milliseconds of ``CLOCK_MONOTONIC``, modulo 2**32
16    checksum of these 60 bits, taken as eight bytes with four 0 bits before them:
      CRC-16/CCITT-FALSE (polynomial 0x1021, begins with 0xFFFF, nothing reflected)
====  ==============================================================================

**Reading.** The brightness of a cell is the mean of nine points: at 3/10, 5/10
and 7/10 of its width and height, rounded down to a pixel.
"""

from __future__ import annotations

import binascii
from itertools import pairwise
from typing import Final

import numpy as np
from attrs import frozen

from rotoclear.pixels import Planes, size

CELLS: Final = 76
"""In a row."""

ROWS: Final = 2

LINES: Final = 24
"""The strip's height is the picture's, divided by that."""

COUNTS: Final = 1 << 24
"""The number after which counting begins again."""

TIMES: Final = 1 << 32
"""Milliseconds after which time begins again."""

_BITS: Final = CELLS * ROWS // 2
_POINTS: Final = (0.3, 0.5, 0.7)


@frozen
class Mark:
    """
    What a picture says of itself.

    :ivar head: 1 to 4.
    :ivar sensor: 1 to 4.
    :ivar count: the picture's number, 0 to 2**24 - 1.
    :ivar time: milliseconds of ``CLOCK_MONOTONIC``, 0 to 2**32 - 1.
    """

    head: int
    sensor: int
    count: int
    time: int


class Unreadable(ValueError):
    """There is no mark in the picture, or too little is left of it."""


def cells(mark: Mark) -> Planes:
    """
    How it looks: :data:`ROWS` times :data:`CELLS`, 1 for white and 0 for black.

    Numbers that are too large begin again.
    """
    said = (
        (mark.head - 1) % 4 << 58
        | (mark.sensor - 1) % 4 << 56
        | mark.count % COUNTS << 32
        | mark.time % TIMES
    )
    said = said << 16 | _checksum(said)
    raw = np.frombuffer((said << 80 - _BITS).to_bytes(10, "big"), np.uint8)
    bits = np.unpackbits(raw)[:_BITS]
    return np.column_stack([bits, 1 - bits]).astype(np.uint8).reshape(ROWS, CELLS)


def edges(length: int, parts: int) -> list[int]:
    """Where so many equal parts of a length begin, and the last one ends."""
    return [round(number * length / parts) for number in range(parts + 1)]


def write(planes: Planes, mark: Mark) -> None:
    """Burn it into a picture."""
    width, height = size(planes)
    across = np.repeat(cells(mark) * np.uint8(255), np.diff(edges(width, CELLS)), axis=1)
    down = edges(height // LINES, ROWS)
    for row, (top, bottom) in enumerate(pairwise(down)):
        planes[top:bottom] = across[row]
    # Grey: the strip's half in each of the two planes of colours.
    colours = planes[height:].reshape(2, height // 2, width // 2)
    colours[:, : -(-(height // LINES) // 2)] = 128


def read(planes: Planes) -> Mark:
    """
    The mark of a picture of any size.

    :raises Unreadable: it has none.
    """
    return read_luma(planes[: size(planes)[1]])


def read_luma(luma: Planes) -> Mark:
    """
    The same of its brightness alone: lines of pixels, full range or limited.

    What was scaled into a part of another picture can be read from that part.

    :raises Unreadable: it has none.
    """
    height, width = luma.shape
    down = _points(height / LINES, ROWS)
    across = _points(width, CELLS)
    points = luma[down[:, None], across].astype(np.int32)
    count = len(_POINTS)
    bright = points.reshape(ROWS, count, CELLS, count).sum(axis=(1, 3)).reshape(_BITS, 2)
    bits = (bright[:, 0] > bright[:, 1]).astype(np.uint8)
    said = int.from_bytes(np.packbits(bits).tobytes(), "big") >> -_BITS % 8
    said, checksum = said >> 16, said & 0xFFFF
    if checksum != _checksum(said):
        raise Unreadable("There is no mark in it that can be read")
    return Mark((said >> 58) + 1, (said >> 56 & 3) + 1, said >> 32 & COUNTS - 1, said & TIMES - 1)


def _points(length: float, parts: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The points at which so many parts of a length are looked at."""
    each = length / parts
    return np.array([int((part + at) * each) for part in range(parts) for at in _POINTS])


def _checksum(said: int) -> int:
    return binascii.crc_hqx(said.to_bytes(8, "big"), 0xFFFF)
