"""What picture sizes and frame rates a camera has, and which comes nearest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from attrs import frozen

from rotoclear.interfaces import VideoMode
from rotoclear.values import Integer, InvalidValue, Size, Value, pixels

FPS: Final = Integer(5, 60, "frames per second")
"""The frame rates that there can be at all."""

Modes = Mapping[str, tuple[int, ...]]
"""Frame rates, ascending, by size, largest first. Empty: nobody knows."""


def modes_of(described: Iterable[VideoMode]) -> Modes:
    """A camera's modes, without rates that ``fps`` cannot have."""
    rates: dict[str, set[int]] = {}
    for mode in described:
        usable = {rate for rate in mode.rates if FPS.minimum <= rate <= FPS.maximum}
        if usable:
            rates.setdefault(f"{mode.width}x{mode.height}", set()).update(usable)
    return {size: tuple(sorted(rates[size])) for size in sorted(rates, key=_extent, reverse=True)}


def nearest_size(modes: Modes, size: str) -> str:
    """The size itself if it can be had, else the next smaller one, else the smallest."""
    if not modes or size in modes:
        return size
    smaller = [other for other in modes if _extent(other) <= _extent(size)]
    return smaller[0] if smaller else list(modes)[-1]


def nearest_rate(modes: Modes, size: str, rate: int) -> int:
    """The rate itself if it can be had at this size, else the next lower, else the lowest."""
    rates = modes.get(size, ())
    if not rates or rate in rates:
        return rate
    return max((other for other in rates if other < rate), default=rates[0])


def _extent(size: str) -> tuple[int, int]:
    """How large a size is: its area, then its width."""
    width, height = pixels(size)
    return width * height, width


@frozen
class SizeForNow(Size):
    """
    The active camera's sizes.

    It lets every size through: a message may switch to a camera that has
    others, and only the whole message can be judged.
    """

    def parse(self, raw: object) -> Value:
        try:
            return Size().parse(raw)
        except InvalidValue:
            return super().parse(raw)


@frozen
class RateForNow(Integer):
    """
    What the active camera can do at the present size.

    It lets every rate through, as :class:`SizeForNow` does: a message may
    change the size, too.
    """

    def parse(self, raw: object) -> Value:
        return FPS.parse(raw)


def rate_for_now(rates: tuple[int, ...]) -> Integer:
    """The type of ``fps`` with these rates; empty: nobody knows."""
    return RateForNow(FPS.minimum, FPS.maximum, FPS.unit, rates) if rates else FPS
