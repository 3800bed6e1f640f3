"""Two pictures in one: scaling, and picture-in-picture."""

from __future__ import annotations

from typing import Final, cast

import cv2

from rotoclear.pixels import Planes, blank, size, split

SHARE: Final = 4
"""The small picture has a quarter of the large one's width and height."""

MARGIN: Final = 32
"""The small picture is a 32nd of the width away from the edges."""


def scaled(planes: Planes, width: int, height: int) -> Planes:
    """
    The picture in another size; bars where it is not as wide or as high.

    :return: the very same one if it has that size.
    """
    if size(planes) == (width, height):
        return planes
    result = blank(width, height)
    old_width, old_height = size(planes)
    scale = min(width / old_width, height / old_height)
    new = _even(old_width * scale, width), _even(old_height * scale, height)
    _put(planes, result, (width - new[0]) // 2, (height - new[1]) // 2, *new)
    return result


def reduced(planes: Planes, width: int, height: int) -> Planes:
    """
    The picture in its own proportions, no larger than that.

    :return: the very same one if it is not.
    """
    old_width, old_height = size(planes)
    scale = min(width / old_width, height / old_height)
    if scale >= 1:
        return planes
    new = _even(old_width * scale, width), _even(old_height * scale, height)
    result = blank(*new)
    _put(planes, result, 0, 0, *new)
    return result


def inset(width: int, height: int, mode: str) -> tuple[int, int]:
    """
    Width and height of the other camera's picture in one of that size.

    :param mode: a value of ``pip-mode`` but ``off``.
    """
    if mode == "side-by-side":
        return width // 4 * 2, height
    return _even(width / SHARE, width), _even(height / SHARE, height)


def composed(main: Planes, other: Planes | None, mode: str) -> Planes:
    """
    The active camera's picture, and in it or beside it the other one's.

    :param other: of whatever size; without it there is only the first.
    :param mode: a value of ``pip-mode``.
    :return: the very same picture, or a new one of the same size.
    """
    if other is None or mode == "off":
        return main
    width, height = size(main)
    across, down = inset(width, height, mode)
    if mode == "side-by-side":
        result = blank(width, height)
        for planes, left in ((main, 0), (other, across)):
            small = scaled(planes, across, down)
            _put(small, result, left, 0, across, down)
        return result
    result = main.copy()
    margin = _even(width / MARGIN, width)
    left = margin if mode.endswith("left") else width - across - margin
    top = margin if mode.startswith("top") else height - down - margin
    _put(scaled(other, across, down), result, left, top, across, down)
    return result


def _put(planes: Planes, onto: Planes, left: int, top: int, width: int, height: int) -> None:
    """Draw a picture in that size at that place; both are even, or made so."""
    left, top = left // 2 * 2, top // 2 * 2
    for number, (plane, target) in enumerate(zip(split(planes), split(onto), strict=True)):
        part = 1 if number == 0 else 2
        across, down = width // part, height // part
        area = target[top // part : top // part + down, left // part : left // part + across]
        if plane.shape == area.shape:
            area[:] = plane
        else:
            area[:] = _resized(plane, across, down)


def _resized(plane: Planes, width: int, height: int) -> Planes:
    """
    In that size.

    Halving is what OpenCV does quickest, and what is left is less than that:
    each pixel counts, and it takes a fifth of the time of ``INTER_AREA`` alone.
    """
    while plane.shape[1] >= 2 * width and plane.shape[0] >= 2 * height:
        half = plane.shape[1] // 2, plane.shape[0] // 2
        plane = cast(Planes, cv2.resize(plane, half, interpolation=cv2.INTER_AREA))
    if plane.shape == (height, width):
        return plane
    return cast(Planes, cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR))


def _even(length: float, most: int) -> int:
    return max(2, min(int(length) // 2 * 2, most))
