"""
Changes on their way to the server: which one is sent when.

A key is sent at most once in so many seconds, and not before what was last
sent for it is answered. The first value goes at once; of those that come
meanwhile only the newest is sent, when its time has come. So a slider is felt
immediately, ends where it was let go, and never fills the line of a slow server.
Who asked for a value that was replaced gets what becomes of the newer one, as
the server itself has it. What waits for a connection is treated alike.

Keys that were set together are sent together: the server judges values that
depend on each other by the whole message.

``record`` and ``snap`` are steps, not settings: each counts. They are sent at
once and each for itself, wait for nothing, and are never sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from attrs import Factory, define

from rotoclear.client.errors import (
    ClientError,
    Disconnected,
    QueueFull,
    Refused,
    SomeRefused,
    refusal,
)
from rotoclear.client.port import Time, Timer
from rotoclear.client.promise import Promise
from rotoclear.client.wire import state_of
from rotoclear.values import Value

STEPS: Final = frozenset({"record", "snap"})
"""Keys of which each value counts."""

KEY_ECHO: Final = 64
"""Characters of a key that come back in an error."""

Values = dict[str, Value]


@define(eq=False)
class Asker:
    """Somebody who waits for the outcome of some keys."""

    keys: frozenset[str]
    promise: Promise[Values]


@define(eq=False)
class Change:
    """
    Keys that go into one message.

    :ivar touched: keys that were broadcast since it was sent.
    """

    values: dict[str, object]
    askers: list[Asker]
    touched: set[str] = Factory(set)
    applied: Values = Factory(dict)
    refused: dict[str, Refused] = Factory(dict)

    @property
    def step(self) -> bool:
        """It must not be sent twice."""
        return not STEPS.isdisjoint(self.values)

    @property
    def abandoned(self) -> bool:
        """Nobody waits for it any more."""
        return all(asker.promise.done for asker in self.askers)

    def wanted(self) -> bool:
        """Whether anybody still waits for it; what nobody waits for is taken out of it."""
        self.askers = [asker for asker in self.askers if not asker.promise.done]
        keys = frozenset[str]().union(*(asker.keys for asker in self.askers))
        self.values = {key: value for key, value in self.values.items() if key in keys}
        return bool(self.askers)

    def answered(self, message: Mapping[str, object]) -> bool:
        """Take an answer to it; return whether it was the last."""
        if "error" in message:
            error = refusal(message["error"], message.get("key"), message.get("message"))
            for key in self.values:
                if key not in self.applied and (not error.key or key[:KEY_ECHO] == error.key):
                    self.refused.setdefault(key, error)
        else:
            self.applied.update(state_of(message))
        return self.values.keys() <= self.applied.keys() | self.refused.keys()

    def tell(self) -> None:
        """Tell the askers what has become of their keys."""
        for asker in self.askers:
            errors = [
                self.refused[key] for key in self.values if key in asker.keys & set(self.refused)
            ]
            applied = {key: self.applied[key] for key in asker.keys if key in self.applied}
            if not errors:
                asker.promise.keep(applied)
            elif len(asker.keys) == 1:
                asker.promise.break_(errors[0])
            else:
                asker.promise.break_(SomeRefused(errors, applied))

    def fail(self, error: ClientError) -> None:
        """Tell the askers that nothing comes of it."""
        for asker in self.askers:
            asker.promise.break_(error)


class Updates:
    """
    See the module.

    :param send: sends the values as one message; each answer to it is then given
        to :meth:`answered`.
    :param learn: is told what a confirmation says of the state.
    :param throttle: seconds between two messages with the same key.
    :param limit: changes that may wait for a connection.
    """

    def __init__(
        self,
        time: Time,
        send: Callable[[Change], None],
        learn: Callable[[Values], None],
        throttle: float,
        limit: int,
    ) -> None:
        self._time = time
        self._send = send
        self._learn = learn
        self._throttle = throttle
        self._limit = limit
        self._open = False
        self._waiting: list[Change] = []
        self._sent: list[Change] = []
        self._last_sent: dict[str, float] = {}
        self._timer: Timer | None = None

    def add(self, values: Mapping[str, object], promise: Promise[Values]) -> None:
        """Somebody wants this."""
        change = Change(dict(values), [Asker(frozenset(values), promise)])
        if change.step and not self._open:
            change.fail(
                Disconnected("There is no connection; record and snap are not kept for later")
            )
            return
        self._absorb(change)
        if change.step:
            self._dispatch(change)
            return
        if not self._open and len(self._waiting) >= self._limit:
            change.fail(QueueFull(f"{self._limit} changes are waiting already"))
            return
        self._waiting.append(change)
        self._flush()

    def withdrawn(self) -> None:
        """Somebody has given up: what nobody waits for is not sent, and not waited for."""
        self._waiting = [change for change in self._waiting if change.wanted()]
        self._sent = [change for change in self._sent if not change.abandoned]
        self._flush()

    def opened(self) -> None:
        """Messages can be sent."""
        self._open = True
        self._last_sent.clear()
        self._flush()

    def lost(self) -> None:
        """Not any more. What was not answered waits again, unless something newer does."""
        self._open = False
        self._stop_timer()
        sent, self._sent = self._sent, []
        for change in sent:
            if change.step:
                change.fail(Disconnected("The connection was lost before the answer came"))
                continue
            again = Change(change.values, change.askers)
            if not again.wanted():
                continue
            for newer in [w for w in self._waiting if w.values.keys() & again.values.keys()]:
                self._waiting.remove(newer)
                again = Change(again.values | newer.values, again.askers + newer.askers)
            self._waiting.append(again)

    def fail(self, error: ClientError) -> None:
        """It is over."""
        self._open = False
        self._stop_timer()
        changes = self._waiting + self._sent
        self._waiting, self._sent = [], []
        for change in changes:
            change.fail(error)

    def answered(self, change: Change, message: Mapping[str, object]) -> bool:
        """
        An answer to a change that was sent.

        :return: it was the last one.
        """
        if not change.answered(message):
            return False
        if change in self._sent:
            self._sent.remove(change)
        self._learn({k: v for k, v in change.applied.items() if k not in change.touched})
        change.tell()
        self._flush()
        return True

    def broadcast(self, keys: Mapping[str, object]) -> None:
        """These have changed: what a confirmation says of them later may be old."""
        for change in self._sent:
            change.touched |= keys.keys()

    def _absorb(self, change: Change) -> None:
        """What waits for the same keys becomes part of it."""
        for older in [w for w in self._waiting if w.values.keys() & change.values.keys()]:
            self._waiting.remove(older)
            change.values = older.values | change.values
            change.askers = older.askers + change.askers

    def _flush(self) -> None:
        """Send what is due."""
        self._stop_timer()
        if not self._open:
            return
        now = self._time.now()
        busy = {key for change in self._sent if not change.step for key in change.values}
        for change in list(self._waiting):
            due = self._due(change)
            if busy.isdisjoint(change.values) and due <= now:
                self._waiting.remove(change)
                self._dispatch(change)
                busy |= change.values.keys()
        # What waits for an answer is looked at when that comes.
        times = [self._due(c) for c in self._waiting if busy.isdisjoint(c.values)]
        if times:
            self._timer = self._time.call_later(max(0.0, min(times) - now), self._turn)

    def _turn(self) -> None:
        self._timer = None
        self._flush()

    def _due(self, change: Change) -> float:
        last = [self._last_sent[key] for key in change.values if key in self._last_sent]
        return max(last) + self._throttle if last else float("-inf")

    def _dispatch(self, change: Change) -> None:
        now = self._time.now()
        if len(self._last_sent) > 2 * KEY_ECHO:
            self._last_sent = {k: t for k, t in self._last_sent.items() if t + self._throttle > now}
        self._last_sent.update(dict.fromkeys(change.values, now))
        self._sent.append(change)
        self._send(change)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
