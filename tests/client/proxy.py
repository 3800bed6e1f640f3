"""A network that can be spoilt: a proxy on loopback that stops forwarding, or cuts the line."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import Self

HOST = "127.0.0.1"


class Proxy:
    """
    Forwards TCP to a port; a context manager.

    :ivar port: where it listens.
    :ivar connections: how many it has taken.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self._flowing = threading.Event()
        self._flowing.set()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._left: int | None = None
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._flowing.set()
        self.cut()

    def stall(self) -> None:
        """Forward nothing any more, and say nothing of it."""
        self._flowing.clear()

    def resume(self) -> None:
        """Forward again, what has come meanwhile too."""
        self._flowing.set()

    def cut(self) -> None:
        """Break all connections."""
        with self._lock:
            connections, self._open = self._open, set()
        for connection in connections:
            with contextlib.suppress(OSError):
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def cut_after(self, amount: int) -> None:
        """Break all connections when so many bytes more have come from the server; once."""
        with self._lock:
            self._left = amount

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
                far = socket.create_connection((HOST, self._target))
            except ConnectionRefusedError:
                near.close()
                continue
            except OSError:
                return
            self.connections += 1
            with self._lock:
                self._open |= {near, far}
            for source, sink, counted in ((near, far, False), (far, near, True)):
                arguments = (source, sink, counted)
                threading.Thread(target=self._forward, args=arguments, daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket, counted: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(16_384):
                self._flowing.wait()
                if counted and self._spend(len(data)):
                    self.cut()
                    return
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def _spend(self, amount: int) -> bool:
        with self._lock:
            if self._left is None:
                return False
            self._left -= amount
            if self._left > 0:
                return False
            self._left = None
            return True
