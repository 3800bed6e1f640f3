"""The files of a volume: what is done to them. All of it blocks."""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import os
import stat
import time
from collections.abc import Sequence
from contextlib import suppress
from io import FileIO
from pathlib import Path, PurePosixPath
from typing import Final

from rotoclear.media.engine import repair
from rotoclear.media.engine.writing import PART
from rotoclear.media.files import wire
from rotoclear.media.files.measure import Measure, Unreadable, measure

MAX_OPEN: Final = 256
"""Files that may be open at once."""

FILM: Final = ".mp4"

PICTURE: Final = ".jpg"

PULSE: Final = 0.1
"""Seconds between two looks whether a film is still being written."""


class Refusal(Exception):
    """What is asked cannot be done. ``str()`` is for people."""

    def __init__(self, kind: wire.Kind, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Folder:
    """
    The files.

    :param root: the folder, absolute.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._open: dict[int, FileIO] = {}
        self._handles = itertools.count(1)

    def path(self, name: str) -> Path:
        """
        Where a file is.

        :raises Refusal: it would be outside of the folder.
        """
        pure = PurePosixPath(name)
        if pure.is_absolute() or not pure.parts or ".." in pure.parts or "\0" in name:
            raise Refusal("failed", "That is no name of a file here")
        path = self._root / pure
        # A link in the folder must not lead out of it.
        if not path.parent.resolve().is_relative_to(self._root):
            raise Refusal("failed", "That is no name of a file here")
        return path

    # -- reading ---------------------------------------------------------

    def open(self, name: str) -> wire.Opened:
        """Open for reading."""
        if len(self._open) >= MAX_OPEN:
            raise Refusal("failed", "Too many files are being read")
        file = _opened(self.path(name))
        handle = next(self._handles)
        self._open[handle] = file
        return wire.Opened(handle, os.fstat(file.fileno()).st_size)

    def read(self, handle: int, offset: int, length: int) -> bytes:
        """Read from an open one."""
        file = self._open.get(handle)
        if file is None or file.closed or length > wire.MAX_READ:
            raise Refusal("failed", "That file is not open, or it is too much at once")
        return os.pread(file.fileno(), length, offset)

    def close(self, handle: int) -> None:
        """Let go of it."""
        file = self._open.pop(handle, None)
        if file is not None:
            file.close()

    def digest(self, name: str) -> str:
        """Its SHA-256."""
        with _opened(self.path(name)) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def sizes(self, names: Sequence[str]) -> list[int | None]:
        """How large they are; see :class:`~rotoclear.media.files.wire.Sizes`."""
        result: list[int | None] = []
        for name in names:
            try:
                result.append(self.path(name).stat().st_size)
            except (FileNotFoundError, NotADirectoryError):
                result.append(-1)
            except (OSError, Refusal):
                result.append(None)
        return result

    def parts(self) -> list[str]:
        """The films that were not closed; pictures that were not are removed."""
        for path in self._root.glob(f"*/*/*/*{PICTURE}{PART}"):
            _sweep(path)
        return sorted(
            str(path.relative_to(self._root))[: -len(PART)]
            for path in self._root.glob(f"*/*/*/*{FILM}{PART}")
        )

    # -- changing --------------------------------------------------------

    def remove(self, name: str, *, unfinished: bool = False) -> None:
        """
        Remove it, and folders that are empty then; see :class:`~rotoclear.media.files.wire.Remove`.

        :raises Refusal: someone has it in hand.
        """
        path, part = self.path(name), self.path(name + PART)
        if unfinished:
            with suppress(FileNotFoundError, NotADirectoryError), _opened(part) as file:
                if _released(file, part, 0):
                    part.unlink()
        with suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()
        for folder in path.parents:
            if folder == self._root:
                break
            try:
                folder.rmdir()
            except OSError:
                break

    def adopt(self, name: str, patience: float = 0.0) -> wire.Adopted | None:
        """
        Make of a film what can be made; see :class:`~rotoclear.media.files.wire.Adopt`.

        :raises Refusal: someone still writes it, or it cannot be played.
        :raises FileNotFoundError: there is nothing of it.
        """
        final, part = self.path(name), self.path(name + PART)
        try:
            with _opened(part) as file:
                whole = _released(file, part, patience) and self._recover(file, part, final)
                if whole:
                    return whole
        except FileNotFoundError:
            pass
        else:
            if not final.exists() and not part.exists():
                return None
        with _opened(final) as file:
            return _described(file)

    def _recover(self, file: FileIO, part: Path, final: Path) -> wire.Adopted | None:
        modified = os.fstat(file.fileno()).st_mtime
        if not repair.cut(part):
            part.unlink()
            return None
        try:
            adopted = _described(file, modified)
        except Refusal:
            part.unlink()
            return None
        part.rename(final)
        _sync(final.parent)
        return adopted


def _opened(path: Path) -> FileIO:
    """
    A file for reading.

    :raises Refusal: it is something else: to open a pipe would wait for its other end.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    file = os.fdopen(os.open(path, flags), "rb", buffering=0)
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise Refusal("damaged", "That is no file")
    return file


def _sweep(path: Path) -> None:
    """Remove a picture that a crash has left half-written: there is nothing to be seen in it."""
    try:
        with _opened(path) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _same(file, path):
                path.unlink()
    except (OSError, Refusal):
        pass  # it is being written, or was renamed, or the volume tells at the next occasion


def _released(file: FileIO, part: Path, patience: float) -> bool:
    """
    Wait for whoever writes a film: the lock on it is theirs until they end.

    :return: it is ours now; ``False``: it was given its name, or removed.
    :raises Refusal: it takes too long.
    """
    late = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        else:
            return _same(file, part)
        if not _same(file, part):
            return False
        if time.monotonic() >= late:
            raise Refusal("busy", "The film is still being written")
        time.sleep(PULSE)


def _same(file: FileIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _described(file: FileIO, modified: float | None = None) -> wire.Adopted:
    try:
        found: Measure = measure(file)
    except Unreadable as error:
        raise Refusal("damaged", str(error)) from None
    status = os.fstat(file.fileno())
    return wire.Adopted(
        size=status.st_size,
        duration=found.duration,
        width=found.width,
        height=found.height,
        frames=found.frames,
        modified=status.st_mtime if modified is None else modified,
        cut=not found.closed,
    )


def _sync(folder: Path) -> None:
    """Have a new name in it on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
