"""Pictures that say their number, and films that are asked for it."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

from rotoclear.media.engine.pictures import Picture
from rotoclear.pixels import Planes

WIDTH, HEIGHT, RATE = 320, 240, 30

FRAME = 10**9 // RATE
"""Nanoseconds from one picture to the next."""

_BITS, _SIDE = 16, 20


def counted(
    number: int, time: int | None = None, size: tuple[int, int] = (WIDTH, HEIGHT)
) -> Picture:
    """The picture with this number: a row of black and white squares, by its bits."""
    width, height = size
    planes: Planes = np.full((height * 3 // 2, width), 128, np.uint8)
    for bit in range(_BITS):
        planes[:_SIDE, bit * _SIDE : (bit + 1) * _SIDE] = 235 if number >> bit & 1 else 20
    return Picture(planes, number * FRAME if time is None else time, RATE)


def number_of(grey: Planes) -> int:
    """The number of a decoded picture."""
    row = grey[_SIDE // 2, _SIDE // 2 :: _SIDE][:_BITS]
    return sum(1 << bit for bit, level in enumerate(row) if level > 128)


def numbers(film: Path) -> list[int]:
    """The numbers of a film's pictures, as they come out of the decoder."""
    with av.open(str(film)) as container:
        frames = container.decode(video=0)
        return [number_of(frame.to_ndarray(format="gray")) for frame in frames]


def times(film: Path) -> list[float]:
    """When each of a film's pictures is shown, in seconds."""
    with av.open(str(film)) as container:
        return [float(frame.time) for frame in container.decode(video=0)]
