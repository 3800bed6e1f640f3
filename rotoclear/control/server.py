"""The control socket as a service."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Mapping
from pathlib import Path

from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from rotoclear.control.protocol import ControlFactory, PeerUid, peer_uid
from rotoclear.control.request import Handler
from rotoclear.control.wire import address
from rotoclear.errors import StartError
from rotoclear.listening.unixport import AdoptedUnixPort

BACKLOG = 16
"""Connections that wait to be accepted."""

GRACE = 2.0
"""Seconds that requests at hand have when the server stops."""


class ControlServer(Service):
    """
    Listens at ``path`` and has ``handlers`` answer.

    Nobody but the owner of the process (and root) can connect, from the first
    moment on. What a server that died has left behind is replaced.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: IReactorTime,
        path: Path,
        handlers: Mapping[str, Handler],
        peer_uid: PeerUid = peer_uid,
    ) -> None:
        self._reactor = reactor
        self._path = path
        self._factory = ControlFactory(reactor, handlers, peer_uid)
        self._port: AdoptedUnixPort | None = None

    def startService(self) -> None:
        """
        Listen.

        :raises StartError: the socket cannot be set up.
        """
        self._port = AdoptedUnixPort(
            listen(self._path), self._factory, self._reactor, remove=self._path
        )
        self._port.startListening()
        self.running = True

    def stopService(self) -> Deferred[None]:
        """Stop listening; fires when the requests at hand are answered, or were given up."""
        self.running = False
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        if self._port is not None:
            port, self._port = self._port, None
            await maybeDeferred(port.stopListening)
        connections = list(self._factory.connections)
        ended = DeferredList([connection.end() for connection in connections])
        late = self._reactor.callLater(GRACE, self._give_up)
        await ended
        if late.active():
            late.cancel()

    def _give_up(self) -> None:
        for connection in list(self._factory.connections):
            connection.abort()


def listen(path: Path) -> socket.socket:
    """
    A listening socket at ``path`` that this process's user and root can connect.

    :raises StartError: somebody listens there, it is no socket, or the folder does
        not take one.
    """
    _clear_away(path)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        # On Linux the file gets the socket's mode, so it is never open to others.
        os.fchmod(listening.fileno(), 0o600)
        with address(path) as name:
            listening.bind(name)
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise StartError(f"{path}: {error.strerror}") from None
    return listening


def _clear_away(path: Path) -> None:
    """Remove the socket that a dead server has left."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise StartError(f"{path} is in the way: it is not a socket")
        with socket.socket(socket.AF_UNIX) as probe, address(path) as name:
            probe.setblocking(False)
            probe.connect(name)
    except FileNotFoundError:
        return
    except ConnectionRefusedError:
        path.unlink(missing_ok=True)
        return
    except BlockingIOError:  # its queue is full: all the same it has one
        pass
    except OSError as error:
        raise StartError(f"{path}: {error.strerror}") from None
    raise StartError(f"{path}: another server listens there")
