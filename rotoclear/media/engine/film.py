"""The engine's side of one film: a process that writes it, and what becomes of it."""

from __future__ import annotations

import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Final

from rotoclear.media.engine import writing
from rotoclear.processes.framing import Unpacker, WireError, pack

BACKLOG: Final = 64 * 2**20
"""Bytes that may wait for the disk; beyond that the volume is too slow."""

SLOW: Final = "The volume is too slow"


class Film:
    """
    One process, that waits for its film, writes it, and ends.

    To be made before it is needed: it takes a while to start. What is put into it
    before it has waits, and can be taken back.

    :raises OSError: there can be no such process.
    :param news: called from a thread of the film's with each message of the
        process; in the end, whatever happens, with
        :class:`~rotoclear.media.engine.writing.Over`.
    """

    def __init__(self, news: Callable[[Film, writing.FromWriter | writing.Over], None]) -> None:
        self._news = news
        self._connection, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "rotoclear.media.engine.writer"],
                stdin=theirs.fileno(),
                # Whoever kills the engine and its group leaves it alone.
                start_new_session=True,
            )
        self._queue: queue.SimpleQueue[writing.ToWriter] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._waiting = 0
        self._too_slow = False
        self._started = threading.Event()
        for target in (self._write, self._read):
            threading.Thread(target=target, name=f"film {target.__name__}", daemon=True).start()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def begin(self, begin: writing.Begin) -> None:
        """Open the file."""
        self._queue.put(begin)

    def put(self, packet: writing.Packet) -> None:
        """Write a picture, when its turn comes; never blocks."""
        with self._lock:
            if self._too_slow:
                return
            self._waiting += len(packet.data)
            self._too_slow = self._waiting > BACKLOG
        if self._too_slow:
            self._news(self, writing.Trouble("failed", SLOW))
        else:
            self._queue.put(packet)

    def end(self) -> None:
        """Close the file; it takes as long as it takes."""
        self._queue.put(writing.End())

    def take_back(self) -> bool:
        """
        Have all that was put into it forgotten, and wait for another film.

        :return: whether that is so: its process has not yet started.
        """
        with self._lock:
            if self._started.is_set():
                return False
            while not self._queue.empty():
                self._queue.get()
            self._waiting, self._too_slow = 0, False
            return True

    def _write(self) -> None:
        """The thread that sends."""
        self._started.wait()
        try:
            while True:
                message = self._queue.get()
                self._connection.sendall(pack(message, writing.MAX_MESSAGE))
                if isinstance(message, writing.Packet):
                    with self._lock:
                        self._waiting -= len(message.data)
                if isinstance(message, writing.End):
                    return
        except OSError:
            pass  # it has ended: the other thread sees that, too

    def _read(self) -> None:
        """The thread that listens."""
        unpacker: Unpacker[writing.FromWriter] = Unpacker(
            writing.FromWriter,  # type: ignore[arg-type]
            writing.MAX_MESSAGE,
        )
        try:
            while data := self._connection.recv(65_536):
                for message in unpacker.feed(data):
                    if isinstance(message, writing.Waiting):
                        self._start()
                    else:
                        self._news(self, message)
        except (OSError, WireError):
            pass
        self._process.kill()
        self._start()
        self._news(self, writing.Over(self._process.wait()))
        self._connection.close()

    def _start(self) -> None:
        """Nothing can be taken back any more."""
        with self._lock:
            self._started.set()
