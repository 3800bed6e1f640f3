"""
The process that writes one film: ``python -m rotoclear.media.engine.writer``.

Its standard input leads to the engine. The file is a hybrid fragmented MP4: what
was written plays at any time, and once it is closed it is an ordinary one. It
is on the disk each second. When the engine dies, it is closed all the same, but
does not get its name: that tells the server to look at it, whose catalogue may
never have heard of it.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import signal
import socket
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, Literal, NoReturn

import av

from rotoclear.media.engine import repair, writing
from rotoclear.media.engine.names import free_name, sync_folders
from rotoclear.processes.framing import Unpacker, pack

DESCRIPTOR: Final = 0
"""Its standard input is the socket to the engine."""

SYNC: Final = 1.0
"""Seconds between two times that the file is brought to the disk."""

PATIENCE: Final = 10
"""Seconds that it has to close the file when the engine has died."""

MUXING: Final = {
    "movflags": "hybrid_fragmented+default_base_moof",
    "frag_duration": "500000",
    "flush_packets": "1",
}
"""A fragment each half second, and each packet written at once."""

FULL: Final = "The volume is full"

_TICK: Final = Fraction(1, writing.CLOCK_RATE)
_GONE: Final = (errno.EIO, errno.ENODEV, errno.ENXIO, errno.ENOENT, errno.EROFS, errno.ESTALE)
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Film:
    """
    The file.

    :raises OSError: it cannot be made.
    """

    def __init__(self, begin: writing.Begin) -> None:
        self._begin = begin
        volume = Path(begin.volume)
        if not volume.is_dir():
            # It was pulled: no folder is to be made in its place.
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        self.name = free_name(volume, begin.began, ".mp4")
        self._final = volume / self.name
        self._part = volume / (self.name + writing.PART)
        self._part.parent.mkdir(parents=True, exist_ok=True)
        # Never over another one.
        self._descriptor = os.open(self._part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o640)
        # Held until this process has ended: whoever finds the file knows it is being written.
        fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._container = av.open(str(self._part), "w", format="mp4", options=dict(MUXING))
        self._container.metadata["title"] = begin.title
        self._stream: Any = self._container.add_mux_stream(
            "h264", rate=begin.rate, width=begin.width, height=begin.height
        )
        self._stream.time_base = _TICK
        self._usual = writing.CLOCK_RATE // begin.rate
        self._last = 0
        self._can_be_found = False
        self.frames = 0

    def began(self) -> writing.Began:
        """What it is."""
        begin = self._begin
        return writing.Began(self.name, begin.began, begin.width, begin.height, begin.rate)

    @property
    def duration(self) -> float:
        """Seconds that it plays."""
        return (self._last + self._usual) / writing.CLOCK_RATE if self.frames else 0.0

    def write(self, packet: writing.Packet) -> None:
        """
        Add a picture.

        :raises OSError: it cannot be written.
        """
        muxed = av.Packet(packet.data)
        muxed.time_base = _TICK
        muxed.pts = muxed.dts = packet.time
        muxed.duration = self._usual
        muxed.is_keyframe = packet.key
        muxed.stream = self._stream
        self._container.mux(muxed)
        self._last = packet.time
        self.frames += 1

    def sync(self) -> None:
        """
        Bring what is written to the disk, where it can be found.

        :raises OSError: it cannot be.
        """
        os.fdatasync(self._descriptor)
        if not self._can_be_found:
            self._can_be_found = True
            sync_folders(Path(self._begin.volume), self.name)

    def room(self) -> bool:
        """There is as much left on the volume as there must be."""
        status = os.fstatvfs(self._descriptor)
        return status.f_bavail * status.f_frsize > self._begin.reserve

    def close(self) -> int:
        """
        Complete it; return its size.

        :raises OSError: it cannot be completed; :meth:`save` is left.
        """
        self._container.close()
        os.fsync(self._descriptor)
        return os.fstat(self._descriptor).st_size

    def save(self) -> int:
        """
        Make of it what can be made, without the library: it may have failed halfway.

        :return: its size; 0: there is nothing to play, and no file.
        :raises OSError: the volume is gone.
        """
        if not repair.cut(self._part):
            self._part.unlink()
            return 0
        return os.fstat(self._descriptor).st_size

    def name_it(self) -> None:
        """
        Give it its name.

        :raises OSError: the volume is gone.
        """
        self._part.rename(self._final)
        sync_folders(Path(self._begin.volume), self.name)

    def digest(self) -> str:
        """Its SHA-256."""
        with self._final.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


class Writer:
    """The process: takes what comes and writes it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._film: Film | None = None
        self._trouble: writing.Trouble | None = None
        self._torn = False
        self._sending = threading.Lock()
        self._over = threading.Event()

    def run(self) -> NoReturn:
        """Do it until there is no more."""
        self._send(writing.Waiting())
        asked = False
        for message in self._messages():
            match message:
                case writing.Begin():
                    self._begin(message)
                case writing.Packet():
                    self._write(message)
                case writing.End():
                    asked = True
                    break
        self._end(asked)
        os._exit(0)

    def _messages(self) -> Iterator[writing.ToWriter]:
        unpacker: Unpacker[writing.ToWriter] = Unpacker(
            writing.ToWriter,  # type: ignore[arg-type]
            writing.MAX_MESSAGE,
        )
        while data := self._connection.recv(1 << 20):
            yield from unpacker.feed(data)
        # The engine has died: nobody will end this process if the disk hangs.
        signal.alarm(PATIENCE)

    def _begin(self, begin: writing.Begin) -> None:
        try:
            self._film = Film(begin)
        except (OSError, av.FFmpegError) as error:
            self._failed(error)
            return
        threading.Thread(target=self._keep, args=(self._film,), daemon=True).start()

    def _write(self, packet: writing.Packet) -> None:
        if self._film is None or self._trouble is not None:
            return
        try:
            self._film.write(packet)
        except (OSError, av.FFmpegError) as error:
            self._torn = True
            self._failed(error)
            return
        if self._film.frames == 1:
            self._send(self._film.began())

    def _keep(self, film: Film) -> None:
        """The thread that brings it to the disk, and sees that there is room."""
        while not self._over.wait(SYNC) and self._trouble is None:
            try:
                film.sync()
            except OSError as error:
                self._torn = True
                self._failed(error)
                return
            if not film.room():
                self._stop("full", FULL)

    def _failed(self, error: OSError | av.FFmpegError) -> None:
        if error.errno in _FULL:
            self._stop("full", FULL)
        elif error.errno in _GONE:
            self._stop("gone", "The volume is gone")
        else:
            self._stop("failed", f"The film cannot be written: {error.strerror or error}")

    def _stop(self, kind: Literal["full", "gone", "failed"], reason: str) -> None:
        """No more can be written: the first reason counts."""
        if self._trouble is None:
            self._trouble = writing.Trouble(kind, reason)
            self._send(self._trouble)

    def _end(self, asked: bool) -> None:
        """
        Close the film.

        :param asked: the engine has asked for it, and will tell the server.
        """
        self._over.set()
        film = self._film
        if film is None:
            return
        try:
            size = self._close(film)
            if not asked:
                return
            if size:
                film.name_it()
        except OSError as error:
            self._failed(error)
            return
        reason = "" if self._trouble is None else self._trouble.reason
        self._send(writing.Done(size, film.duration, film.frames, reason))
        if size:
            try:
                self._send(writing.Hashed(film.digest()))
            except OSError as error:
                self._failed(error)

    def _close(self, film: Film) -> int:
        """
        Complete the file, or save what there is of it; return its size.

        :raises OSError: not even that.
        """
        # A library that could not write may not survive closing.
        if film.frames and not self._torn:
            try:
                return film.close()
            except (OSError, av.FFmpegError) as error:
                self._failed(error)
        return film.save()

    def _send(self, message: writing.FromWriter) -> None:
        try:
            with self._sending:
                self._connection.sendall(pack(message, writing.MAX_MESSAGE))
        except OSError:
            pass  # the engine has died: the file is closed all the same


def main() -> NoReturn:
    """Be a writer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it ends with the engine
    connection = socket.socket(fileno=DESCRIPTOR)
    connection.set_inheritable(False)
    Writer(connection).run()


if __name__ == "__main__":
    main()
