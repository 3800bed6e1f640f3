"""
The first administrator of a new server. There is no default password.

The first start makes up a password and leaves it in a file that only the
server's user can read; the file goes when the password does.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from pathlib import Path
from typing import Final

from rotoclear.auth import records
from rotoclear.auth.users import User
from rotoclear.state.permissions import ADMINISTRATOR

NAME: Final = "admin"
"""The first administrator's name."""
FILE_NAME: Final = "initial-admin-password"
"""The file in the data folder: mode 0600, the password alone on one line."""

_LETTERS: Final = "abcdefghijkmnpqrstuvwxyz23456789"
"""32 that nobody mistakes for one another."""
_GROUPS: Final = 5


def make_password() -> str:
    """A random password of 100 bits that can be read out and typed: ``xxxx-xxxx-...``."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(_GROUPS))


def create(
    connection: sqlite3.Connection, data_dir: Path, password: str, encoded: str, now: float
) -> None:
    """
    Add the first administrator and leave the password in its file. Blocks.

    The file comes first: whatever happens in between, the next start finds
    no user and begins anew.

    :raises OSError: the file cannot be written; then there is no user either.
    """
    _write(data_dir / FILE_NAME, password)
    records.insert_user(connection, User(NAME, ADMINISTRATOR, now, now), encoded)
    records.note_initial_password(connection, NAME)


def tidy(connection: sqlite3.Connection, data_dir: Path) -> None:
    """
    Remove the file if its password is no longer valid. Blocks.

    Only after a transaction that made it so: at every start too, for a crash
    may have come between.
    """
    if not records.has_initial_password(connection):
        (data_dir / FILE_NAME).unlink(missing_ok=True)


def _write(path: Path, password: str) -> None:
    """Write it, for nobody else to read at any moment, and have it on the disk."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        os.fchmod(descriptor, 0o600)  # whatever the umask took away
        file.write(password + "\n")
        file.flush()
        os.fsync(descriptor)
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
