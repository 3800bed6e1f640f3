"""What a simulated device is asked to do, and is waited for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from rotoclear.devices import wire
from rotoclear.values import Value

LIMIT: Final = 2.0
"""Seconds for an answer."""


class Rehearsals:
    """
    The requests to one process of a simulated driver.

    :param send: sends a message to it.
    """

    def __init__(self, clock: IReactorTime, send: Callable[[wire.ToHost], None]) -> None:
        self._clock = clock
        self._send = send
        self._waiting: dict[int, tuple[Deferred[object], IDelayedCall]] = {}

    def refuse(self, reason: str) -> Deferred[object]:
        """It cannot be done."""
        return fail(ValueError(reason))

    def ask(
        self, request: int, action: str, identity: str, arguments: Mapping[str, Value]
    ) -> Deferred[object]:
        """
        Ask for something.

        :raises ValueError: through the Deferred: it cannot be done, or was not
            answered.
        """
        done: Deferred[object] = Deferred()
        timer = self._clock.callLater(LIMIT, self._late, request)
        self._waiting[request] = (done, timer)
        self._send(wire.Simulate(request, action, identity, dict(arguments)))
        return done

    def answered(self, message: wire.Answer | wire.Refused) -> None:
        """It was done or refused, if it was one of these."""
        if message.request not in self._waiting:
            return
        done, timer = self._waiting.pop(message.request)
        timer.cancel()
        if isinstance(message, wire.Refused):
            done.errback(ValueError(message.message))
        else:
            done.callback(message.result)

    def fail(self, reason: str) -> None:
        """Nothing will be answered any more."""
        waiting, self._waiting = self._waiting, {}
        for done, timer in waiting.values():
            timer.cancel()
            done.errback(ValueError(reason))

    def _late(self, request: int) -> None:
        done, _ = self._waiting.pop(request)
        done.errback(ValueError("The driver did not answer within 2 seconds"))
