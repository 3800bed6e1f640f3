"""
Users and tokens in the database: the rules that must hold on the disk.

Every function takes an open connection and runs within the caller's
transaction, so that a running server and the command on a stopped one's data
folder go by the same rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from sqlite3 import Connection
from typing import Final

from attrs import field, frozen

from rotoclear.auth.errors import LastAdministrator, NoSuchUser, UserExists
from rotoclear.auth.users import User
from rotoclear.state.permissions import ADMINISTRATOR

_UNREAD_PASSWORD: Final = "initial-password-of"  # noqa: S105 - a key, not a password


@frozen
class Record:
    """
    A user as stored.

    :ivar hash: of the password, as argon2 encodes it.
    """

    user: User
    hash: str = field(repr=False)


@frozen
class StoredToken:
    """
    A token as stored.

    :ivar digest: SHA-256 of the token; the token itself is nowhere.
    :ivar created: seconds since 1970, by the wall clock.
    :ivar idle: seconds for which it had not been used while a server ran.
    """

    digest: bytes = field(repr=False)
    user: str
    created: float
    idle: float


def load_users(connection: Connection) -> dict[str, Record]:
    """All users by name."""
    rows = connection.execute("SELECT name, role, created, changed, hash FROM users ORDER BY name")
    return {row[0]: Record(User(*row[:4]), row[4]) for row in rows}


def insert_user(connection: Connection, user: User, encoded: str) -> None:
    """
    Add a user.

    :raises UserExists: the name is taken.
    :raises LastAdministrator: the very first user must be an administrator.
    """
    if _role(connection, user.name) is not None:
        raise UserExists(f"There is a user {user.name!r} already")
    if user.role != ADMINISTRATOR and not _administrators(connection):
        raise LastAdministrator("The first user must be an administrator")
    connection.execute(
        "INSERT INTO users (name, role, hash, created, changed) VALUES (?, ?, ?, ?, ?)",
        (user.name, user.role, encoded, user.created, user.changed),
    )


def change_role(connection: Connection, name: str, role: str, now: float) -> None:
    """
    Give a user another role.

    :raises NoSuchUser: there is none.
    :raises LastAdministrator: nobody else could manage the users.
    """
    _must_exist(connection, name)
    if role != ADMINISTRATOR:
        _must_not_be_last(connection, name)
    connection.execute("UPDATE users SET role = ?, changed = ? WHERE name = ?", (role, now, name))


def change_password(
    connection: Connection, name: str, encoded: str, now: float, expected: str | None = None
) -> bool:
    """
    Give a user another password, and end all of the user's tokens.

    :param expected: the hash that the old password was checked against, if
        it was.
    :return: whether it was done; not, if there is another hash by now.
    :raises NoSuchUser: there is none.
    """
    _must_exist(connection, name)
    changed = connection.execute(
        "UPDATE users SET hash = :encoded, changed = :now "
        "WHERE name = :name AND (:expected IS NULL OR hash = :expected)",
        {"encoded": encoded, "now": now, "name": name, "expected": expected},
    )
    if changed.rowcount == 0:
        return False
    connection.execute("DELETE FROM tokens WHERE user = ?", (name,))
    _forget_initial_password(connection, name)
    return True


def delete_user(connection: Connection, name: str) -> None:
    """
    Remove a user and all of the user's tokens.

    :raises NoSuchUser: there is none.
    :raises LastAdministrator: nobody else could manage the users.
    """
    _must_exist(connection, name)
    _must_not_be_last(connection, name)
    connection.execute("DELETE FROM tokens WHERE user = ?", (name,))
    connection.execute("DELETE FROM users WHERE name = ?", (name,))
    _forget_initial_password(connection, name)


def load_tokens(connection: Connection) -> list[StoredToken]:
    """All tokens, the oldest first."""
    rows = connection.execute(
        "SELECT hash, user, created, idle FROM tokens "
        "WHERE user IN (SELECT name FROM users) ORDER BY created"
    )
    return [StoredToken(*row) for row in rows]


def insert_token(
    connection: Connection, token: StoredToken, expected: str, renewed: str | None
) -> bool:
    """
    Add a token for somebody whose password was right.

    :param expected: the hash that it was checked against.
    :param renewed: a hash to keep instead of that one.
    :return: whether it was done; not, if the user is gone or has another
        password by now.
    """
    user = connection.execute(
        "SELECT 1 FROM users WHERE name = ? AND hash = ?", (token.user, expected)
    )
    if user.fetchone() is None:
        return False
    if renewed is not None:
        connection.execute("UPDATE users SET hash = ? WHERE name = ?", (renewed, token.user))
    connection.execute(
        "INSERT INTO tokens (hash, user, created, idle) VALUES (?, ?, ?, ?)",
        (token.digest, token.user, token.created, token.idle),
    )
    return True


def delete_tokens(connection: Connection, digests: Iterable[bytes]) -> None:
    """End some tokens."""
    connection.executemany("DELETE FROM tokens WHERE hash = ?", [(digest,) for digest in digests])


def save_idle(connection: Connection, idle: Mapping[bytes, float]) -> None:
    """Note for how many seconds some tokens, by digest, have not been used."""
    connection.executemany(
        "UPDATE tokens SET idle = ? WHERE hash = ?",
        [(seconds, digest) for digest, seconds in idle.items()],
    )


def note_initial_password(connection: Connection, name: str) -> None:
    """This user still has the password that the first start made up."""
    connection.execute(
        "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (_UNREAD_PASSWORD, name)
    )


def has_initial_password(connection: Connection) -> bool:
    """Whether somebody still has the password that the first start made up."""
    rows = connection.execute("SELECT 1 FROM meta WHERE key = ?", (_UNREAD_PASSWORD,))
    return rows.fetchone() is not None


def no_such_user(name: str) -> NoSuchUser:
    """The error in words."""
    return NoSuchUser(f"There is no user {name!r}")


def _role(connection: Connection, name: str) -> str | None:
    row = connection.execute("SELECT role FROM users WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def _administrators(connection: Connection) -> list[str]:
    rows = connection.execute("SELECT name FROM users WHERE role = ?", (ADMINISTRATOR,))
    return [name for (name,) in rows]


def _must_exist(connection: Connection, name: str) -> None:
    if _role(connection, name) is None:
        raise no_such_user(name)


def _must_not_be_last(connection: Connection, name: str) -> None:
    if _administrators(connection) == [name]:
        raise LastAdministrator(f"{name!r} is the last administrator; make somebody else one first")


def _forget_initial_password(connection: Connection, name: str) -> None:
    connection.execute("DELETE FROM meta WHERE key = ? AND value = ?", (_UNREAD_PASSWORD, name))
