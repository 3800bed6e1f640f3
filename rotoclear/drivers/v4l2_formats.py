"""
Picture sizes, frame rates and formats, and which format a mode comes in.

A camera offers each format at sizes of its own, and each size at rates of its
own. A client chooses size and rate; of the formats that reach both, pixels as they
are come before JPEG, which costs quality and a decoder's time, as long as there are not too
many of them for a second (:data:`MOST_RAW`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Final

from attrs import frozen

from rotoclear.drivers.v4l2_node import Node, Range
from rotoclear.interfaces import VideoMode

FORMATS: Final[Mapping[str, str]] = {
    "YUYV": "yuyv",
    "NV12": "nv12",
    "YU12": "i420",
    "UYVY": "uyvy",
    "BGR3": "bgr24",
    "RGB3": "rgb24",
    "MJPG": "mjpeg",
    "JPEG": "mjpeg",
    "GREY": "grey",
}
"""V4L2's names of the formats that we can use; those that are preferred come first."""

BITS: Final = {
    "yuyv": 16, "uyvy": 16, "nv12": 12, "i420": 12, "rgb24": 24, "bgr24": 24, "grey": 8,
}  # fmt: skip
"""Of each pixel, if pixels lie there as they are."""

MOST_RAW: Final = 260_000_000
"""Bytes a second of pixels beyond which JPEG is better: 1920x1080 at 60 in 4:2:2 is within."""

SIZES: Final = (
    (640, 480), (800, 600), (1024, 768), (1280, 720), (1280, 960), (1280, 1024), (1600, 1200),
    (1920, 1080), (1920, 1200), (2560, 1440), (2592, 1944), (3840, 2160),
)  # fmt: skip
"""Offered by a camera that can do any size within limits, if they hold these."""

RATES: Final = (5, 10, 15, 20, 25, 30, 50, 60)
"""Likewise for a camera that can do any rate."""

DEFAULT_RATE: Final = 30
"""Of a camera that says nothing of rates."""

_MAX_MODES: Final = 256
_MAX_RATE: Final = 1000
_MAX_SIDE: Final = 99_998


@frozen
class Offer:
    """A format at a size and an interval, in seconds."""

    code: str
    width: int
    height: int
    interval: Fraction


@frozen
class Choice:
    """
    How a mode is had.

    :ivar code: V4L2's name of the format.
    :ivar interval: seconds from one picture to the next.
    """

    code: str
    interval: Fraction


Modes = Mapping[tuple[int, int], Mapping[int, Choice]]
"""By size and whole frame rate."""


def whole(interval: Fraction) -> int:
    """
    The whole frame rate that stands for an interval.

    29.97 is called 30; what is more than a hundredth away from a whole number is rounded down.
    """
    rate = 1 / interval
    nearest = round(rate)
    if nearest and abs(rate - nearest) * 100 <= nearest:
        return nearest
    return max(1, int(rate))


def offers_of(node: Node) -> Iterator[Offer]:
    """
    All that a camera offers, at its present input.

    :raises OSError: it does not answer.
    """
    for code in node.formats():
        if code not in FORMATS:
            continue
        for sizes in node.sizes(code):
            for width, height in within(sizes) if isinstance(sizes, Range) else (sizes,):
                found = False
                for interval in _intervals(node, code, width, height):
                    found = True
                    yield Offer(code, width, height, interval)
                if not found:
                    yield Offer(code, width, height, node.interval() or Fraction(1, DEFAULT_RATE))


def within(sizes: Range) -> list[tuple[int, int]]:
    """The usual sizes that lie between limits, and the largest."""
    steps = tuple(max(step, 1) for step in sizes.step)
    largest = tuple(
        low + (high - low) // step * step
        for low, high, step in zip(sizes.low, sizes.high, steps, strict=True)
    )
    fitting = [
        size
        for size in SIZES
        if all(
            low <= side <= high and (side - low) % step == 0
            for side, low, high, step in zip(size, sizes.low, sizes.high, steps, strict=True)
        )
    ]
    return list(dict.fromkeys([*fitting, (largest[0] & ~1, largest[1] & ~1)]))


def _intervals(node: Node, code: str, width: int, height: int) -> Iterator[Fraction]:
    for item in node.intervals(code, width, height):
        if isinstance(item, Fraction):
            yield item
            continue
        shortest, longest = item
        yield shortest
        for rate in RATES:
            if shortest <= Fraction(1, rate) <= longest:
                yield Fraction(1, rate)


def modes_of(offers: Iterable[Offer], prefer: str = "auto") -> Modes:
    """
    Which format each size and rate comes in.

    :param prefer: one of our formats: it comes before all others where it can be had.
    """
    best: dict[tuple[int, int], dict[int, tuple[tuple[float, ...], Choice]]] = {}
    for offer in offers:
        sides = (offer.width, offer.height)
        rate = whole(offer.interval)
        if rate > _MAX_RATE or any(side % 2 or not 2 <= side <= _MAX_SIDE for side in sides):
            continue
        rank = (*_rank(offer, prefer), abs(float(1 / offer.interval) - rate))
        rates = best.setdefault(sides, {})
        if rate not in rates or rank < rates[rate][0]:
            rates[rate] = (rank, Choice(offer.code, offer.interval))
    largest = sorted(best, key=lambda size: (size[0] * size[1], size[0]), reverse=True)
    return {
        size: {rate: choice for rate, (_, choice) in sorted(best[size].items())}
        for size in largest[:_MAX_MODES]
    }


def _rank(offer: Offer, prefer: str) -> tuple[int, int]:
    """Smaller is better."""
    format_ = FORMATS[offer.code]
    order = list(FORMATS).index(offer.code)
    if format_ == prefer:
        return 0, order
    if format_ == "grey":
        return 4, order  # of a camera that has colours, too, it is no substitute
    bits = BITS.get(format_)
    if bits is None:
        return 2, order
    if offer.width * offer.height * bits / 8 / offer.interval <= MOST_RAW:
        return 1, order
    return 3, bits


def described(table: Modes) -> tuple[VideoMode, ...]:
    """The modes, largest first."""
    return tuple(VideoMode(width, height, tuple(rates)) for (width, height), rates in table.items())


def formats_in(tables: Iterable[Modes]) -> tuple[str, ...]:
    """Our names of the formats that any mode comes in."""
    used = {
        FORMATS[choice.code]
        for table in tables
        for choices in table.values()
        for choice in choices.values()
    }
    return tuple(sorted(used))


def length_of(code: str, height: int, stride: int) -> int:
    """The least bytes that a whole picture has, from its stride; 0 if that cannot be known."""
    format_ = FORMATS[code]
    if format_ not in BITS:
        return 0
    return stride * height * 3 // 2 if format_ in ("nv12", "i420") else stride * height
