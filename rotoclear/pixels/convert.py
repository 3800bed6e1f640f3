"""
Pictures as cameras send them, turned into planes, and planes into JPEG.

:mod:`~rotoclear.pixels.raw` and :mod:`~rotoclear.pixels.jpeg` in one place.
"""

from __future__ import annotations

from rotoclear.pixels import Planes
from rotoclear.pixels.jpeg import from_jpeg, to_jpeg
from rotoclear.pixels.raw import BadPicture, from_raw, full, limited

__all__ = ("BadPicture", "full", "limited", "to_jpeg", "to_planes")


def to_planes(data: bytes, format: str, width: int, height: int, stride: int = 0) -> Planes:  # noqa: A002
    """
    A camera's picture as planes.

    :param data: what :class:`rotoclear.interfaces.Frame` holds, and so are the others.
    :raises BadPicture: it is too short, damaged, or of a format that is none.
    """
    if width % 2 or height % 2:
        raise BadPicture(f"{width}x{height} is not even")
    if format == "mjpeg":
        return from_jpeg(data, width, height)
    return from_raw(data, format, width, height, stride)
