"""
The state of everything, and the one way to change it.

A change asked for from outside goes through :meth:`Model.request`: the
permission, the value's type, then the key's **lane**. A lane is a queue for
keys that must change one after another (a single key, mostly); it judges the
change by the state of the moment, takes it to the hardware, and only then is
it committed and told to the observers. What happens by itself (a camera is
unplugged) is committed directly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from rotoclear.state.errors import (
    INVALID_VALUE,
    MAX_KEY_ECHO,
    PERMISSION_DENIED,
    UNKNOWN_KEY,
    Refusal,
)
from rotoclear.state.keys import VENDOR_NAME, Key, KeyTable
from rotoclear.state.lanes import Lane, Values
from rotoclear.state.permissions import Permissions
from rotoclear.state.queue import Outcome, Queue, Request, Wish
from rotoclear.values import InvalidValue, Value, ValueType

Observer = Callable[[Values], None]


class Model:
    """
    Every key's value, and who wants to know.

    :param reactor: its clock limits the changes and marks the turns.
    :param keys: the table; drivers may add to it through :meth:`add_key`.
    :ivar version: grows with every change of a value.
    """

    _log = Logger()

    def __init__(self, reactor: IReactorTime, keys: KeyTable) -> None:
        self.keys = keys
        self._reactor = reactor
        self.version = 0
        self._values: dict[str, Value] = {name: key.default for name, key in keys.items()}
        self._types: dict[str, ValueType] = {name: key.type for name, key in keys.items()}
        self._queues: dict[str, Queue] = {}
        self._observers: list[Observer] = []
        self._news: list[dict[str, Value]] = []
        self._committed = self._told = 0.0
        self._readable: dict[Permissions, frozenset[str]] = {}
        self._unclaimed: dict[str, object] = {}

    # -- looking ---------------------------------------------------------

    def __getitem__(self, name: str) -> Value:
        """
        The value of a key.

        :raises KeyError: there is no such key.
        """
        return self._values[name]

    def values_of(self, names: Iterable[str]) -> dict[str, Value]:
        """
        The values of several keys.

        :raises KeyError: there is no such key.
        """
        values = self._values
        return {name: values[name] for name in names}

    def readable(self, permissions: Permissions) -> frozenset[str]:
        """The names of the keys that someone who holds these may read."""
        names = self._readable.get(permissions)
        if names is None:
            names = frozenset(n for n, key in self.keys.items() if key.readable(permissions))
            self._readable[permissions] = names
        return names

    def read(
        self, names: Iterable[str] | None, permissions: Permissions
    ) -> tuple[dict[str, Value], list[Refusal]]:
        """
        The values of some keys, and why the others are not shown.

        :param names: ``None`` for all that can be read.
        """
        readable = self.readable(permissions)
        if names is None:
            return {n: value for n, value in self._values.items() if n in readable}, []
        values: dict[str, Value] = {}
        refused: list[Refusal] = []
        for name in dict.fromkeys(names):
            if name in readable:
                values[name] = self._values[name]
            elif name in self.keys:
                refused.append(_denied(self.keys[name], "Reading", self.keys[name].read))
            else:
                refused.append(_unknown(name))
        return values, refused

    def type_of(self, name: str) -> ValueType:
        """What a key may hold right now, which may be less than the table says."""
        return self._types[name]

    # -- what is possible ------------------------------------------------

    def narrow(self, name: str, type_: ValueType) -> None:
        """Say what a key may hold from now on. The value it has stays as it is."""
        if name not in self._types:
            raise KeyError(name)
        self._types[name] = type_

    def add_key(self, key: Key) -> None:
        """
        Add a driver's own key, with what was saved of it.

        :raises ValueError: as :meth:`rotoclear.state.keys.KeyTable.add`.
        """
        self.keys.add(key)
        self.version += 1
        self._values[key.name] = key.default
        self._types[key.name] = key.type
        self._readable.clear()
        if key.name in self._unclaimed:
            self.restore({key.name: self._unclaimed.pop(key.name)})

    def add_lane(self, lane: Lane) -> None:
        """
        From now on these keys change through this lane.

        :raises ValueError: one of them has a lane already, or is none.
        """
        for name in lane.keys:
            if name not in self.keys or name in self._queues:
                raise ValueError(f"{name!r} is no key, or has a lane already")
        queue = Queue(self._reactor, lane, self.commit)
        for name in lane.keys:
            self._queues[name] = queue

    # -- changing --------------------------------------------------------

    def request(
        self, changes: Mapping[str, object], permissions: Permissions, by: str = ""
    ) -> Deferred[Outcome]:
        """
        Change keys on behalf of someone.

        Keys stand alone: one that is refused does not stop the others.

        :param changes: decoded JSON values by key.
        :param permissions: what the asker holds.
        :param by: the asker's name, if it is a user.
        :return: fires when every key is decided; never fails.
        """
        request = Request(tuple(changes), by)
        wishes: dict[Queue, dict[str, Value]] = {}
        for name, raw in changes.items():
            key = self.keys.get(name)
            if key is None:
                request.refused[name] = _unknown(name)
            elif not key.writable(permissions):
                request.refused[name] = _denied(key, "Changing", key.write)
            else:
                try:
                    value = self._types[name].parse(raw)
                except InvalidValue as error:
                    request.refused[name] = Refusal(INVALID_VALUE, name, str(error))
                    continue
                queue = self._queues.get(name)
                if queue is None:
                    queue = self._queues[name] = Queue(self._reactor, Lane(name), self.commit)
                wishes.setdefault(queue, {})[name] = value
        request.open += len(wishes)
        for queue, wanted in wishes.items():
            queue.put(Wish(wanted, [(request, tuple(wanted))]))
        request.settle()
        return request.done

    def commit(self, values: Values) -> None:
        """
        Set canonical values: this is so now.

        The observers are told after this turn, when whoever asked for it has
        been answered. No step of a key whose every step counts is skipped.
        """
        for name, value in values.items():
            old = self._values[name]
            if value == old and type(value) is type(old):
                continue
            if not self._news:
                self._committed = self._reactor.seconds()
                self._reactor.callLater(0, self._notify)
                self._news.append({})
            elif name in self._news[-1] and self._each_counts(name):
                self._news.append({})
            self.version += 1
            self._values[name] = value
            self._news[-1][name] = value

    def _each_counts(self, name: str) -> bool:
        queue = self._queues.get(name)
        return queue is not None and queue.each_counts

    def restore(self, values: Mapping[str, object]) -> None:
        """
        Take back what was saved; what no longer fits is left at its default.

        What is a driver's comes back when its key is added.
        """
        for name, raw in values.items():
            key = self.keys.get(name)
            if key is None and VENDOR_NAME.fullmatch(name):
                self._unclaimed[name] = raw
            if key is None or not key.saved:
                continue
            try:
                self._values[name] = key.type.restore(raw)
                self.version += 1
            except InvalidValue as error:
                self._log.warn("saved {key} ignored: {error}", key=name, error=str(error))

    def observe(self, observer: Observer) -> None:
        """
        Have it called with what has changed, after the turn in which it has.

        Once for each turn; more often when a key whose every step counts has
        made several.
        """
        self._observers.append(observer)

    def age(self) -> float:
        """Seconds since the oldest of the changes was made that observers are being told of."""
        return self._reactor.seconds() - self._told

    def _notify(self) -> None:
        steps, self._news = self._news, []
        self._told = self._committed
        for news in steps:
            for observer in self._observers:
                try:
                    observer(news)
                except Exception:  # noqa: BLE001 - one observer's fault is not the others'
                    self._log.failure("an observer of the model failed")


def _unknown(name: str) -> Refusal:
    return Refusal(
        UNKNOWN_KEY, name, f"There is no key {name[:MAX_KEY_ECHO]!r}; GET /api/keys lists them"
    )


def _denied(key: Key, doing: str, permissions: Permissions) -> Refusal:
    if not permissions:
        return Refusal(PERMISSION_DENIED, key.name, f"{key.name} is read-only")
    needed = " or ".join(sorted(permissions))
    return Refusal(PERMISSION_DENIED, key.name, f"{doing} {key.name} takes {needed}")
