"""
Tickets: for what cannot send an ``Authorization`` header.

A browser's ``<img>``, ``<video>`` and downloads can only GET an address. A
ticket in it stands for the token, for one path: it must be used within a
minute, may then be used again (a player seeks with ``Range`` requests), and
ends with its token. They live in memory only, by their digests.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

from attrs import define
from twisted.internet.interfaces import IReactorTime

from rotoclear.auth.errors import InvalidCredentials
from rotoclear.auth.sessions import Session

START: Final = 60.0
"""Seconds within which a ticket must be used for the first time."""
MOST: Final = 256
"""Tickets of one token; beyond it the oldest gives way."""


@define
class _Ticket:
    path: str
    deadline: float | None  # None: it was used in time


class Tickets:
    """All tickets that are still good."""

    def __init__(self, reactor: IReactorTime) -> None:
        self._reactor = reactor
        self._tickets: dict[bytes, tuple[Session, _Ticket]] = {}
        self._of: dict[Session, dict[bytes, _Ticket]] = {}

    def __len__(self) -> int:
        """How many tickets are remembered."""
        return len(self._tickets)

    def issue(self, session: Session, path: str) -> str:
        """
        Make a ticket.

        :param path: what it is for, without a query; at most a few hundred
            characters, which is the caller's to check.
        :return: 256 random bits, fit for a query.
        :raises InvalidCredentials: the session has ended.
        """
        if session.ended:
            raise InvalidCredentials
        ticket = secrets.token_urlsafe(32)
        digest = _digest(ticket)
        mine = self._of.get(session)
        if mine is None:
            mine = self._of[session] = {}
            session.on_end(lambda: self._drop_all(session))
        if len(mine) >= MOST:
            self._make_room(mine)
        mine[digest] = _Ticket(path, self._reactor.seconds() + START)
        self._tickets[digest] = (session, mine[digest])
        return ticket

    def redeem(self, ticket: str, path: str) -> Session | None:
        """
        Whose ticket it is, or ``None``: unknown, too late, for another path, ended.

        The use of a ticket is a use of its token.
        """
        digest = _digest(ticket)
        session, found = self._tickets.get(digest, (None, None))
        if session is None or found is None or found.path != path or session.ended:
            return None
        if found.deadline is not None:
            if self._reactor.seconds() >= found.deadline:
                del self._tickets[digest], self._of[session][digest]
                return None
            found.deadline = None
        session.touch()
        return session

    def _make_room(self, mine: dict[bytes, _Ticket]) -> None:
        """Drop those that came to nothing; if there are none, the oldest."""
        now = self._reactor.seconds()
        late = [d for d, t in mine.items() if t.deadline is not None and now >= t.deadline]
        for digest in late or [next(iter(mine))]:
            del mine[digest], self._tickets[digest]

    def _drop_all(self, session: Session) -> None:
        for digest in self._of.pop(session):
            del self._tickets[digest]


def _digest(ticket: str) -> bytes:
    """By which a ticket is looked up: how long that takes says nothing about it."""
    return hashlib.sha256(ticket.encode("utf-8", "surrogatepass")).digest()
