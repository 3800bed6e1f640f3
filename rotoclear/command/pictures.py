"""A camera's frame as a file that everything can show, without anything to convert it with."""

from __future__ import annotations

from typing import Protocol


class Picture(Protocol):
    """See :class:`rotoclear.devices.ring.Picture`."""

    @property
    def data(self) -> bytes: ...
    @property
    def format(self) -> str: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def stride(self) -> int: ...


def encoded(picture: Picture) -> bytes:
    """
    The file's content.

    A JPEG stays as it is, RGB becomes a PPM, and of everything else the
    brightness a PGM (https://netpbm.sourceforge.net/doc/).
    """
    size = f"{picture.width} {picture.height}\n255\n".encode()
    match picture.format:
        case "mjpeg":
            return picture.data
        case "rgb24":
            return b"P6\n" + size + _lines(picture, 3)
        case "bgr24":
            pixels = bytearray(_lines(picture, 3))
            pixels[0::3], pixels[2::3] = pixels[2::3], pixels[0::3]
            return b"P6\n" + size + pixels
        case "yuyv":
            return b"P5\n" + size + _lines(picture, 2)[0::2]
        case "uyvy":
            return b"P5\n" + size + _lines(picture, 2)[1::2]
        case _:  # the first plane is the brightness
            return b"P5\n" + size + _lines(picture, 1)


def _lines(picture: Picture, depth: int) -> bytes:
    """The first plane's lines without what is between them."""
    length = picture.width * depth
    stride = picture.stride or length
    starts = range(0, picture.height * stride, stride)
    return b"".join(picture.data[start : start + length] for start in starts)
