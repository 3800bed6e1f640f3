"""What the server counts about itself."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from attrs import define, field

FANOUT_BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
"""Seconds: a change is to be with every client within milliseconds."""


class Histogram:
    """
    How often what was measured was how much.

    :param bounds: the upper ends of its buckets but the last one, ascending.
    :ivar sum: of all that was measured.
    """

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """This was measured."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self.sum += value

    def buckets(self) -> list[tuple[str, float]]:
        """Each bound with how many were not above it, as Prometheus has them."""
        names = [*map(str, self._bounds), "+Inf"]
        return list(zip(names, accumulate(self._counts), strict=True))


@define(eq=False)
class Metrics:
    """
    Plain counters, cheap to increase wherever something happens.

    They only ever grow, from 0 at start; ``/metrics`` reads them when it is
    asked.

    :ivar messages: WebSocket messages that clients have sent.
    :ivar messages_refused: errors that were answered, by the protocol's name
        of the error (``"Invalid value"``).
    :ivar broadcasts: change messages that were handed to connections: one per
        connection and message.
    :ivar coalesced: values that a slow client was spared, because a newer
        one had come.
    :ivar changes: keys that have changed.
    :ivar connections_opened: WebSocket connections that have been accepted.
    :ivar connections_refused: handshakes that were answered 503.
    :ivar connections_closed: WebSocket connections that have ended, by close code.
    :ivar pictures_shown: live pictures that were handed to viewers.
    :ivar pictures_skipped: those that a viewer was too slow for.
    :ivar fanout: seconds from a change until every client has been handed it.
    :ivar requests: HTTP requests that have been answered, by method and status.
    """

    messages: int = 0
    messages_refused: dict[str, int] = field(factory=dict)
    broadcasts: int = 0
    coalesced: int = 0
    changes: int = 0
    connections_opened: int = 0
    connections_refused: int = 0
    pictures_shown: int = 0
    pictures_skipped: int = 0
    connections_closed: dict[int, int] = field(factory=dict)
    requests: dict[tuple[str, int], int] = field(factory=dict)
    fanout: Histogram = field(factory=lambda: Histogram(FANOUT_BUCKETS))

    def refused(self, error: str) -> None:
        """A message, or one key of it, was answered with an error."""
        self.messages_refused[error] = self.messages_refused.get(error, 0) + 1

    def closed(self, code: int) -> None:
        """A WebSocket connection has ended."""
        self.connections_closed[code] = self.connections_closed.get(code, 0) + 1

    def answered(self, method: str, status: int) -> None:
        """An HTTP request has been answered."""
        self.requests[method, status] = self.requests.get((method, status), 0) + 1
