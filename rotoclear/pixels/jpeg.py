"""Planes as JPEG, and JPEG as planes."""

from __future__ import annotations

from typing import Any, cast

import cv2
import numpy as np
import simplejpeg
from av import CodecContext, FFmpegError, Packet

from rotoclear.pixels import Planes, split
from rotoclear.pixels.raw import BadPicture, from_rgb


def to_jpeg(planes: Planes, quality: int) -> bytes:
    """
    A JPEG of it (JFIF).

    :param quality: 1 to 100.
    """
    return bytes(simplejpeg.encode_jpeg_yuv_planes(*split(planes), quality=quality, fastdct=True))


def from_jpeg(data: bytes, width: int, height: int) -> Planes:
    """
    A JPEG as planes, whatever its subsampling.

    FFmpeg gives what is in it, without a detour over RGB. USB cameras leave the
    Huffman tables out (UVC 1.5, MJPEG payload 2.2); it knows those of ITU-T T.81,
    annex K.3.

    :raises BadPicture: it is damaged, none, or of another size.
    """
    try:
        # Before anything is decoded: it says how much memory that takes.
        real_height, real_width, _, _ = simplejpeg.decode_jpeg_header(data)
        if (real_width, real_height) != (width, height):
            raise BadPicture(f"It is {real_width}x{real_height}, not {width}x{height}")
        decoder = CodecContext.create("mjpeg", "r")
        decoder.thread_count = 1
        decoder.options = {"err_detect": "explode"}
        (frame,) = decoder.decode(Packet(data))
        return _from_frame(frame, data)
    except (ValueError, FFmpegError) as error:
        if isinstance(error, BadPicture):
            raise
        raise BadPicture(f"It is no JPEG that can be read: {error}") from None


def _from_frame(frame: Any, data: bytes) -> Planes:
    """
    What FFmpeg has decoded, as planes.

    :param data: what it was decoded from.
    """
    width, height = frame.width, frame.height
    name = frame.format.name
    if name not in ("yuvj420p", "yuvj422p", "yuvj444p", "gray"):
        rows = cast(Planes, simplejpeg.decode_jpeg(data, "BGR", fastdct=True))
        return from_rgb(rows, cv2.COLOR_BGR2YCrCb)
    planes = np.empty((height * 3 // 2, width), np.uint8)
    if name == "gray":
        planes[height:] = 128
    for plane, target in zip(frame.planes, split(planes), strict=False):
        stored = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
        stored = stored[: plane.height, : plane.width]
        if stored.shape == target.shape:
            target[:] = stored
        else:
            shape = target.shape[1], target.shape[0]
            # Halving so is the mean of both pixels.
            cv2.resize(stored, shape, target, interpolation=cv2.INTER_LINEAR)
    return planes
