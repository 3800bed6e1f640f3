"""
Pictures that are not compressed, turned into planes, and planes into YUYV.

Packed and planar YUV comes with the limited range of 16 to 235 (ITU-R BT.601),
as V4L2's default is for it; RGB and grey with the full one.
"""

from __future__ import annotations

from typing import Final, cast

import cv2
import numpy as np

from rotoclear.pixels import Planes, size, split

# ITU-R BT.601: 219 steps of brightness from 16 on, 224 of colour around 128. OpenCV multiplies
# and adds in half the time that looking each level up takes, and rounds and saturates alike.
_Y: Final = 219 / 255, 16.0
_C: Final = 224 / 255, 128 - 128 * 224 / 255


class BadPicture(ValueError):
    """It is not what it claims to be. ``str()`` says what is wrong."""


def from_raw(data: bytes, format: str, width: int, height: int, stride: int) -> Planes:  # noqa: A002
    """
    A picture that is not compressed as planes.

    :param data: what :class:`rotoclear.interfaces.Frame` holds, and so are the others.
    :raises BadPicture: it is too short, or of a format that is none.
    """
    match format:
        case "yuyv" | "uyvy":
            return _from_packed(_rows(data, width * 2, height, stride), format, width, height)
        case "nv12":
            return _from_nv12(data, width, height, stride)
        case "i420":
            return _from_i420(data, width, height, stride)
        case "rgb24" | "bgr24":
            rows = _rows(data, width * 3, height, stride).reshape(height, width, 3)
            code = cv2.COLOR_BGR2YCrCb if format == "bgr24" else cv2.COLOR_RGB2YCrCb
            return from_rgb(rows, code)
        case "grey":
            planes = np.full((height * 3 // 2, width), 128, np.uint8)
            planes[:height] = _rows(data, width, height, stride)
            return planes
    raise BadPicture(f"There is no format {format!r:.40}")


def limited(planes: Planes) -> Planes:
    """The same with the limited range, as video has it."""
    height = size(planes)[1]
    result = np.empty_like(planes)
    cv2.convertScaleAbs(planes[:height], result[:height], *_Y)
    cv2.convertScaleAbs(planes[height:], result[height:], *_C)
    return result


def full(planes: Planes) -> Planes:
    """The same with the full range, of planes with the limited one; in place."""
    height = size(planes)[1]
    for part, (scale, offset) in ((planes[:height], _Y), (planes[height:], _C)):
        cv2.addWeighted(part, 1 / scale, part, 0, -offset / scale, part)
    return planes


def to_yuyv(planes: Planes) -> Planes:
    """The same as YUYV with the limited range: its lines, of two bytes a pixel."""
    width, height = size(planes)
    y, u, v = split(limited(planes))
    colours = cv2.merge((u, v)).reshape(height // 2, width)
    pairs = cv2.merge((y, np.repeat(colours, 2, axis=0)))
    return cast(Planes, pairs.reshape(height, width * 2))


def from_rgb(rows: Planes, code: int) -> Planes:
    """
    Pixels of three colours as planes.

    :param rows: lines of pixels of three values.
    :param code: OpenCV's, for how they become Y, Cr and Cb.
    """
    height, width, _ = rows.shape
    ycc = cv2.cvtColor(np.ascontiguousarray(rows), code)
    planes = np.empty((height * 3 // 2, width), np.uint8)
    y, u, v = split(planes)
    cv2.extractChannel(ycc, 0, y)
    small = cv2.resize(ycc, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    cv2.extractChannel(small, 2, u)
    cv2.extractChannel(small, 1, v)
    return planes


def _rows(data: bytes, length: int, height: int, stride: int) -> Planes:
    """The lines of a plane, without what lies between them."""
    stride = stride or length
    needed = stride * (height - 1) + length
    if stride < length or len(data) < needed:
        raise BadPicture(f"It has {len(data)} bytes; its lines take {needed}")
    if len(data) < stride * height:
        data = bytes(data) + bytes(stride * height - len(data))
    return np.frombuffer(data, np.uint8, stride * height).reshape(height, stride)[:, :length]


def _from_packed(rows: Planes, format: str, width: int, height: int) -> Planes:  # noqa: A002
    pairs = np.ascontiguousarray(rows).reshape(height, width, 2)
    planes = np.empty((height * 3 // 2, width), np.uint8)
    y, u, v = split(planes)
    colours = np.empty((height, width), np.uint8)
    # Into arrays that are there: all channels at once take less than one alone.
    cv2.split(pairs, [y, colours] if format == "yuyv" else [colours, y])
    # A colour for two lines: the mean of both.
    mean = cv2.addWeighted(colours[0::2], 0.5, colours[1::2], 0.5, 0)
    cv2.split(mean.reshape(height // 2, width // 2, 2), [u, v])
    return full(planes)


def _from_nv12(data: bytes, width: int, height: int, stride: int) -> Planes:
    rows = _rows(data, width, height * 3 // 2, stride)
    planes = np.empty((height * 3 // 2, width), np.uint8)
    y, u, v = split(planes)
    y[:] = rows[:height]
    u[:] = rows[height:, 0::2]
    v[:] = rows[height:, 1::2]
    return full(planes)


def _from_i420(data: bytes, width: int, height: int, stride: int) -> Planes:
    stride = stride or width
    planes = np.empty((height * 3 // 2, width), np.uint8)
    y, u, v = split(planes)
    y[:] = _rows(data, width, height, stride)
    colours = memoryview(data)[stride * height :]
    rows = _rows(colours, width // 2, height, stride // 2)  # type: ignore[arg-type]
    u[:], v[:] = rows[: height // 2], rows[height // 2 :]
    return full(planes)
