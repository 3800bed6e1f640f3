"""How long to wait before connecting again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

FIRST: Final = 1.0
"""Seconds after the first failure."""

MOST: Final = 30.0
"""Seconds at most."""

STABLE: Final = 5.0
"""Seconds that a connection must have been good for the past to be forgotten."""


class Backoff:
    """
    Doubles from one failure to the next; of that, a random half to all is waited.

    The chance in it keeps a hundred panels from coming back in the same moment.

    :param random: gives numbers from 0 to 1.
    """

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._next = FIRST

    def forget(self) -> None:
        """Nothing has failed so far."""
        self._next = FIRST

    def delay(self, good_for: float) -> float:
        """
        Seconds to wait.

        :param good_for: for how many seconds the connection that was lost had
            been good; 0 if it never was.
        """
        if good_for >= STABLE:
            self.forget()
        delay = self._next * (0.5 + self._random() / 2)
        self._next = min(self._next * 2, MOST)
        return delay
