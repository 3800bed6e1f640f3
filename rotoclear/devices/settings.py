"""What a driver is asked to make of its own keys, and is waited for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from attrs import define
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from rotoclear.devices import wire
from rotoclear.state.errors import DeviceError
from rotoclear.values import Value

LIMIT: Final = 1.9
"""Seconds for one; a little less than the two that a client waits."""


@define(eq=False)
class _Wish:
    name: str
    done: Deferred[None]
    limit: IDelayedCall


class Settings:
    """
    The wishes to one process of a driver.

    :param send: sends a message to it.
    :param fault: told what the driver did wrong, why, and its traceback.
    :param stuck: told what takes too long: the process does one after another, and
        would not do the next.
    """

    def __init__(
        self,
        clock: IReactorTime,
        send: Callable[[wire.ToHost], None],
        fault: Callable[[str, str, str], None],
        stuck: Callable[[str], None],
    ) -> None:
        self._clock = clock
        self._send = send
        self._fault = fault
        self._stuck = stuck
        self._waiting: dict[int, _Wish] = {}
        self._asked: dict[int, str] = {}
        self._work: IDelayedCall | None = None

    def ask(self, request: int, name: str, value: Value) -> Deferred[None]:
        """
        Have it set a key. May be cancelled: nobody waits any more.

        :raises DeviceError: through the Deferred: it refused, failed or did not answer.
        """
        done: Deferred[None] = Deferred(lambda _: self._forget(request))
        self._waiting[request] = _Wish(
            name, done, self._clock.callLater(LIMIT, self._late, request)
        )
        self._asked[request] = name
        if self._work is None:
            self._work = self._clock.callLater(LIMIT, self._overdue)
        self._send(wire.SetKey(request, name, value))
        return done

    def answered(self, message: wire.Answer | wire.Refused) -> bool:
        """It was done or refused; whether it was one of these."""
        if self._asked.pop(message.request, None) is None:
            return False
        self._watch_next()
        wish = self._pop(message.request)
        if wish is None:  # nobody waits any more
            return True
        if isinstance(message, wire.Refused):
            reason = message.message or "It failed and did not say why"
            if message.reason == "fault":
                self._fault(f"set_key({wish.name!r})", reason, message.traceback)
                reason = "The driver failed"
            wish.done.errback(DeviceError(reason))
        else:
            wish.done.callback(None)
        return True

    def fail(self, reason: str) -> None:
        """Nothing will be answered any more."""
        self._asked.clear()
        self._watch_next()
        for request in tuple(self._waiting):
            wish = self._pop(request)
            if wish is not None:
                wish.done.errback(DeviceError(reason))

    def _watch_next(self) -> None:
        """The process begins with the next one now, if there is one."""
        if self._work is not None:
            self._work.cancel()
            self._work = None
        if self._asked:
            self._work = self._clock.callLater(LIMIT, self._overdue)

    def _overdue(self) -> None:
        self._work = None
        name = next(iter(self._asked.values()))
        self._stuck(f"is stuck: set_key({name!r}) takes longer than 2 seconds")

    def _forget(self, request: int) -> None:
        self._pop(request)

    def _pop(self, request: int) -> _Wish | None:
        wish = self._waiting.pop(request, None)
        if wish is not None and wish.limit.active():
            wish.limit.cancel()
        return wish

    def _late(self, request: int) -> None:
        wish = self._pop(request)
        if wish is not None:
            wish.done.errback(DeviceError("The driver did not answer within 2 seconds"))
