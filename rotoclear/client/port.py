"""What the core needs of the loop that it runs in, and of the network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from rotoclear.client.errors import ClientError


class Timer(Protocol):
    """Something that will be called."""

    def cancel(self) -> object:
        """Do not call it. Only before it was called."""


class Time(Protocol):
    """A clock."""

    def now(self) -> float:
        """Seconds, never backwards."""

    def call_later(self, delay: float, function: Callable[[], None]) -> Timer:
        """Have it called in so many seconds."""


class Link(Protocol):
    """The core's end of one connection. After :meth:`Line.drop` nothing is told."""

    def opened(self) -> None:
        """There is a connection."""

    def received(self, data: str | bytes) -> None:
        """A message has come."""

    def lost(self, error: ClientError) -> None:
        """It could not be made, or has ended. The last call."""


class Line(Protocol):
    """The network's end of one connection."""

    def send(self, text: str) -> None:
        """Send a message; only while it is open. Never waits."""

    def drop(self) -> None:
        """End it, or the attempt to make it."""


class Port(Time, Protocol):
    """What a face hands to the core."""

    def dial(self, path: str, link: Link) -> Line:
        """Begin to connect a WebSocket. Never calls the link from within."""
