"""How long to wait before a driver's process is started anew."""

from __future__ import annotations

from typing import Final

FIRST: Final = 0.1
"""Seconds before the first new start."""

MOST: Final = 30.0
"""Seconds at most when it never gets as far as to serve its devices."""

MOST_SERVING: Final = 1.0
"""The same when it does: its devices are then back within three seconds, always."""

STABLE: Final = 1.0
"""Seconds of service after which the past is forgotten."""


class Backoff:
    """Doubles from one failure to the next."""

    def __init__(self) -> None:
        self._next = FIRST

    def delay(self, served: float | None) -> float:
        """
        Seconds to wait now that the process has ended.

        :param served: for how many seconds it has served its devices;
            ``None`` if it has not got that far.
        """
        if served is not None and served >= STABLE:
            self._next = FIRST
        delay = self._next if served is None else min(self._next, MOST_SERVING)
        self._next = min(delay * 2, MOST)
        return delay
