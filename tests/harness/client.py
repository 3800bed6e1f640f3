"""A WebSocket client that waits for what it is told to, and for no longer than it must."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from typing import Any, Self

from websockets.sync.client import connect

Message = dict[str, Any]


class Client:
    """
    One connection; a context manager.

    :param url: the address of the WebSocket API.
    :param limit: seconds that one wait may take.
    :param options: for ``websockets.sync.client.connect``.
    """

    def __init__(self, url: str, *, limit: float = 10.0, **options: Any) -> None:
        self.limit = limit
        self._connection = connect(url, **options)
        self.socket = self._connection.__enter__()
        self._ids = itertools.count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._connection.__exit__(None, None, None)

    def send(self, message: Mapping[str, object] | str | bytes) -> None:
        """Send an object as JSON, or a text or bytes as they are."""
        self.socket.send(message if isinstance(message, str | bytes) else json.dumps(message))

    def receive(self) -> Message:
        """
        The next message.

        :raises TimeoutError: there was none in time.
        """
        message: Message = json.loads(self.socket.recv(timeout=self.limit))
        return message

    def until(self, wanted: Mapping[str, object] | Callable[[Message], bool]) -> Message:
        """
        The next message that :func:`holds` what is wanted, or that fits; others are dropped.

        :raises TimeoutError: a message before it was too long in coming.
        """
        while True:
            message = self.receive()
            if wanted(message) if callable(wanted) else holds(message, wanted):
                return message

    def ask(self, message: Mapping[str, object]) -> Message:
        """
        Send it with an ``id``; return the first answer to it, without the ``id``.

        Broadcasts before it are dropped.
        """
        number = f"ask-{next(self._ids)}"
        self.send({**message, "id": number})
        answer = self.until({"id": number})
        del answer["id"]
        return answer

    def ask_all(self, message: Mapping[str, object]) -> list[Message]:
        """
        Send it with an ``id``; return all answers to it, without the ``id``.

        The next message of a connection is begun when the last is answered: an
        empty query behind it tells where its answers end.
        """
        number, end = f"ask-{next(self._ids)}", f"end-{next(self._ids)}"
        self.send({**message, "id": number})
        self.send({"get": [], "id": end})
        answers = []
        while True:
            answer = self.receive()
            match answer.pop("id", None):
                case found if found == number:
                    answers.append(answer)
                case found if found == end:
                    return answers

    def login(self, username: str, password: str) -> Message:
        """Log in; return the answer."""
        answer = self.ask({"username": username, "password": password})
        assert answer["authenticated"] is True, answer
        return answer

    def get(self, *keys: str) -> Message:
        """Query the keys, or all readable ones."""
        return self.ask({"get": list(keys) if keys else "*"})


def holds(answer: object, shown: object) -> bool:
    """
    Whether an answer has all that is shown: objects may have more, nothing else may differ.

    ``True`` is not 1 here.
    """
    if isinstance(shown, Mapping):
        return isinstance(answer, Mapping) and all(
            key in answer and holds(answer[key], value) for key, value in shown.items()
        )
    return type(answer) is type(shown) and answer == shown
