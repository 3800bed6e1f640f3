"""
The process that handles a volume's files: ``python -m rotoclear.media.files FOLDER PARENT``.

Each request has a thread of a small pool, what takes long a thread of its own, so
that it holds up no other. When the volume hangs, so does this process, and can
be killed.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NoReturn

from rotoclear.media.files import wire
from rotoclear.media.files.folder import Folder, Refusal
from rotoclear.processes.framing import Unpacker, WireError, pack
from rotoclear.processes.parent import die_with_parent

DESCRIPTOR: Final = 3

THREADS: Final = 4
"""Requests that are worked on at once."""

NICENESS: Final = 10
"""Of the thread for what takes long: recording comes first."""


class Files:
    """The process."""

    def __init__(self, connection: socket.socket, folder: Folder) -> None:
        self._connection = connection
        self._folder = folder
        self._sending = threading.Lock()
        self._pool = ThreadPoolExecutor(THREADS)
        self._long = ThreadPoolExecutor(1, initializer=_step_back)

    def run(self) -> NoReturn:
        """Do what is asked until nobody is there to ask."""
        unpacker: Unpacker[wire.ToFiles] = Unpacker(wire.ToFiles, wire.MAX_MESSAGE)  # type: ignore[arg-type]
        try:
            while data := self._connection.recv(65_536):
                for message in unpacker.feed(data):
                    self._do(message)
        except (OSError, WireError):
            pass
        os._exit(0)

    def _do(self, message: wire.ToFiles) -> None:
        folder, quick, long = self._folder, self._pool, self._long
        match message:
            case wire.Open(request, name):
                self._work(quick, request, lambda: folder.open(name))
            case wire.Read(request, handle, offset, length):
                self._work(quick, request, lambda: folder.read(handle, offset, length))
            case wire.Close(handle):
                quick.submit(folder.close, handle)
            case wire.Remove(request, name, unfinished):
                self._work(quick, request, lambda: folder.remove(name, unfinished=unfinished))
            case wire.Parts(request):
                self._work(quick, request, folder.parts)
            case wire.Sizes(request, names):
                self._work(quick, request, lambda: folder.sizes(names))
            case wire.Digest(request, name):
                self._work(long, request, lambda: folder.digest(name))
            case wire.Adopt(request, name, patience):
                self._work(long, request, lambda: folder.adopt(name, patience))

    def _work(self, pool: ThreadPoolExecutor, request: int, action: Callable[[], object]) -> None:
        pool.submit(self._answer, request, action)

    def _answer(self, request: int, action: Callable[[], object]) -> None:
        message: wire.FromFiles
        try:
            message = wire.Answer(request, action())
        except (FileNotFoundError, NotADirectoryError):
            message = wire.Refused(request, "The file is not on the volume", "missing")
        except Refusal as error:
            message = wire.Refused(request, str(error), error.kind)
        except OSError as error:
            message = wire.Refused(request, error.strerror or str(error), "failed")
        except Exception as error:  # noqa: BLE001 - whoever asked must be answered
            message = wire.Refused(request, f"{type(error).__name__}: {error}"[:500], "failed")
        try:
            with self._sending:
                self._connection.sendall(pack(message, wire.MAX_MESSAGE))
        except OSError:
            os._exit(0)


def _step_back() -> None:
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


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
