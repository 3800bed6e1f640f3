"""UNIX sockets that were bound before the reactor took them over."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from twisted.internet import tcp, unix
from twisted.internet.interfaces import IProtocolFactory
from twisted.python.failure import Failure


class AdoptedUnixPort(unix.Port):
    """
    A port on a UNIX socket that listens already.

    ``reactor.adoptStreamPort`` would set the socket file's mode to 0666,
    whatever it was; at the end it would remove the file, and shut the socket
    down, although they may be systemd's.
    """

    def __init__(
        self,
        listening: socket.socket,
        factory: IProtocolFactory,
        reactor: Any,
        remove: Path | None,
    ) -> None:
        """
        :param listening: not blocking, bound, listening; the port owns it from now on.
        :param remove: the socket's file, if it is ours to remove at the end.
        """
        super().__init__(listening.getsockname(), factory, reactor=reactor)
        self._listening = listening
        self._remove = remove
        self._made = _identity(remove)

    def startListening(self) -> None:
        """Begin to accept."""
        self.factory.doStart()  # type: ignore[union-attr]
        self.connected = True
        self.socket = self._listening
        self.fileno = self.socket.fileno  # type: ignore[method-assign]
        self.numberAccepts = 100
        self._shouldShutdown = False
        self.startReading()  # type: ignore[no-untyped-call]

    def connectionLost(self, reason: Failure) -> None:
        """The port is closed: remove the file, unless another server has put its own there."""
        if self._remove is not None and _identity(self._remove) == self._made:
            self._remove.unlink(missing_ok=True)
        tcp.Port.connectionLost(self, reason)


def _identity(path: Path | None) -> tuple[int, int] | None:
    if path is None:
        return None
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
