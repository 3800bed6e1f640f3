"""A network in memory, on which the test is the server and turns the clock."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from twisted.internet.task import Clock

from rotoclear.client.core import ConnectionState, Core, Options
from rotoclear.client.credentials import Credentials
from rotoclear.client.errors import ClientError, Disconnected
from rotoclear.client.port import Link, Timer
from rotoclear.client.promise import Promise

Message = dict[str, Any]

STATE: Message = {"brightness": 50, "contrast": 50, "record": False, "snap": False}


class Line:
    """One connection, seen from the server."""

    def __init__(self, path: str, link: Link) -> None:
        self.path = path
        self.link = link
        self.unread: list[Message] = []
        self.dropped = False

    def send(self, text: str) -> None:
        assert not self.dropped
        self.unread.append(json.loads(text))

    def drop(self) -> None:
        self.dropped = True

    def take(self) -> Message:
        """The oldest message that was not taken."""
        assert self.unread, "there is no message"
        return self.unread.pop(0)

    def tell(self, message: Message) -> None:
        """Send something."""
        self.link.received(json.dumps(message))

    def answer(self, asked: Message, *answers: Message) -> None:
        """Answer a message."""
        for answer in answers:
            self.tell({**answer, "id": asked["id"]})

    def confirm(self) -> Message:
        """Take an update, confirm it; return its values."""
        asked = self.take()
        values = {key: value for key, value in asked.items() if key != "id"}
        self.answer(asked, {**values, "info": list(values)})
        return values

    def welcome(self, token: str = "t-1", state: Message | None = None) -> Message | None:
        """Accept, let in whoever logs in, tell the state; return the login."""
        self.link.opened()
        login = None
        if "get" not in self.unread[0]:
            login = self.take()
            self.let_in(login, token)
        self.synchronise(state)
        return login

    def let_in(self, login: Message, token: str = "t-1") -> None:
        """Log somebody in."""
        self.answer(
            login,
            {
                "authenticated": True,
                "permissions": ["Device_r", "Device_rw"],
                "username": "anna",
                "role": "operator",
                "token": token,
                "expires": "2030-01-01T00:00:00Z",
            },
        )

    def synchronise(self, state: Message | None = None) -> None:
        """Tell the state."""
        asked = self.take()
        assert asked["get"] == "*"
        self.answer(asked, STATE if state is None else state)

    def break_(self, error: ClientError | None = None) -> None:
        """The network breaks."""
        self.link.lost(error or Disconnected("It broke"))


class Network:
    """What the core is handed."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.lines: list[Line] = []

    def now(self) -> float:
        return self.clock.seconds()

    def call_later(self, delay: float, function: Callable[[], None]) -> Timer:
        return self.clock.callLater(delay, function)

    def dial(self, path: str, link: Link) -> Line:
        line = Line(path, link)
        self.lines.append(line)
        return line

    @property
    def line(self) -> Line:
        """The newest connection."""
        return self.lines[-1]


class Outcome:
    """What became of a promise."""

    def __init__(self, promise: Promise[Any]) -> None:
        self.promise = promise
        self.value: Any = None
        self.error: Exception | None = None
        promise.then(self._kept, self._broken)

    @property
    def pending(self) -> bool:
        return not self.promise.done

    def _kept(self, value: Any) -> None:
        self.value = value

    def _broken(self, error: Exception) -> None:
        self.error = error


class Bench:
    """
    A core on such a network.

    :param chance: what random numbers it gets.
    """

    def __init__(
        self, credentials: Credentials | None = None, *, chance: float = 1.0, **options: Any
    ) -> None:
        self.network = Network()
        self.clock = self.network.clock
        self.credentials = credentials or Credentials()
        self.core = Core(self.network, self.credentials, Options(**options), lambda: chance)

    @property
    def line(self) -> Line:
        return self.network.line

    def ready(self, **told: Any) -> Line:
        """Start it, and let it in."""
        self.core.start()
        self.line.welcome(**told)
        assert self.core.state is ConnectionState.READY
        return self.line

    def set(self, **values: Any) -> Outcome:
        return Outcome(self.core.update({k.replace("_", "-"): v for k, v in values.items()}))

    def get(self, *keys: str) -> Outcome:
        return Outcome(self.core.query(keys or None))
