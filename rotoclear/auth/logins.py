"""
Logging in and out: a password or a token for a session.

A password that is changed while the old one is still being checked gives
nobody a token: the database takes a new token only while the user has the
hash that the password was checked against.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from typing import Final

from attrs import evolve, field, frozen

from rotoclear.auth import records
from rotoclear.auth.audit import Audit, printable
from rotoclear.auth.errors import AuthError, InvalidCredentials, InvalidName
from rotoclear.auth.passwords import PasswordHasher
from rotoclear.auth.records import Record, StoredToken
from rotoclear.auth.sessions import Session, Sessions
from rotoclear.auth.throttle import Throttle
from rotoclear.auth.users import LONGEST_NAME, canonical_name
from rotoclear.state.database import Database

_TOKEN_BYTES: Final = 32
_ROUNDS: Final = 3


@frozen
class Login:
    """
    A session, and the token to come back to it with.

    :ivar token: in clear, which it is nowhere else.
    """

    session: Session
    token: str = field(repr=False)


class Logins:
    """
    Lets people in.

    :param users: the users by name; who changes them keeps it up to date.
    """

    def __init__(
        self,
        database: Database,
        hasher: PasswordHasher,
        throttle: Throttle,
        users: dict[str, Record],
        sessions: Sessions,
        audit: Audit,
        wall_clock: Callable[[], float],
    ) -> None:
        self._database = database
        self._hasher = hasher
        self._throttle = throttle
        self._users = users
        self._sessions = sessions
        self._audit = audit
        self._wall_clock = wall_clock

    async def login(self, username: str, password: str, address: str) -> Login:
        """
        Log somebody in, with a new token.

        :raises InvalidCredentials: wrong.
        :raises TooManyAttempts: wrong too often.
        :raises Busy: not now.
        """
        name = lenient_name(username)
        try:
            for _ in range(_ROUNDS):
                encoded, renewed = await self.authenticate(name, password, address)
                login = await self._issue(name, encoded, renewed)
                if login is not None and not login.session.ended:
                    self._audit.logged_in(name, address)
                    login.session.seen_from(address)
                    return login
                # The password was changed meanwhile: look again.
            raise InvalidCredentials
        except AuthError as error:
            self._audit.login_refused(name, address, str(error))
            raise

    async def authenticate(self, name: str, password: str, address: str) -> tuple[str, str | None]:
        """
        Check a password; raises as :meth:`login`.

        :return: the hash that it was checked against, and the one to keep
            instead, if any.
        """
        place = printable(address)
        self._throttle.check(name, place)
        record = self._users.get(name)
        encoded = None if record is None else record.hash
        verdict = await self._hasher.verify(encoded, password, place)
        # Many may have been let in at once: those after the last failure get no answer.
        self._throttle.check(name, place)
        if encoded is None or not verdict.right:
            self._throttle.failed(name, place)
            raise InvalidCredentials
        self._throttle.succeeded(name, place)
        return encoded, verdict.renewed

    async def _issue(self, name: str, encoded: str, renewed: str | None) -> Login | None:
        """A new token, unless the hash is not the user's any more."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        stored = StoredToken(_digest(token), name, self._wall_clock(), 0.0)
        if not await self._database.run(
            lambda db: records.insert_token(db, stored, encoded, renewed)
        ):
            return None
        if renewed is not None:
            self._users[name] = evolve(self._users[name], hash=renewed)
        session = self._sessions.add(stored, self._users[name].user.role)
        surplus = self._sessions.surplus(session)
        if surplus:
            for _ in surplus:
                self._audit.displaced(name)
            ended = self._sessions.end(*surplus)
            await self._database.run(lambda db: records.delete_tokens(db, ended))
        return Login(session, token)

    def resume(self, token: str, username: str | None, address: str) -> Session:
        """
        The session of a token; it counts as used.

        :param username: if given, it must be that user's.
        :raises InvalidCredentials: no token, one that has ended, or another
            user's. Never throttled, see :mod:`rotoclear.auth.throttle`.
        """
        session = self._sessions.find(_digest(token))
        name = None if username is None else lenient_name(username)
        if session is None or name not in (None, session.username):
            self._audit.token_refused(name, address)
            raise InvalidCredentials
        session.touch()
        if session.seen_from(address):
            self._audit.token_used(session.username, address)
        return session

    async def logout(self, session: Session) -> None:
        """End a token: its rights at once, and on the disk before the answer."""
        if not session.ended:
            self._audit.logged_out(session.username, session.address)
        ended = self._sessions.end(session)
        await self._database.run(lambda db: records.delete_tokens(db, ended))


def _digest(token: str) -> bytes:
    """By which a token is stored and looked up: how long that takes says nothing about it."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def lenient_name(username: str) -> str:
    """The user's name, or, if nobody can be called that, something to log and count it by."""
    try:
        return canonical_name(username)
    except InvalidName:
        return printable(username, LONGEST_NAME)
