"""Which connections are open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol

from twisted.internet.defer import Deferred


class Member(Protocol):
    """A connection that is open."""

    @property
    def role(self) -> str:
        """The role of whoever has logged in, or ``anonymous``."""

    @property
    def unsent(self) -> int:
        """Bytes that wait for it to read what was sent before."""

    @property
    def blocked(self) -> bool:
        """It has not read what was sent."""

    def shut_down(self) -> None:
        """Close it: the server ends."""


class Backlog(NamedTuple):
    """Clients that have not read what was sent, and what waits for them, in bytes."""

    clients: int
    total: int
    largest: int


class Roster:
    """The connections from their handshakes to their ends."""

    def __init__(self) -> None:
        self._members: dict[Member, None] = {}
        self._waiting: list[Deferred[None]] = []

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._members)

    def __iter__(self) -> Iterator[Member]:
        return iter(list(self._members))

    def by_role(self) -> Mapping[str, int]:
        """How many there are of each role."""
        roles: dict[str, int] = {}
        for member in self._members:
            roles[member.role] = roles.get(member.role, 0) + 1
        return roles

    def backlog(self) -> Backlog:
        """What waits for clients that are slow."""
        waiting = [member.unsent for member in self._members if member.blocked]
        return Backlog(len(waiting), sum(waiting), max(waiting, default=0))

    def add(self, member: Member) -> None:
        """A connection has opened."""
        self._members[member] = None

    def remove(self, member: Member) -> None:
        """A connection has ended."""
        self._members.pop(member, None)
        if not self._members:
            waiting, self._waiting = self._waiting, []
            for done in waiting:
                done.callback(None)

    def empty(self) -> Deferred[None]:
        """Fires when none is open any more."""
        done: Deferred[None] = Deferred()
        if self._members:
            self._waiting.append(done)
        else:
            done.callback(None)
        return done
