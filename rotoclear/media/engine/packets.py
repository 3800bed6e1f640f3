"""The packet socket: encoded pictures for the server, as many as it can take."""

from __future__ import annotations

import os
import socket
import threading
from collections import deque
from typing import Final

from rotoclear.media.engine import wire

BACKLOG: Final = 8 * 2**20
"""Bytes of film that may wait; then it begins anew with a keyframe."""


class Packets(threading.Thread):
    """
    The thread that sends them.

    A JPEG that nobody has taken yet is replaced by a newer one. H.264 is kept in
    order; when too much waits, everything up to the next keyframe is dropped.
    """

    def __init__(self, connection: socket.socket) -> None:
        super().__init__(name="packets", daemon=True)
        self._connection = connection
        self._changed = threading.Condition()
        self._jpeg: tuple[wire.Head, bytes] | None = None
        self._film: deque[tuple[wire.Head, bytes]] = deque()
        self._waiting = 0
        self._cut: set[int] = set()

    def jpeg(self, data: bytes, time: int) -> None:
        """Send this picture, unless a newer one comes first."""
        with self._changed:
            self._jpeg = wire.Head(wire.JPEG, wire.KEY, 0, len(data), time), data
            self._changed.notify()

    def h264(self, data: bytes, time: int, *, key: bool, camera: int = 0) -> None:
        """
        Send this access unit, after those before it.

        :param camera: of whose stream; 0: of the view's.
        """
        with self._changed:
            if self._waiting > BACKLOG:
                self._film.clear()
                self._waiting, self._cut = 0, set(wire.STREAMS)
            if camera in self._cut and not key:
                return
            self._cut.discard(camera)
            head = wire.Head(wire.H264, wire.KEY if key else 0, camera, len(data), time)
            self._film.append((head, data))
            self._waiting += len(data)
            self._changed.notify()

    def run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._film or self._jpeg)
                if self._film:
                    head, data = self._film.popleft()
                    self._waiting -= len(data)
                else:
                    assert self._jpeg is not None  # noqa: S101 - for mypy
                    (head, data), self._jpeg = self._jpeg, None
            try:
                self._connection.sendall(wire.HEAD.pack(*head) + data)
            except OSError:
                os._exit(0)  # the server has gone
