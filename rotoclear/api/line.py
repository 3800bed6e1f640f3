"""
One connection's messages, one after another and no faster than allowed.

The next message is handled when the last one is answered. A client that sends
faster than its rate waits its turn, for two seconds at most: a flood must not
run as stale commands later, so a client that gets further ahead is cut off.
The rate is kept by the generic cell rate algorithm (ITU-T I.371): a message's
turn is known when it arrives.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from rotoclear.config import Limits

MAX_WAIT: Final = 2.0
"""Seconds that a message may wait because of its sender's rate."""

_ROUNDING: Final = 1e-6


class Line:
    """
    What a client has sent and is not answered yet.

    :param handle: deals with one message; ``None``, or fires when it is answered.
    :param flooded: called, once, when the client is too far ahead; what
        waited is dropped.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        limits: Limits,
        handle: Callable[[bytes | None], Deferred[None] | None],
        flooded: Callable[[], None],
    ) -> None:
        self._reactor = reactor
        self._step = 1 / limits.message_rate
        self._ahead = (limits.message_burst - 1) * self._step
        self._max_wait = min(MAX_WAIT, limits.message_waiting * self._step) + _ROUNDING
        self._max_messages = limits.message_burst + limits.message_waiting
        self._max_bytes = 4 * limits.message_size
        self._handle = handle
        self._flooded = flooded
        self._waiting: deque[tuple[float, bytes | None]] = deque()
        self._bytes = 0
        self._next = 0.0
        self._busy = False
        self._held = False
        self._closed = False
        self._timer: IDelayedCall | None = None

    def push(self, payload: bytes | None) -> None:
        """A message has come; ``None``: a binary one."""
        if self._closed:
            return
        now = self._reactor.seconds()
        turn = max(now, self._next - self._ahead)
        self._next = max(now, self._next) + self._step
        self._waiting.append((turn, payload))
        self._bytes += len(payload or b"")
        if (
            turn - now > self._max_wait
            or len(self._waiting) > self._max_messages
            or self._bytes > self._max_bytes
        ):
            self.close()
            self._flooded()
        else:
            self._advance()

    def hold(self) -> None:
        """Handle nothing for now: the client does not read its answers."""
        self._held = True

    def release(self) -> None:
        """Go on."""
        self._held = False
        self._advance()

    def close(self) -> None:
        """Drop what waits; nothing is handled any more."""
        self._closed = True
        self._waiting.clear()
        self._bytes = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _advance(self) -> None:
        # A loop, not a recursion: most messages are answered at once, and
        # hundreds of them may be waiting.
        while self._waiting and not (self._busy or self._held):
            turn, payload = self._waiting[0]
            delay = turn - self._reactor.seconds()
            if delay > _ROUNDING:
                if self._timer is None:
                    self._timer = self._reactor.callLater(delay, self._due)
                return
            self._waiting.popleft()
            self._bytes -= len(payload or b"")
            answered = self._handle(payload)
            if answered is not None and not answered.called:
                self._busy = True
                answered.addBoth(self._answered)

    def _due(self) -> None:
        self._timer = None
        self._advance()

    def _answered(self, result: object) -> None:
        self._busy = False
        self._advance()
