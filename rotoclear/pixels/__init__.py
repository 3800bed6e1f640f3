"""
Arithmetic with pixels: NumPy and OpenCV, and nothing of ours.

All pictures in here are **planes**: a ``uint8`` array of ``height * 3 / 2`` rows
and ``width`` columns, both even. First Y, then U and V at half the size each way
(I420), BT.601 with the full range of 0 to 255, as in JPEG.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Planes = NDArray[np.uint8]
"""A picture; see the module."""

# One core for each stage of the pipeline; what OpenCV would share out costs more than it saves.
cv2.setNumThreads(1)


def blank(width: int, height: int) -> Planes:
    """A black picture."""
    planes = np.full((height * 3 // 2, width), 128, np.uint8)
    planes[:height] = 0
    return planes


def size(planes: Planes) -> tuple[int, int]:
    """Width and height."""
    rows, width = planes.shape
    return width, rows * 2 // 3


def split(planes: Planes) -> tuple[Planes, Planes, Planes]:
    """Its Y, U and V, as views."""
    width, height = size(planes)
    half = planes[height:].reshape(2, height // 2, width // 2)
    return planes[:height], half[0], half[1]
