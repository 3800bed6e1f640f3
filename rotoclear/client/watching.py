"""The state as a client knows it, and who wants to be told when it changes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Final, Generic, TypeVar

from attrs import frozen

from rotoclear.client.errors import ClientError
from rotoclear.client.promise import Promise
from rotoclear.values import Value

MOST_UNREAD: Final = 1024
"""Changes kept for who does not read them; beyond that, the newest of each key."""

T = TypeVar("T")


@frozen
class Change:
    """
    A key has a value now.

    :ivar initial: it had it when the watching began.
    """

    key: str
    value: Value
    initial: bool = False


class Feed(Generic[T]):
    """Things that are told one after another to one who takes them one by one."""

    def __init__(self) -> None:
        self._unread: deque[T] = deque()
        self._reader: Promise[T | None] | None = None
        self._ended = False
        self._error: ClientError | None = None

    def put(self, item: T) -> None:
        """Tell this."""
        if self._ended:
            return
        reader, self._reader = self._reader, None
        if reader is not None and not reader.done:
            reader.keep(item)
            return
        self._unread.append(item)
        if len(self._unread) > MOST_UNREAD:
            self._unread = deque(self._shorter(self._unread))

    def end(self, error: ClientError | None = None) -> None:
        """There will be no more."""
        if self._ended:
            return
        self._ended = True
        self._error = error
        reader, self._reader = self._reader, None
        if reader is not None:
            self._finish(reader)

    def next(self) -> Promise[T | None]:
        """The next one; ``None``: there are no more."""
        promise: Promise[T | None] = Promise()
        if self._unread:
            promise.keep(self._unread.popleft())
        elif self._ended:
            self._finish(promise)
        else:
            self._reader = promise
        return promise

    def _finish(self, reader: Promise[T | None]) -> None:
        if self._error is not None:
            reader.break_(self._error)
        else:
            reader.keep(None)

    def _shorter(self, unread: deque[T]) -> Iterator[T]:
        yield from list(unread)[len(unread) // 2 :]


class ChangeFeed(Feed[Change]):
    """Changes of some keys."""

    def _shorter(self, unread: deque[Change]) -> Iterator[Change]:
        newest = {change.key: change for change in unread}
        yield from (change for change in unread if newest[change.key] is change)


class State(Mapping[str, Value]):
    """What is so, as far as the client was told; and who is told of changes."""

    def __init__(self) -> None:
        self._values: dict[str, Value] = {}
        self._feeds: list[tuple[frozenset[str], ChangeFeed]] = []

    def __getitem__(self, key: str) -> Value:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def learn(self, values: Mapping[str, Value]) -> None:
        """These are so now."""
        for key, value in values.items():
            # True is not 1 here.
            old = self._values.get(key)
            if type(old) is type(value) and old == value:
                continue
            self._values[key] = value
            self._tell(Change(key, value))

    def replace(self, values: Mapping[str, Value]) -> None:
        """These are all that is known."""
        for key in self._values.keys() - values.keys():
            del self._values[key]
        self.learn(values)

    def watch(self, keys: frozenset[str], *, initial: bool) -> ChangeFeed:
        """Be told of changes; of all keys if none is named."""
        feed = ChangeFeed()
        if initial:
            for key, value in self._values.items():
                if not keys or key in keys:
                    feed.put(Change(key, value, initial=True))
        self._feeds.append((keys, feed))
        return feed

    def unwatch(self, feed: ChangeFeed) -> None:
        """No more."""
        self._feeds = [entry for entry in self._feeds if entry[1] is not feed]
        feed.end()

    def end(self, error: ClientError | None) -> None:
        """Nobody will be told anything more."""
        feeds, self._feeds = self._feeds, []
        for _, feed in feeds:
            feed.end(error)

    def _tell(self, change: Change) -> None:
        for keys, feed in list(self._feeds):
            if not keys or change.key in keys:
                feed.put(change)
