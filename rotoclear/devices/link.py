"""What a driver's process is to the server: something that is told things, and ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from attrs import frozen
from twisted.internet.defer import Deferred

from rotoclear.devices import wire


@frozen
class Entry:
    """Where a driver is: what a process is told to load."""

    driver: str
    module: str
    attribute: str


Received = Callable[[wire.FromHost], None]
"""Called with each message of the process."""

Ended = Callable[[str], None]
"""Called once, with the reason for people: "was killed by SIGKILL"."""


class Link(Protocol):
    """One process of a driver."""

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""

    def send(self, message: wire.ToHost, descriptor: int | None = None) -> None:
        """
        Send it a message; nothing happens when it has ended.

        :param descriptor: goes with it. It stays open here and is the caller's to close.
        """

    def kill(self, reason: str) -> None:
        """End it now; ``ended`` is called soon, with this reason."""

    def stop(self) -> Deferred[None]:
        """Ask it to end, kill it after a second. Fires when it has, or cannot be, ended."""


class Spawn(Protocol):
    """Starts a driver's process: :class:`~rotoclear.devices.hosting.Hosts`, or a test's."""

    def __call__(self, entry: Entry, received: Received, ended: Ended) -> Link:
        """
        Start one.

        :raises OSError: no process can be started now.
        """
