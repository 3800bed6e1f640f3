"""Questions on their way to the server. Asking twice does no harm: after a loss it is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import Factory, define

from rotoclear.client.errors import ClientError, QueueFull, Refused, SomeRefused, refusal
from rotoclear.client.promise import Promise
from rotoclear.client.updates import KEY_ECHO, Values
from rotoclear.client.wire import state_of


@define(eq=False)
class Query:
    """
    One question.

    :ivar keys: ``None``: everything that can be read.
    """

    keys: tuple[str, ...] | None
    promise: Promise[Values]
    values: Values = Factory(dict)
    refused: dict[str, Refused] = Factory(dict)

    @property
    def asked(self) -> str | list[str]:
        """As it stands in the message."""
        return "*" if self.keys is None else list(self.keys)

    def answered(self, message: Mapping[str, object]) -> bool:
        """Take an answer to it; return whether it was the last."""
        if "error" not in message:
            self.values.update(state_of(message))
            return self.keys is None or self._complete(self.keys)
        error = refusal(message["error"], message.get("key"), message.get("message"))
        keys = [key for key in self.keys or () if key[:KEY_ECHO] == error.key]
        if not keys:
            self.refused[""] = error
            return True
        self.refused.update(dict.fromkeys(keys, error))
        return self.keys is None or self._complete(self.keys)

    def _complete(self, keys: tuple[str, ...]) -> bool:
        return set(keys) <= self.values.keys() | self.refused.keys()

    def tell(self) -> None:
        """Tell the asker."""
        errors = list(self.refused.values())
        if not errors:
            self.promise.keep(self.values)
        elif "" in self.refused or len(self.keys or ()) == 1:
            self.promise.break_(errors[-1])
        else:
            self.promise.break_(SomeRefused(errors, self.values))


class Queries:
    """
    Those that wait for a connection or an answer.

    :param send: sends one; each answer to it is then given to :meth:`answered`.
    :param limit: how many may wait.
    """

    def __init__(self, send: Callable[[Query], None], limit: int) -> None:
        self._send = send
        self._limit = limit
        self._open = False
        self._waiting: list[Query] = []
        self._sent: list[Query] = []

    def add(self, keys: tuple[str, ...] | None, promise: Promise[Values]) -> None:
        """Somebody wants to know."""
        query = Query(keys, promise)
        if self._open:
            self._dispatch(query)
        elif len(self._waiting) >= self._limit:
            promise.break_(QueueFull(f"{self._limit} questions are waiting already"))
        else:
            self._waiting.append(query)

    def withdrawn(self) -> None:
        """Somebody has given up."""
        self._waiting = [query for query in self._waiting if not query.promise.done]
        self._sent = [query for query in self._sent if not query.promise.done]

    def opened(self) -> None:
        """Messages can be sent."""
        self._open = True
        waiting, self._waiting = self._waiting, []
        for query in waiting:
            self._dispatch(query)

    def lost(self) -> None:
        """Not any more."""
        self._open = False
        again = [Query(query.keys, query.promise) for query in self._sent]
        self._waiting = again + self._waiting
        self._sent = []

    def fail(self, error: ClientError) -> None:
        """It is over."""
        self._open = False
        queries = self._sent + self._waiting
        self._sent, self._waiting = [], []
        for query in queries:
            query.promise.break_(error)

    def answered(self, query: Query, message: Mapping[str, object]) -> bool:
        """An answer to one that was sent; return whether it was the last."""
        if not query.answered(message):
            return False
        if query in self._sent:
            self._sent.remove(query)
        query.tell()
        return True

    def _dispatch(self, query: Query) -> None:
        self._sent.append(query)
        self._send(query)
