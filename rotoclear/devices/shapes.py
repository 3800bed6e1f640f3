"""How many bytes a picture has, by its format and size."""

from __future__ import annotations

from typing import Final

from rotoclear.interfaces import PIXEL_FORMATS, Frame

MAX_SIDE: Final = 99_998
"""Pixels of the longest line, and lines of the highest picture."""

MAX_LENGTH: Final = 1 << 28
"""Bytes of the largest picture: 8K in RGB, and more."""

MAX_COUNT: Final = (1 << 63) - 1
"""The highest sequence number and timestamp."""

_LINE: Final = {"yuyv": 2, "uyvy": 2, "nv12": 1, "i420": 1, "rgb24": 3, "bgr24": 3, "grey": 1}
"""Bytes of a pixel in the first plane."""

_START: Final = b"\xff\xd8"
"""A JPEG begins with SOI (ITU-T T.81, table B.1)."""


class BadFrame(ValueError):
    """A frame is not what it says. ``str()`` tells why."""


def lengths(name: str, width: int, height: int, stride: int) -> tuple[int, int, int]:
    """
    What a picture needs.

    :param name: of the format: one of :data:`~rotoclear.interfaces.PIXEL_FORMATS`.
    :param stride: as in :class:`~rotoclear.interfaces.Frame`.
    :return: the bytes that it has at least (the last line may end early) and at
        most, and the real stride; 0 for ``mjpeg``.
    :raises BadFrame: there is no such picture.
    """
    if name not in PIXEL_FORMATS:
        raise BadFrame(f"there is no format {name!r:.100}")
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise BadFrame(f"a picture cannot be {width}x{height}")
    if name == "mjpeg":
        return 4, MAX_LENGTH, 0
    line = width * _LINE[name]
    stride = stride or line
    if not line <= stride <= MAX_LENGTH:
        raise BadFrame(f"the stride {stride} does not fit a line of {line} bytes")
    if name == "i420" and stride % 2:
        raise BadFrame(f"the stride {stride} cannot be halved")
    lines = height + (height + 1) // 2 if name in ("nv12", "i420") else height
    most = stride * lines
    if most > MAX_LENGTH:
        raise BadFrame(f"{most} bytes are more than the {MAX_LENGTH} that are allowed")
    spare = (stride - line) // (2 if name == "i420" else 1)
    return most - spare, most, stride


def checked(frame: object) -> tuple[memoryview, int]:
    """
    See whether a driver has returned a picture.

    :return: its bytes, without what follows the last line, and its real stride.
    :raises BadFrame: it is none.
    """
    if not isinstance(frame, Frame):
        raise BadFrame(f"read() returned {frame!r:.100}, which is no Frame")
    for name in ("width", "height", "timestamp", "sequence", "stride"):
        value = getattr(frame, name)
        if type(value) is not int or not 0 <= value <= MAX_COUNT:
            raise BadFrame(f"the {name} of a frame is {value!r:.100}")
    if type(frame.format) is not str:
        raise BadFrame(f"the format of a frame is {frame.format!r:.100}")
    least, most, stride = lengths(frame.format, frame.width, frame.height, frame.stride)
    try:
        data = memoryview(frame.data).cast("B")
    except (TypeError, ValueError) as error:
        raise BadFrame(f"the data of a frame cannot be read: {error}") from None
    have = len(data)
    if have < least or (frame.format == "mjpeg" and have > most):
        raise BadFrame(
            f"a frame of {have} bytes cannot be {frame.width}x{frame.height} in {frame.format}: "
            f"that takes {least}"
        )
    if frame.format == "mjpeg" and bytes(data[:2]) != _START:
        raise BadFrame("a frame in mjpeg does not begin as a JPEG does")
    return data[:most], stride
