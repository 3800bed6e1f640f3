"""The server's data folder: which it is, and having it for ourselves."""

from __future__ import annotations

import os
import pwd
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rotoclear.command.errors import UNAVAILABLE, CommandError
from rotoclear.control.wire import SOCKET_NAME
from rotoclear.errors import StartError
from rotoclear.paths import DataFolderBusy, DataFolderLock, data_folder


def chosen(arguments: Namespace) -> Path:
    """
    The data folder, found as ``twistd rotoclear`` finds it.

    :raises CommandError: the configuration file is not good.
    """
    try:
        return data_folder(arguments.data_dir or _configured(arguments.config), os.environ)
    except StartError as error:
        raise CommandError(str(error), UNAVAILABLE) from None


def _configured(path: str | None) -> str | None:
    if path is None:
        return None
    from rotoclear.config import load

    return load(Path(path)).server.data_dir


class ServerIsThere(Exception):
    """A server has the data folder."""


@contextmanager
def stopped(folder: Path) -> Iterator[None]:
    """
    Keep a server from starting on a data folder, as the folder's owner.

    If root asks, this process becomes the owner, for good: no file in the
    folder may end up as root's.

    :raises ServerIsThere: one is running, or coming or going.
    :raises CommandError: the folder cannot be used.
    """
    become_owner(folder)
    try:
        lock = DataFolderLock.take(folder)
    except DataFolderBusy:
        raise ServerIsThere from None
    except StartError as error:
        raise CommandError(str(error), UNAVAILABLE) from None
    try:
        yield
    finally:
        lock.release()


def become_owner(folder: Path) -> None:
    """
    See to it that this process runs as the owner of the folder.

    :raises CommandError: it does not, and is not root's to change that.
    """
    try:
        found = folder.stat()
    except FileNotFoundError:
        raise CommandError(
            f"there is no data folder {folder}; a server makes it when it is first started, "
            "--data-dir names another one",
            UNAVAILABLE,
        ) from None
    except PermissionError:
        raise not_ours(folder) from None
    except OSError as error:
        raise CommandError(f"{folder}: {error.strerror}", UNAVAILABLE) from None
    if found.st_uid == os.geteuid():
        return
    if os.geteuid() != 0:
        raise not_ours(folder)
    os.setgroups([])
    os.setgid(found.st_gid)
    os.setuid(found.st_uid)


def not_ours(folder: Path) -> CommandError:
    """The error that names whose it is."""
    owner = "its owner"
    for path in (folder / SOCKET_NAME, folder):
        try:
            uid = path.stat().st_uid
            owner = pwd.getpwuid(uid).pw_name
            break
        except OSError:
            continue
        except KeyError:
            owner = f"user {uid}"
            break
    return CommandError(
        f"the data folder {folder} is not this user's; do it as {owner}, with sudo -u, say",
        UNAVAILABLE,
    )
