"""
The process that handles a volume's files: ``python -m rotoclear.media.files FOLDER PARENT``.

Each request has a thread of a small pool, so a long one holds up no other. When
the volume hangs, so does this process, and can be killed.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Final, NoReturn

from rotoclear.media.engine import repair
from rotoclear.media.engine.writing import PART
from rotoclear.media.files import wire
from rotoclear.processes.framing import Unpacker, pack
from rotoclear.processes.parent import die_with_parent

DESCRIPTOR: Final = 3

THREADS: Final = 4
"""Requests that are worked on at once."""

MAX_OPEN: Final = 256
"""Files that may be open at once."""

FILM: Final = ".mp4"


class Refusal(Exception):
    """What is asked is not allowed. ``str()`` is for people."""


class Folder:
    """
    The files of a volume. All of it blocks.

    :param root: the folder, absolute.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._open: dict[int, int] = {}
        self._handles = itertools.count(1)

    def path(self, name: str) -> Path:
        """
        Where a file is.

        :raises Refusal: it would be outside of the folder.
        """
        pure = PurePosixPath(name)
        if pure.is_absolute() or not pure.parts or ".." in pure.parts or "\0" in name:
            raise Refusal("That is no name of a file here")
        path = self._root / pure
        # A link in the folder must not lead out of it.
        if not path.parent.resolve().is_relative_to(self._root):
            raise Refusal("That is no name of a file here")
        return path

    def open(self, name: str) -> wire.Opened:
        """Open for reading."""
        if len(self._open) >= MAX_OPEN:
            raise Refusal("Too many files are being read")
        descriptor = os.open(self.path(name), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        handle = next(self._handles)
        self._open[handle] = descriptor
        status = os.fstat(descriptor)
        return wire.Opened(handle, status.st_size, status.st_mtime)

    def read(self, handle: int, offset: int, length: int) -> bytes:
        """Read from an open one."""
        descriptor = self._open.get(handle)
        if descriptor is None or length > wire.MAX_READ:
            raise Refusal("That file is not open, or it is too much at once")
        return os.pread(descriptor, length, offset)

    def close(self, handle: int) -> None:
        """Let go of it."""
        descriptor = self._open.pop(handle, None)
        if descriptor is not None:
            os.close(descriptor)

    def remove(self, name: str) -> None:
        """Remove it, and folders that are empty then."""
        path = self.path(name)
        path.unlink(missing_ok=True)
        for folder in path.parents:
            if folder == self._root:
                break
            try:
                folder.rmdir()
            except OSError:
                break

    def digest(self, name: str) -> str:
        """Its SHA-256."""
        with self.path(name).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def sizes(self, names: Sequence[str]) -> list[int]:
        """How large they are."""
        result = []
        for name in names:
            try:
                result.append(self.path(name).stat().st_size)
            except (FileNotFoundError, NotADirectoryError):
                result.append(-1)
        return result

    def parts(self) -> list[str]:
        """The films that were not closed."""
        return sorted(
            str(path.relative_to(self._root))[: -len(PART)]
            for path in self._root.glob(f"*/*/*/*{FILM}{PART}")
        )

    def adopt(self, name: str) -> wire.Adopted | None:
        """Make of it what can be made."""
        final = self.path(name)
        part = self.path(name + PART)
        cut = part.exists()
        if cut:
            if not repair.cut(part):
                part.unlink()
                return None
            part.rename(final)
        return _look(final, cut=cut)


def _look(path: Path, *, cut: bool) -> wire.Adopted:
    import av  # only here: it is large

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        first = last = None
        frames = 0
        for packet in container.demux(stream):
            if packet.pts is not None and packet.size:
                first = packet.pts if first is None else min(first, packet.pts)
                last = packet.pts if last is None else max(last, packet.pts)
                frames += 1
        seconds = 0.0
        if first is not None and last is not None and stream.time_base is not None:
            usual = 1 / stream.average_rate if stream.average_rate else 0
            seconds = float((last - first) * stream.time_base + usual)
        return wire.Adopted(
            size=path.stat().st_size,
            duration=seconds,
            width=stream.width,
            height=stream.height,
            frames=frames,
            cut=cut,
        )


class Files:
    """The process."""

    def __init__(self, connection: socket.socket, folder: Folder) -> None:
        self._connection = connection
        self._folder = folder
        self._sending = threading.Lock()
        self._pool = ThreadPoolExecutor(THREADS)

    def run(self) -> NoReturn:
        """Do what is asked until nobody is there to ask."""
        unpacker: Unpacker[wire.ToFiles] = Unpacker(wire.ToFiles, wire.MAX_MESSAGE)  # type: ignore[arg-type]
        while data := self._connection.recv(65_536):
            for message in unpacker.feed(data):
                self._do(message)
        os._exit(0)

    def _do(self, message: wire.ToFiles) -> None:
        folder = self._folder
        match message:
            case wire.Open(request, name):
                self._work(request, lambda: folder.open(name))
            case wire.Read(request, handle, offset, length):
                self._work(request, lambda: folder.read(handle, offset, length))
            case wire.Close(handle):
                self._pool.submit(folder.close, handle)
            case wire.Remove(request, name):
                self._work(request, lambda: folder.remove(name))
            case wire.Digest(request, name):
                self._work(request, lambda: folder.digest(name))
            case wire.Adopt(request, name):
                self._work(request, lambda: folder.adopt(name))
            case wire.Parts(request):
                self._work(request, folder.parts)
            case wire.Sizes(request, names):
                self._work(request, lambda: folder.sizes(names))

    def _work(self, request: int, action: Callable[[], object]) -> None:
        self._pool.submit(self._answer, request, action)

    def _answer(self, request: int, action: Callable[[], object]) -> None:
        message: wire.FromFiles
        try:
            message = wire.Answer(request, action())
        except FileNotFoundError:
            message = wire.Refused(request, "There is no such file on the volume", missing=True)
        except Refusal as error:
            message = wire.Refused(request, str(error))
        except OSError as error:
            message = wire.Refused(request, error.strerror or str(error))
        except Exception as error:  # noqa: BLE001 - a film that a library chokes on
            message = wire.Refused(request, f"{type(error).__name__}: {error}"[:500])
        try:
            with self._sending:
                self._connection.sendall(pack(message, wire.MAX_MESSAGE))
        except OSError:
            os._exit(0)


def main(arguments: Sequence[str]) -> NoReturn:
    """Be the process. Arguments: the volume's folder, the server's process id."""
    folder, parent = arguments
    die_with_parent(int(parent))
    os.setsid()
    connection = socket.socket(fileno=DESCRIPTOR)
    connection.set_inheritable(False)
    connection.setblocking(True)
    Files(connection, Folder(Path(folder))).run()


if __name__ == "__main__":
    main(sys.argv[1:])
