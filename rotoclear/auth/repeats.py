"""
What somebody repeats is listed a few times, and from then on counted.

Anybody who reaches the server can be refused as often as they like. If each
time were a line of the log, they could fill it, and what stands in it besides
would be lost: a journal drops what is too much.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from attrs import define
from twisted.internet.interfaces import IDelayedCall, IReactorTime

LISTED: Final = 10
"""Lines of one kind from one address within the window."""

WINDOW: Final = 60.0
"""Seconds from the first of them until the others are summed up and it begins anew."""

MOST: Final = 256
"""Pairs of kind and address that are told apart; those beyond it are taken together."""

OTHERS: Final = "other addresses"
"""What stands for the address of those."""


@define
class _Window:
    ends: float
    count: int = 0


class Repeats:
    """
    Says what is to be listed, and sums up what was not.

    :param reactor: its ``seconds()`` must be monotonic.
    :param tell: called when a window is over in which more came than was
        listed, with the kind, the address, and how many more.
    """

    def __init__(self, reactor: IReactorTime, tell: Callable[[str, str, int], None]) -> None:
        self._reactor = reactor
        self._tell = tell
        self._windows: dict[tuple[str, str], _Window] = {}  # those that end first come first
        self._call: IDelayedCall | None = None

    def __len__(self) -> int:
        """How many pairs of kind and address are remembered."""
        return len(self._windows)

    def listed(self, kind: str, address: str) -> bool:
        """
        Whether this one is to be listed. It is counted.

        :param address: of a bounded length: it is kept.
        """
        now = self._reactor.seconds()
        self._sum_up(now)
        pair = (kind, address)
        if pair not in self._windows and len(self._windows) >= MOST:
            pair = (kind, OTHERS)
        window = self._windows.setdefault(pair, _Window(now + WINDOW))
        window.count += 1
        if window.count <= LISTED:
            return True
        self._schedule()
        return False

    def close(self) -> None:
        """Sum up at once: the server ends."""
        if self._call is not None:
            self._call.cancel()
            self._call = None
        self._sum_up(float("inf"))

    def _schedule(self) -> None:
        if self._call is None:
            ends = next((w.ends for w in self._windows.values() if w.count > LISTED), None)
            if ends is not None:
                delay = max(0.0, ends - self._reactor.seconds())
                self._call = self._reactor.callLater(delay, self._over)

    def _over(self) -> None:
        self._call = None
        self._sum_up(self._reactor.seconds())
        self._schedule()

    def _sum_up(self, now: float) -> None:
        while self._windows:
            pair, window = next(iter(self._windows.items()))
            if window.ends > now:
                return
            del self._windows[pair]
            if window.count > LISTED:
                self._tell(*pair, window.count - LISTED)
