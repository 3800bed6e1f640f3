"""
Whether the wall clock can be trusted: films are deleted by it.

A device without a battery for its clock starts in 1970, or at the time at which
it was switched off, until the network tells better; and somebody may set it to
anything. So it is trusted only if

* the kernel says that it is synchronised (:manpage:`adjtimex(2)`: NTP has done so
  and goes on), or ``systemd-timesyncd`` has noted that it was since the start of the
  machine, or the configuration says that the machine's own clock is good;
* it has not jumped since the server was started, measured by ``CLOCK_MONOTONIC``,
  unless it is synchronised now;
* it is not earlier than a moment that it told before, when it was trusted.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

JUMP: Final = 60.0
"""Seconds that the wall clock may gain or lose on ``CLOCK_MONOTONIC``, all in all."""

BACK: Final = 60.0
"""Seconds that it may be earlier than it was before: NTP may step it a little."""

SYNCHRONIZED: Final = Path("/run/systemd/timesync/synchronized")
"""``systemd-timesyncd.service(8)``: made when the clock was first synchronised."""

_TIME_ERROR: Final = 5
"""What adjtimex(2) returns for a clock that is not synchronised."""

_TIMEX_SIZE: Final = 512
"""More bytes than any architecture's ``struct timex`` has; all 0: it is only to be read."""


def synchronized() -> bool:
    """Something keeps the clock right."""
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_SIZE))
    except (OSError, AttributeError):
        state = -1
    return 0 <= state < _TIME_ERROR or SYNCHRONIZED.exists()


class Clock:
    """
    The wall clock, and what can be said against it.

    :param own: the machine's clock is good though nothing synchronises it.
    :param wall: tells its time, seconds since 1970.
    :param monotonic: a clock that nobody sets.
    :param synced: tells whether it is synchronised.
    """

    def __init__(
        self,
        *,
        own: bool = False,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        synced: Callable[[], bool] = synchronized,
    ) -> None:
        self._own = own
        self._wall = wall
        self._monotonic = monotonic
        self._synced = synced
        self._offset = wall() - monotonic()

    def now(self) -> float:
        """What it tells."""
        return self._wall()

    def objection(self, latest: float) -> str:
        """
        Why it cannot be trusted, for people; empty: it can.

        :param latest: the latest moment that it told when it was trusted; 0: none.
        """
        if self._synced():
            self._offset = self._wall() - self._monotonic()
        elif not self._own:
            return "nothing has synchronised it"
        elif abs(self._wall() - self._monotonic() - self._offset) > JUMP:
            return "it was set while the server ran"
        if self._wall() < latest - BACK:
            return "it told a later time before"
        return ""
