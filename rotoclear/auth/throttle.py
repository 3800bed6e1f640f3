"""
Guessing a password must be slow.

So many failures for one user from one address within a window, and further
tries are refused unheard until the oldest failure leaves it. It counts by the
monotonic clock; a right password clears the count. Tokens are not throttled:
at 256 bits nobody guesses one, and a client that repeats an expired one must not lock
its user out.
"""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from typing import Final

from twisted.internet.interfaces import IReactorTime

from rotoclear.auth.errors import TooManyAttempts

MOST: Final = 16_384
"""
Pairs of user and address that are remembered; beyond it the one that has not
failed for the longest is forgotten. Where each failure costs a hash, that lets
nobody fill it within the default window; what costs none (Digest) needs a
throttle of its own.
"""


class Throttle:
    """
    Counts failed logins.

    Names and addresses must come cut to a bounded length: they are kept.

    :param failures: after which no more are heard.
    :param window: seconds for which a failure counts.
    """

    def __init__(
        self, reactor: IReactorTime, failures: int, window: float, most: int = MOST
    ) -> None:
        self._reactor = reactor
        self._failures = failures
        self._window = window
        self._most = most
        self._failed: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def __len__(self) -> int:
        """How many pairs of user and address are remembered."""
        return len(self._failed)

    def check(self, name: str, address: str) -> None:
        """
        Let a try pass, or not.

        :raises TooManyAttempts: not now.
        """
        times = self._failed.get((name, address))
        if times is None or len(times) < self._failures:
            return
        remaining = times[0] + self._window - self._reactor.seconds()
        if remaining > 0:
            raise TooManyAttempts(max(1, math.ceil(remaining)))

    def failed(self, name: str, address: str) -> None:
        """A try has failed."""
        now = self._reactor.seconds()
        self._forget(now)
        times = self._failed.setdefault((name, address), deque(maxlen=self._failures))
        times.append(now)
        self._failed.move_to_end((name, address))
        if len(self._failed) > self._most:
            self._failed.popitem(last=False)

    def succeeded(self, name: str, address: str) -> None:
        """The right password came: what failed before no longer counts."""
        self._failed.pop((name, address), None)

    def _forget(self, now: float) -> None:
        """Drop the pairs whose failures no longer count: those at the front."""
        while self._failed:
            pair, times = next(iter(self._failed.items()))
            if times[-1] + self._window > now:
                return
            del self._failed[pair]
