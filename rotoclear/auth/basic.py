"""
Names and passwords that come with every request, as with Basic (RFC 7617).

A player that asks for a picture twice a second sends its password twice a
second, and each check costs tens of milliseconds of a core, by intention. So
one that was right is remembered while it is being used: not the password but
an HMAC of user, address and password, under a key that only this process has
and that never leaves its memory. It is forgotten after a minute without use,
and ends at once with the password or the user.

The throttle is asked before what is remembered: otherwise whoever guesses
could go on guessing as long as somebody else is logged in. What is not
remembered takes a whole check, and counts if it fails.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Mapping
from typing import Final

from twisted.internet.interfaces import IReactorTime

from rotoclear.auth.audit import Audit, printable
from rotoclear.auth.errors import AuthError, InvalidCredentials
from rotoclear.auth.logins import Logins, lenient_name
from rotoclear.auth.records import Record, StoredToken
from rotoclear.auth.sessions import Session, Sessions
from rotoclear.auth.throttle import Throttle

IDLE: Final = 60.0
"""Seconds for which credentials that were right are remembered after their last use."""

MOST: Final = 256
"""How many are remembered without being in use by a stream; beyond it the idlest gives way."""

_ROUNDS: Final = 3


class BasicLogins:
    """
    Lets people in who have no token.

    :param users: the users by name; who changes them keeps it up to date.
    :ivar sessions: of those that are remembered; whoever changes a user's role
        or password, or removes the user, has to tell them.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        logins: Logins,
        throttle: Throttle,
        users: Mapping[str, Record],
        audit: Audit,
        wall_clock: Callable[[], float],
    ) -> None:
        self.sessions = Sessions(reactor, wall_clock, IDLE)
        self._logins = logins
        self._throttle = throttle
        self._users = users
        self._audit = audit
        self._wall_clock = wall_clock
        self._key = secrets.token_bytes(32)

    async def session(self, username: str, password: str, address: str) -> Session:
        """
        The session of who has this name and password; it counts as used.

        :raises InvalidCredentials: wrong.
        :raises TooManyAttempts: wrong too often.
        :raises Busy: not now.
        """
        name = lenient_name(username)
        digest = self._digest(name, password, address)
        try:
            self._throttle.check(name, printable(address))
            return self._remembered(digest) or await self._check(name, password, address, digest)
        except AuthError as error:
            self._audit.login_refused(name, address, str(error))
            raise

    def _remembered(self, digest: bytes) -> Session | None:
        session = self.sessions.find(digest)
        if session is not None:
            session.touch()
        return session

    async def _check(self, name: str, password: str, address: str, digest: bytes) -> Session:
        for _ in range(_ROUNDS):
            encoded, _renewed = await self._logins.authenticate(name, password, address)
            # Another request with the same credentials may have been checked meanwhile.
            session = self._remembered(digest)
            if session is not None:
                return session
            record = self._users.get(name)
            if record is not None and record.hash == encoded:
                self._audit.logged_in(name, address)
                return self._remember(digest, record, address)
            # The password was changed meanwhile: look again.
        raise InvalidCredentials

    def _remember(self, digest: bytes, record: Record, address: str) -> Session:
        self.sessions.end(*self.sessions.expired())
        idlest = max(self.sessions, key=lambda session: session.idle, default=None)
        if len(self.sessions) >= MOST and idlest is not None and idlest.idle > 0:
            self.sessions.end(idlest)
        token = StoredToken(digest, record.user.name, self._wall_clock(), 0.0)
        session = self.sessions.add(token, record.user.role)
        session.seen_from(address)
        return session

    def _digest(self, name: str, password: str, address: str) -> bytes:
        text = "\0".join((name, address, password))  # only a password can have a NUL
        return hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), "sha256")
