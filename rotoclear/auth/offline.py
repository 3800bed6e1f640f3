"""
The users of a stopped server: straight on its data folder, blocking.

This is also the way back in for an administrator who forgot the password:
whoever owns the data folder may set another. On a running server go through
its control socket instead; it has its own copy of the users in memory.
"""

from __future__ import annotations

import os
import pwd
import time
from collections.abc import Callable
from pathlib import Path
from sqlite3 import Connection
from types import TracebackType
from typing import Final, Self

from rotoclear.auth import initial, records, streamkeys
from rotoclear.auth.argon import Argon, check_password
from rotoclear.auth.audit import Audit
from rotoclear.auth.errors import AuthError
from rotoclear.auth.users import User, canonical_name, check_role
from rotoclear.state.database import FILE_NAME, DatabaseError, connect, transact

_BY: Final = "the owner of the data folder"
_ADDRESS: Final = "this machine"


class OfflineError(AuthError):
    """The data folder cannot be worked on. ``str()`` is one line for people."""


class OfflineUsers:
    """
    The users in a data folder. Made by :meth:`open`; a context manager.

    Methods raise :exc:`~rotoclear.auth.errors.UserError` with what is wrong.
    """

    def __init__(
        self, connection: Connection, data_dir: Path, argon: Argon, wall_clock: Callable[[], float]
    ) -> None:
        self._connection = connection
        self._data_dir = data_dir
        self._argon = argon
        self._wall_clock = wall_clock
        self._audit = Audit()

    @classmethod
    def open(
        cls,
        data_dir: Path,
        argon: Argon | None = None,
        wall_clock: Callable[[], float] = time.time,
    ) -> Self:
        """
        Open the database in a data folder; a new one if there is none yet.

        :raises OfflineError: no folder, somebody else's, or the database is damaged.
        """
        try:
            owner = data_dir.stat().st_uid
        except OSError as error:
            raise OfflineError(f"{data_dir}: {error.strerror}") from None
        if owner != os.geteuid():
            # SQLite's files would belong to us, and the server could not open them.
            name = _user_name(owner)
            raise OfflineError(
                f"{data_dir} belongs to {name}: run this as {name}, e.g. with sudo -u {name}"
            )
        try:
            connection = connect(data_dir / FILE_NAME)
        except DatabaseError as error:
            raise OfflineError(str(error)) from None
        return cls(connection, data_dir, argon or Argon(), wall_clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def users(self) -> list[User]:
        """All users, by name."""
        loaded = records.load_users(self._connection)
        return [loaded[name].user for name in sorted(loaded)]

    def add_user(self, name: str, role: str, password: str) -> User:
        """Add a user; the very first one must be an administrator."""
        name, role, password = canonical_name(name), check_role(role), check_password(password)
        encoded = self._argon.hash(password)
        now = self._wall_clock()
        user = User(name, role, created=now, changed=now)
        transact(self._connection, lambda db: records.insert_user(db, user, encoded))
        self._audit.user_added(name, role, _BY, _ADDRESS)
        return user

    def set_role(self, name: str, role: str) -> None:
        """Give a user another role."""
        name, role, now = canonical_name(name), check_role(role), self._wall_clock()
        transact(self._connection, lambda db: records.change_role(db, name, role, now))
        self._audit.role_changed(name, role, _BY, _ADDRESS)

    def change_password(self, name: str, new: str) -> None:
        """Give a user another password, and end all of the user's tokens."""
        name, new, now = canonical_name(name), check_password(new), self._wall_clock()
        encoded = self._argon.hash(new)
        transact(self._connection, lambda db: records.change_password(db, name, encoded, now))
        self._audit.password_changed(name, _BY, _ADDRESS)
        self._tidy()

    def remove_user(self, name: str) -> None:
        """Remove a user, and end all of the user's tokens."""
        name = canonical_name(name)
        transact(self._connection, lambda db: records.delete_user(db, name))
        self._audit.user_removed(name, _BY, _ADDRESS)
        self._tidy()

    def stream_key(self, name: str, action: str) -> str:
        """Show, renew or revoke a user's stream key; return it, or ``""``."""
        now = self._wall_clock()
        before = streamkeys.load(self._connection).get(name, "")
        name, key = transact(self._connection, lambda db: streamkeys.act(db, name, action, now))
        if key != before:
            self._audit.stream_key_changed(name, _BY, _ADDRESS)
        return key

    def _tidy(self) -> None:
        transact(self._connection, lambda db: initial.tidy(db, self._data_dir))


def _user_name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"#{number}"
