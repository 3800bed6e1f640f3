"""
``rotoclear backup``, ``restore``, ``factory-reset``: the device's memory as a file, and without.

The database's copy is in the data folder for a moment: it is made and taken by the
folder's owner, while the file may be where only the asker can write.
"""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
import stat
import sys
from argparse import Namespace
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import IO, Any, Final

from rotoclear.auth import initial
from rotoclear.backup import archive, contents
from rotoclear.backup.archive import BackupError
from rotoclear.command.asking import act
from rotoclear.command.errors import FAILED, OK, UNAVAILABLE, USAGE, CommandError
from rotoclear.command.folder import chosen
from rotoclear.command.text import printable
from rotoclear.state.database import FILE_NAME, DatabaseError, connect, transact

_PATIENCE: Final = 600.0
"""Seconds that a server has: a large catalogue on a slow disk takes a while."""

_Answer = dict[str, object]


def run(arguments: Namespace) -> int:
    """Do it, on the running server or on the folder of a stopped one."""
    folder = chosen(arguments)
    try:
        match arguments.action:
            case "backup":
                _backup(folder, Path(arguments.file))
            case "restore":
                _restore(folder, Path(arguments.file), arguments.yes)
            case _:
                _reset(folder, arguments.yes)
    except BackupError as error:
        raise CommandError(str(error), FAILED) from None
    return OK


def _backup(folder: Path, file: Path) -> None:
    try:
        made = _beside(file)
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}") from None
    draft, out = made
    try:
        with out:
            name = str(_do(folder, "backup", {}, lambda: _copy(folder))["file"])
            if not contents.is_name(name):
                raise CommandError("the server's answer makes no sense")
            copy = folder / name
            try:
                with _taken(copy) as source:
                    manifest = archive.pack(Path(f"/proc/self/fd/{source.fileno()}"), out)
            finally:
                copy.unlink(missing_ok=True)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(file)
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror or error}") from None
    finally:
        draft.unlink(missing_ok=True)
    print(f"{file}: {_counted(manifest)}")


def _beside(file: Path) -> tuple[Path, IO[bytes]]:
    """A new file in the same folder, for nobody else: it takes the other's place at once."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    return draft, os.fdopen(descriptor, "w+b")


def _taken(copy: Path) -> IO[bytes]:
    """The copy that the folder's owner has made, and nothing else that he may point to."""
    descriptor = os.open(copy, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    found, owner = os.fstat(descriptor), copy.parent.stat().st_uid
    if not stat.S_ISREG(found.st_mode) or found.st_uid != owner or found.st_nlink != 1:
        raise CommandError(f"{copy} is not the server's own file")
    return os.fdopen(descriptor, "rb")


def _restore(folder: Path, file: Path, sure: bool) -> None:
    name = contents.new_name()
    copy = folder / name
    try:
        source = file.open("rb")
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}") from None
    with source:
        try:
            owner = folder.stat()
            to = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise CommandError(f"{folder}: {error.strerror}", UNAVAILABLE) from None
        try:
            try:
                if os.geteuid() == 0:
                    os.fchown(to, owner.st_uid, owner.st_gid)
                manifest = archive.unpack(source, str(file), to)
            finally:
                os.close(to)
            print(f"{file}: {_counted(manifest)}, of {manifest.created}", flush=True)
            _ask("This replaces all settings and users, and logs everybody out.", sure)
            answer = _do(folder, "restore", {"file": name}, lambda: _replace(folder, copy))
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror or error}") from None
        finally:
            contents.tidy(folder, name)
    print("restored")
    _print_refused(answer)


def _reset(folder: Path, sure: bool) -> None:
    _ask(
        "This forgets all settings and users, and logs everybody out. Films and pictures stay.",
        sure,
    )
    answer = _do(folder, "factory-reset", {}, lambda: _replace(folder, None))
    print("reset; films, pictures and their list are still there")
    password = answer.get("password")
    print(
        f"log in as admin with the password in {password}"
        if password
        else "the next start of the server makes the user admin"
    )
    _print_refused(answer)


def _ask(text: str, sure: bool) -> None:
    if sure:
        return
    if not sys.stdin.isatty():
        raise CommandError(f"{text} Say --yes if that is meant", USAGE)
    if input(f"{text} Type yes: ").strip() != "yes":
        raise CommandError("nothing was changed")


def _print_refused(answer: _Answer) -> None:
    refused = answer.get("refused")
    for one in refused if isinstance(refused, list) else ():
        print(printable(f"{one.get('key')}: from the next start on: {one.get('message')}"))


def _counted(manifest: archive.Manifest) -> str:
    counts = manifest.counts
    parts = (
        f"rotoclear {printable(manifest.version)}",
        _several(counts.get("settings", 0), "setting"),
        _several(counts.get("users", 0), "user"),
        _several(counts.get("media", 0), "film or picture", "films and pictures"),
    )
    return ", ".join(parts)


def _several(count: int, one: str, more: str = "") -> str:
    return f"1 {one}" if count == 1 else f"{count} {more or one + 's'}"


# -- without a server ----------------------------------------------------------


def _do(folder: Path, do: str, arguments: dict[str, str], alone: Callable[[], _Answer]) -> _Answer:
    """By the server; else in a child that becomes the folder's owner, as this process must not."""

    def act_there() -> _Answer:
        return act(folder, do, arguments, alone, _PATIENCE)

    if os.geteuid() == 0 and folder.is_dir() and folder.stat().st_uid != 0:
        return _in_child(act_there)
    return act_there()


def _in_child(work: Callable[[], _Answer]) -> _Answer:
    reading, writing = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.close(reading)
        result: _Answer = {"failure": "it failed", "code": FAILED}
        try:
            result = {"answer": work()}
        except CommandError as error:
            result = {"failure": str(error), "code": error.code}
        except BackupError as error:
            result = {"failure": str(error), "code": FAILED}
        finally:
            with suppress(OSError), os.fdopen(writing, "w") as out:
                json.dump(result, out)
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as out:
        told: dict[str, Any] = json.loads(out.read() or "{}")
    os.waitpid(child, 0)
    if "answer" not in told:
        raise CommandError(str(told.get("failure", "it failed")), int(told.get("code", FAILED)))
    answer: _Answer = told["answer"]
    return answer


def _copy(folder: Path) -> _Answer:
    name = contents.new_name()
    with closing(_database(folder)) as connection:
        try:
            contents.copy(connection, folder / name)
        except sqlite3.Error as error:
            raise CommandError(f"{folder}: {error}", UNAVAILABLE) from None
    return {"file": name}


def _replace(folder: Path, copy: Path | None) -> _Answer:
    if copy is not None:
        contents.check(copy)
    with closing(_database(folder)) as connection:
        try:
            transact(connection, lambda db: contents.replace(db, copy))
            contents.forget(connection)
        except sqlite3.Error as error:
            raise CommandError(f"{folder}: {error}; nothing was changed", UNAVAILABLE) from None
    # The password in it is not valid any more.
    (folder / initial.FILE_NAME).unlink(missing_ok=True)
    return {}


def _database(folder: Path) -> sqlite3.Connection:
    try:
        return connect(folder / FILE_NAME)
    except DatabaseError as error:
        raise CommandError(str(error), UNAVAILABLE) from None
