"""
Stream keys: what a player proves with Digest that it knows (RFC 7616).

Digest needs the secret itself on the server's side, and of passwords there are
only hashes. So a user may have a key besides: random, good for watching the
film and nothing else, shown when it is asked for, revoked on its own; a new
password leaves it as it is. It can be sent instead of a password, too.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from sqlite3 import Connection
from typing import Final

from twisted.internet.interfaces import IReactorTime

from rotoclear.auth.audit import Audit, printable
from rotoclear.auth.errors import AuthError, InvalidCredentials, UserError
from rotoclear.auth.logins import lenient_name
from rotoclear.auth.records import Record, StoredToken, no_such_user
from rotoclear.auth.sessions import Session, Sessions
from rotoclear.auth.throttle import Throttle
from rotoclear.auth.users import canonical_name
from rotoclear.state.database import Database

IDLE: Final = 60.0
"""Seconds for which somebody who was let in is remembered without watching."""

ACTIONS: Final = ("show", "new", "revoke")
"""What can be done to a key; one that is shown is made first if there is none."""


class UnknownAction(UserError):
    """Nothing that can be done to a key."""

    def __init__(self) -> None:
        super().__init__(f"With a stream key can be done: {', '.join(ACTIONS)}")


def load(connection: Connection) -> dict[str, str]:
    """All keys, by their users' names."""
    return dict(connection.execute("SELECT user, key FROM stream_keys").fetchall())


def act(connection: Connection, raw: str, action: str, now: float) -> tuple[str, str]:
    """
    Do something to a user's key.

    :param action: one of :data:`ACTIONS`.
    :return: the user's name, and the key, ``""`` when there is none any more.
    :raises UserError: there is no such user, or no such action.
    """
    name = canonical_name(raw)
    if action not in ACTIONS:
        raise UnknownAction
    if connection.execute("SELECT 1 FROM users WHERE name = ?", (name,)).fetchone() is None:
        raise no_such_user(name)
    row = connection.execute("SELECT key FROM stream_keys WHERE user = ?", (name,)).fetchone()
    if action == "show" and row is not None:
        return name, str(row[0])
    connection.execute("DELETE FROM stream_keys WHERE user = ?", (name,))
    if action == "revoke":
        return name, ""
    key = secrets.token_hex(16)
    connection.execute("INSERT INTO stream_keys VALUES (?, ?, ?)", (name, key, now))
    return name, key


class StreamKeys:
    """
    The keys of a running server, and who was let in with one.

    :param throttle: of its own. A wrong proof costs no hash and takes any name, so
        in the passwords' one it would push their failures out; and who knows a
        key must not clear the count of wrong passwords.
    :param users: the users by name; who changes them keeps it up to date.
    :ivar sessions: of those who were let in; whoever changes a user's role, or
        removes the user, has to tell them.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        database: Database,
        throttle: Throttle,
        users: Mapping[str, Record],
        audit: Audit,
        wall_clock: Callable[[], float],
    ) -> None:
        self.sessions = Sessions(reactor, wall_clock, IDLE)
        self._database = database
        self._throttle = throttle
        self._users = users
        self._audit = audit
        self._wall_clock = wall_clock
        self._keys: dict[str, str] = {}

    async def load(self) -> None:
        """Read them from the disk."""
        self._keys.update(await self._database.run(load))

    async def reload(self) -> None:
        """Those on the disk are others now: nobody watches on with an old one."""
        self._keys.clear()
        self.sessions.end(*self.sessions)
        await self.load()

    async def act(self, raw: str, action: str, by: str, address: str) -> str:
        """
        Do something to a user's key: see :func:`act`. Who watches with an old one does no more.

        :raises UserError: it cannot be done.
        """
        now = self._wall_clock()
        name, key = await self._database.run(lambda db: act(db, raw, action, now))
        if self._keys.get(name, "") != key:
            self._audit.stream_key_changed(name, by, address)
            self.forget(name)
            if key:
                self._keys[name] = key
        return key

    def forget(self, name: str) -> None:
        """The user has no key any more."""
        self._keys.pop(name, None)
        self.sessions.end(*self.sessions.of(name))

    def is_key(self, username: str, password: str) -> bool:
        """Whether a password is that user's stream key."""
        key = self._keys.get(lenient_name(username), "")
        given = password.encode("utf-8", "surrogatepass")
        return bool(key) and hmac.compare_digest(key.encode(), given)

    def session(self, username: str, proves: Callable[[str], bool], address: str) -> Session:
        """
        The session of somebody who knows a key.

        :param proves: whether it is this one that is known.
        :raises InvalidCredentials: no.
        :raises TooManyAttempts: wrong too often.
        """
        name, place = lenient_name(username), printable(address)
        try:
            self._throttle.check(name, place)
            key = self._keys.get(name)
            # As much work for a user who has none.
            right = proves(key if key is not None else secrets.token_hex(16))
            if key is None or not right:
                self._throttle.failed(name, place)
                raise InvalidCredentials
        except AuthError as error:
            self._audit.login_refused(name, address, str(error))
            raise
        self._throttle.succeeded(name, place)
        return self._let_in(name, address)

    def _let_in(self, name: str, address: str) -> Session:
        digest = hashlib.sha256("\0".join((name, address)).encode()).digest()
        session = self.sessions.find(digest)
        if session is None:
            self._audit.logged_in(name, address)
            self.sessions.end(*self.sessions.expired())
            token = StoredToken(digest, name, self._wall_clock(), 0.0)
            session = self.sessions.add(token, self._users[name].user.role)
            session.seen_from(address)
        session.touch()
        return session
