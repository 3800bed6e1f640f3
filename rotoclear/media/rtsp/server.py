"""The server: its connections, as many as there may be, and the streams."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory, Protocol

from rotoclear.media.rtsp.connection import Connection, House
from rotoclear.media.rtsp.messages import answer
from rotoclear.media.rtsp.stream import Film, Stream

PATHS: Final = {"/live": 0, "/cam1": 1, "/cam2": 2}
"""Each one's camera; 0: the view, as it is recorded."""


class RtspFactory(Factory):
    """
    Makes the connections.

    :param most: how many there may be.
    """

    noisy = False

    def __init__(self, house: House, most: int) -> None:
        self._house = house
        self._most = most
        self._connections: dict[Connection, None] = {}

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        if len(self._connections) >= self._most and not self._make_room():
            return _Full()
        connection = Connection(self._house, self._gone)
        self._connections[connection] = None
        return connection

    def _gone(self, connection: Connection) -> None:
        self._connections.pop(connection, None)

    def _make_room(self) -> bool:
        """Whoever has been there longest without being let in gives way, if there is such a one."""
        for connection in self._connections:
            if not connection.let_in:
                self._gone(connection)
                connection.abort()
                return True
        return False

    def status(self) -> dict[str, Any]:
        """How many connections there are, and to how many of them which stream is sent."""
        viewers = {path[1:]: len(stream.viewers) for path, stream in self._house.streams.items()}
        return {"connections": len(self._connections), "viewers": viewers}

    def shut_down(self) -> None:
        """Say good-bye to everybody."""
        for connection in tuple(self._connections):
            connection.close()
        for stream in self._house.streams.values():
            stream.stop()


class _Full(Protocol):
    """There are enough connections."""

    def connectionMade(self) -> None:
        assert self.transport is not None  # noqa: S101 - for mypy
        self.transport.write(answer(453))
        self.transport.loseConnection()


def streams(reactor: Any, film: Film) -> Mapping[str, Stream]:
    """What there is to be seen, by :data:`PATHS`."""
    return {path: Stream(reactor, film, camera) for path, camera in PATHS.items()}
