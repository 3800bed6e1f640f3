"""
A lane at work: who waits in it, what runs, and what comes of it.

One wish runs at a time. Of those that wait, a newer one replaces the values of
the older, whose asker then gets the same answer; unless each counts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextvars import ContextVar
from typing import Final

from attrs import define, field, frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rotoclear.state.errors import (
    DEVICE_ERROR,
    NOT_AVAILABLE,
    DeviceError,
    NotAvailable,
    Refusal,
)
from rotoclear.state.lanes import TIME_LIMIT, Lane, Values
from rotoclear.values import Value


@frozen
class Outcome:
    """
    What became of a request.

    :ivar applied: the keys that were changed (or had the value already) with
        their canonical values.
    :ivar refused: the others, in the order of the request.
    """

    applied: dict[str, Value]
    refused: list[Refusal]


ASKER: Final[ContextVar[str]] = ContextVar("asker", default="")
"""Who has asked for the change that a lane is working on: a user's name, or empty."""


@define(eq=False)
class Request:
    """
    One caller's request, until every key of it is decided.

    :ivar by: the user's name, or empty.
    """

    order: tuple[str, ...]
    by: str = ""
    done: Deferred[Outcome] = field(factory=Deferred)
    open: int = 1
    applied: dict[str, Value] = field(factory=dict)
    refused: dict[str, Refusal] = field(factory=dict)

    def settle(self) -> None:
        """One part is decided; with the last of them answer."""
        self.open -= 1
        if not self.open:
            applied, refused = self.applied, self.refused
            self.done.callback(
                Outcome(
                    {name: applied[name] for name in self.order if name in applied},
                    [refused[name] for name in self.order if name in refused],
                )
            )


@define(eq=False)
class Wish:
    """What waits in a lane, and for whom."""

    wanted: dict[str, Value]
    askers: list[tuple[Request, tuple[str, ...]]]

    def merge(self, newer: Wish) -> None:
        """A newer wish replaces the values; its askers and ours get the same answer."""
        self.wanted.update(newer.wanted)
        self.askers.extend(newer.askers)

    def answer(self, applied: Values, refused: Mapping[str, Refusal]) -> None:
        """Tell every asker about its own keys."""
        for request, names in self.askers:
            for name in names:
                if name in refused:
                    request.refused[name] = refused[name]
                else:
                    request.applied[name] = applied[name]
            request.settle()


class Queue:
    """
    A lane with what runs and what waits in it.

    :param reactor: limits what runs.
    :param commit: called with what has been applied.
    """

    _log = Logger()

    def __init__(self, reactor: IReactorTime, lane: Lane, commit: Callable[[Values], None]) -> None:
        self._reactor = reactor
        self._lane = lane
        self._commit = commit
        self._running = False
        self._waiting: deque[Wish] = deque()

    @property
    def each_counts(self) -> bool:
        """Every step of its keys is one of its own."""
        return self._lane.each_counts

    def put(self, wish: Wish) -> None:
        """A wish has come: it takes its turn, or replaces what waits."""
        if self._waiting and not self._lane.each_counts:
            self._waiting[0].merge(wish)
        else:
            self._waiting.append(wish)
        self._advance()

    def _advance(self) -> None:
        """Work on what waits, as far as it goes without waiting for the hardware."""
        while self._waiting and not self._running:
            self._running = True
            wish = self._waiting.popleft()
            # Coroutines that are begun within keep it.
            asker = ASKER.set(wish.askers[-1][0].by)
            try:
                self._begin(wish)
            finally:
                ASKER.reset(asker)

    def _begin(self, wish: Wish) -> None:
        try:
            judgement = self._lane.judge(wish.wanted)
            refused = {refusal.key: refusal for refusal in judgement.refused}
            step = self._lane.apply(judgement.values) if judgement.values else None
        except Exception:  # noqa: BLE001 - any fault of a lane is answered like a device's
            self._finish(wish, {}, self._explain(Failure()))
            return
        if step is None:
            self._finish(wish, judgement.values, refused)
        else:
            self._wait(wish, judgement.values, refused, step)

    def _wait(
        self,
        wish: Wish,
        values: dict[str, Value],
        refused: dict[str, Refusal],
        step: Awaitable[None],
    ) -> None:
        applying = _deferred(step)
        limit = self._reactor.callLater(TIME_LIMIT, applying.cancel)

        def decided(result: object) -> None:
            if limit.active():
                limit.cancel()
            if isinstance(result, Failure):
                self._finish(wish, {}, self._explain(result))
            else:
                self._finish(wish, values, refused)
            self._advance()

        applying.addBoth(decided)

    def _finish(
        self,
        wish: Wish,
        values: Values,
        refused: Mapping[str, Refusal] | Callable[[str], Refusal],
    ) -> None:
        """Commit, answer, and let the next one in."""
        self._running = False
        if callable(refused):
            refused = {name: refused(name) for name in wish.wanted}
        self._commit(values)
        wish.answer(values, refused)

    def _explain(self, failure: Failure) -> Callable[[str], Refusal]:
        """Why a lane failed, as a refusal of any of its keys."""
        if failure.check(NotAvailable):
            return lambda name: Refusal(NOT_AVAILABLE, name, failure.getErrorMessage())
        if failure.check(DeviceError):
            return lambda name: Refusal(DEVICE_ERROR, name, failure.getErrorMessage())
        if failure.check(CancelledError):
            text = f"The device did not answer within {TIME_LIMIT:g} seconds"
            return lambda name: Refusal(DEVICE_ERROR, name, text)
        self._log.failure("a change failed", failure=failure)
        return lambda name: Refusal(DEVICE_ERROR, name, "The server failed; its log tells why")


def _deferred(step: Awaitable[None]) -> Deferred[None]:
    if isinstance(step, Deferred):
        return step
    if isinstance(step, Coroutine):
        return Deferred.fromCoroutine(step)

    async def wait() -> None:
        await step

    return Deferred.fromCoroutine(wait())
