"""The time of a film: from when pictures were taken to when they are shown."""

from __future__ import annotations

from typing import Final

from rotoclear.media.engine.writing import CLOCK_RATE

JUMP: Final = 5 * CLOCK_RATE
"""Ticks between two pictures that no camera takes: its clock has been set."""

BACK: Final = CLOCK_RATE // 2
"""Ticks that the next picture may seem to come before the last one: of another camera, say."""

NANO: Final = 10**9


class Timeline:
    """
    Ticks that only ever rise, one for each picture.

    They keep to the pictures' own times as long as those make sense: pictures that
    never came leave a gap. Where a camera's clock jumps, it goes on with the usual
    distance.
    """

    def __init__(self) -> None:
        self._origin: int | None = None
        self._last = -1
        self._taken: dict[int, int] = {}

    def ticks(self, time: int, usual: int) -> int:
        """
        When a picture is shown.

        :param time: nanoseconds of the camera's clock.
        :param usual: ticks from one picture to the next.
        """
        if self._origin is None:
            self._origin = time
        ticks = ((time - self._origin) * CLOCK_RATE + NANO // 2) // NANO
        if not self._last - BACK <= ticks <= self._last + JUMP:
            ticks = self._last + usual
            self._origin = time - ticks * NANO // CLOCK_RATE
        self._last = max(ticks, self._last + 1)
        self._taken[self._last] = time
        return self._last

    def taken(self, ticks: int) -> int:
        """When the picture of these ticks was taken; to be asked once for each, in order."""
        found = ticks
        for known in tuple(self._taken):
            if known > ticks:
                break
            found = self._taken.pop(known)
        return found
