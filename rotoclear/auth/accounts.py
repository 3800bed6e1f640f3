"""
The front door of this room: who may log in, and who is logged in.

Everything that changes is on the disk before its answer. What is in memory is
a copy, brought up to date in the order in which the disk was.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from sqlite3 import Connection
from typing import Protocol, TypeVar

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from rotoclear.auth import initial, records
from rotoclear.auth.argon import check_password
from rotoclear.auth.audit import Audit
from rotoclear.auth.basic import BasicLogins
from rotoclear.auth.errors import AuthError, InvalidCredentials, UserExists
from rotoclear.auth.idleness import Idleness
from rotoclear.auth.logins import Login, Logins
from rotoclear.auth.passwords import PasswordHasher
from rotoclear.auth.records import Record
from rotoclear.auth.sessions import Session, Sessions
from rotoclear.auth.streamkeys import StreamKeys
from rotoclear.auth.throttle import Throttle
from rotoclear.auth.users import User, canonical_name, check_role
from rotoclear.state.database import Database
from rotoclear.state.permissions import ANONYMOUS, NOTHING, ROLES, Permissions

__all__ = ["Accounts", "Login", "LoginLimits", "LoginRules", "Session"]

T = TypeVar("T")


class LoginLimits(Protocol):
    """What ``[limits]`` of the configuration has to say here."""

    @property
    def login_failures(self) -> int:
        """Failed logins for one user from one address within the window."""

    @property
    def login_window(self) -> float:
        """Seconds for which a failed login counts."""


class LoginRules(Protocol):
    """What ``[login]`` of the configuration has to say here."""

    @property
    def anonymous(self) -> bool:
        """Whoever has not logged in may read the device's state."""

    @property
    def token_idle(self) -> float:
        """Seconds after which an unused token expires."""


class Accounts:
    """
    The users, and those of them who are logged in. Made by :meth:`open`.

    Names, passwords and addresses may be given as they came from outside.
    ``by`` is who changes a user: a user's name, or what else there is to say.

    :ivar anonymous: what somebody may do who has not logged in.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: IReactorTime,
        database: Database,
        hasher: PasswordHasher,
        data_dir: Path,
        limits: LoginLimits,
        login: LoginRules,
        wall_clock: Callable[[], float],
    ) -> None:
        self.anonymous: Permissions = ROLES[ANONYMOUS] if login.anonymous else NOTHING
        self._database = database
        self._hasher = hasher
        self._data_dir = data_dir
        self._wall_clock = wall_clock
        self._audit = Audit(reactor)
        self._users: dict[str, Record] = {}
        self._sessions = Sessions(reactor, wall_clock, login.token_idle)
        self._idleness = Idleness(reactor, database, self._sessions, self._audit)
        throttle = Throttle(reactor, limits.login_failures, limits.login_window)
        self._logins = Logins(
            database,
            hasher,
            throttle,
            self._users,
            self._sessions,
            self._audit,
            wall_clock,
        )
        self._basic = BasicLogins(
            reactor, self._logins, throttle, self._users, self._audit, wall_clock
        )
        self._stream_keys = StreamKeys(
            reactor,
            database,
            Throttle(reactor, limits.login_failures, limits.login_window),
            self._users,
            self._audit,
            wall_clock,
        )

    @classmethod
    def open(
        cls,
        reactor: IReactorTime,
        database: Database,
        hasher: PasswordHasher,
        data_dir: Path,
        limits: LoginLimits,
        login: LoginRules,
        wall_clock: Callable[[], float] = time.time,
    ) -> Deferred[Accounts]:
        """
        Load users and tokens; make the first administrator if there is no user.

        :param reactor: its ``seconds()`` must be monotonic.
        :param hasher: closed by :meth:`close`.
        :param data_dir: where the first administrator's password is left.
        :param wall_clock: seconds since 1970, for showing only.
        :return: fails with :exc:`OSError` if that password cannot be written.
        """
        accounts = cls(reactor, database, hasher, data_dir, limits, login, wall_clock)
        return Deferred.fromCoroutine(accounts._open())

    async def _open(self) -> Accounts:
        self._users.update(await self._database.run(records.load_users))
        if self._users:
            await self._database.run(lambda db: initial.tidy(db, self._data_dir))
        else:
            await self._make_first()
        await self._stream_keys.load()
        for token in await self._database.run(records.load_tokens):
            self._sessions.add(token, self._users[token.user].user.role)
        self._idleness.start()
        return self

    async def _make_first(self) -> None:
        password = initial.make_password()
        encoded = await self._hasher.hash(password, "")
        now = self._wall_clock()
        await self._database.run(
            lambda db: initial.create(db, self._data_dir, password, encoded, now)
        )
        self._users.update(await self._database.run(records.load_users))
        for user in self.users():
            self._audit.user_added(user.name, user.role, "the first start", "this server")
        self._log.warn(
            "there was no user: log in as {name!r} with the password in {path}",
            name=initial.NAME,
            path=str(self._data_dir / initial.FILE_NAME),
        )

    def close(self) -> Deferred[None]:
        """Check no more passwords, and write the idle times of all tokens."""
        self._hasher.close()
        self._audit.close()
        return self._idleness.stop()

    def login(self, username: str, password: str, address: str) -> Deferred[Login]:
        """
        Log somebody in, with a new token.

        :param address: throttling and turns at the queue go by it; the log names it.
        :return: fails with :exc:`~rotoclear.auth.errors.InvalidCredentials`,
            :exc:`~rotoclear.auth.errors.TooManyAttempts` or
            :exc:`~rotoclear.auth.errors.Busy`.
        """
        return Deferred.fromCoroutine(self._logins.login(username, password, address))

    def resume(self, token: str, username: str | None, address: str) -> Session:
        """
        The session of a token; it counts as used.

        :param username: if given, it must be that user's.
        :raises InvalidCredentials: no token, one that has ended, or another user's.
        """
        return self._logins.resume(token, username, address)

    def verify(self, username: str, password: str, address: str) -> Deferred[Session]:
        """
        Let somebody in who sends name and password with each request; no token is made.

        :return: a session that ends when it is not used for a while; fails as :meth:`login`.
        """
        return Deferred.fromCoroutine(self._basic.session(username, password, address))

    def verify_stream(self, username: str, proves: Callable[[str], bool], address: str) -> Session:
        """
        Let somebody in to watch who knows the user's stream key.

        :param proves: whether this key is known.
        :return: a session that ends when it is not used for a while.
        :raises InvalidCredentials: it is not.
        :raises TooManyAttempts: wrong too often.
        """
        return self._stream_keys.session(username, proves, address)

    def is_stream_key(self, username: str, password: str) -> bool:
        """Whether a password is that user's stream key."""
        return self._stream_keys.is_key(username, password)

    def stream_key(self, name: str, action: str, by: str, address: str) -> Deferred[str]:
        """
        Show, renew or revoke a user's stream key.

        :param action: one of :data:`rotoclear.auth.streamkeys.ACTIONS`.
        :return: the key, or ``""``; fails with a :exc:`~rotoclear.auth.errors.UserError`.
        """
        return self._audited(name, by, address, self._stream_keys.act(name, action, by, address))

    def logout(self, session: Session) -> Deferred[None]:
        """End a token: its rights at once, and on the disk before the answer."""
        return Deferred.fromCoroutine(self._logins.logout(session))

    @property
    def passwords_waiting(self) -> int:
        """Passwords that wait to be checked."""
        return self._hasher.waiting

    @property
    def audited(self) -> Mapping[str, int]:
        """What was logged for an auditor since the start, counted by kind."""
        return self._audit.counts

    @property
    def initial_password_file(self) -> str:
        """Where the password of a first administrator is left."""
        return str(self._data_dir / initial.FILE_NAME)

    async def reload(self, how: str, by: str, address: str) -> None:
        """
        The users on the disk are others now, and all tokens have ended.

        If there is none, there is a first administrator again.

        :param how: for the log: ``restored``, ``reset``.
        """
        users = await self._database.run(records.load_users)
        self._users.clear()
        self._users.update(users)
        self._audit.users_replaced(how, by, address)
        for sessions in (self._sessions, self._basic.sessions):
            sessions.end(*sessions)
        await self._stream_keys.reload()
        if not self._users:
            await self._make_first()
        else:
            await self._remove_initial_password()

    def users(self) -> list[User]:
        """All users, by name."""
        return [self._users[name].user for name in sorted(self._users)]

    def add_user(
        self, name: str, role: str, password: str, by: str, address: str
    ) -> Deferred[User]:
        """
        Add a user.

        :return: fails with a :exc:`~rotoclear.auth.errors.UserError` that
            says what is wrong, or with :exc:`~rotoclear.auth.errors.Busy`.
        """
        change = self._add_user(name, role, password, by, address)
        return self._audited(name, by, address, change)

    async def _add_user(self, raw: str, role: str, password: str, by: str, address: str) -> User:
        name, role, password = canonical_name(raw), check_role(role), check_password(password)
        if name in self._users:
            raise UserExists(f"There is a user {name!r} already")
        encoded = await self._hasher.hash(password, address)
        now = self._wall_clock()
        user = User(name, role, created=now, changed=now)
        await self._database.run(lambda db: records.insert_user(db, user, encoded))
        self._users[name] = Record(user, encoded)
        self._audit.user_added(name, role, by, address)
        return user

    def set_role(self, name: str, role: str, by: str, address: str) -> Deferred[None]:
        """
        Give a user another role; whoever is logged in as that user has it at once.

        :return: fails with a :exc:`~rotoclear.auth.errors.UserError`.
        """
        return self._audited(name, by, address, self._set_role(name, role, by, address))

    async def _set_role(self, raw: str, role: str, by: str, address: str) -> None:
        name, role = canonical_name(raw), check_role(role)
        now = self._wall_clock()
        await self._database.run(lambda db: records.change_role(db, name, role, now))
        record = self._users[name]
        self._users[name] = evolve(record, user=evolve(record.user, role=role, changed=now))
        self._audit.role_changed(name, role, by, address)
        self._sessions.change_role(name, role)
        self._basic.sessions.change_role(name, role)
        self._stream_keys.sessions.change_role(name, role)

    def change_password(
        self, who: Session | str, old: str | None, new: str, by: str, address: str
    ) -> Deferred[None]:
        """
        Give a user another password, and end all of the user's tokens.

        :param who: somebody's session, for one's own, or a user's name.
        :param old: the old password, which is then checked as for a login;
            one's own cannot be changed without.
        :return: fails with a :exc:`~rotoclear.auth.errors.UserError`, or as
            :meth:`login`.
        """
        name = who if isinstance(who, str) else who.username
        return self._audited(
            name, by, address, self._change_password(who, name, old, new, by, address)
        )

    async def _change_password(
        self, who: Session | str, raw: str, old: str | None, new: str, by: str, address: str
    ) -> None:
        name = canonical_name(raw)
        if name not in self._users:
            raise records.no_such_user(name)
        new = check_password(new)
        expected = None
        if old is not None:
            expected, _ = await self._logins.authenticate(name, old, address)
        elif isinstance(who, Session):
            raise InvalidCredentials
        encoded = await self._hasher.hash(new, address)
        if isinstance(who, Session) and who.ended:
            raise InvalidCredentials
        now = self._wall_clock()

        def change(db: Connection) -> bool:
            return records.change_password(db, name, encoded, now, expected)

        if not await self._database.run(change):
            raise InvalidCredentials
        record = self._users[name]
        self._users[name] = Record(evolve(record.user, changed=now), encoded)
        self._audit.password_changed(name, by, address)
        self._end_sessions(name)
        await self._remove_initial_password()

    def remove_user(self, name: str, by: str, address: str) -> Deferred[None]:
        """
        Remove a user, and end all of the user's tokens.

        :return: fails with a :exc:`~rotoclear.auth.errors.UserError`.
        """
        return self._audited(name, by, address, self._remove_user(name, by, address))

    async def _remove_user(self, raw: str, by: str, address: str) -> None:
        name = canonical_name(raw)
        await self._database.run(lambda db: records.delete_user(db, name))
        del self._users[name]
        self._audit.user_removed(name, by, address)
        self._end_sessions(name)
        self._stream_keys.forget(name)
        await self._remove_initial_password()

    def _end_sessions(self, name: str) -> None:
        for sessions in (self._sessions, self._basic.sessions):
            sessions.end(*sessions.of(name))

    async def _remove_initial_password(self) -> None:
        """Its file goes after the database knows that it is no longer valid, never before."""
        try:
            await self._database.run(lambda db: initial.tidy(db, self._data_dir))
        except OSError:
            self._log.failure("the file with the initial password could not be removed")

    def _audited(self, name: str, by: str, address: str, change: Awaitable[T]) -> Deferred[T]:
        """What a change comes to; if it is refused, the log says so."""

        async def audited() -> T:
            try:
                return await change
            except AuthError as error:
                self._audit.change_refused(name, by, address, str(error))
                raise

        return Deferred.fromCoroutine(audited())
