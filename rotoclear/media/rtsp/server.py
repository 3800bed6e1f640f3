"""The server: its connections, as many as there may be, and the streams."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory, Protocol

from rotoclear.media.rtsp.connection import Connection, House
from rotoclear.media.rtsp.messages import answer
from rotoclear.media.rtsp.stream import Stream

NOT_IN_USE: Final = "This camera is not the active one (main-camera); /live shows the one that is"


class RtspFactory(Factory):
    """
    Makes the connections.

    :param most: how many there may be.
    """

    noisy = False

    def __init__(self, house: House, most: int) -> None:
        self._house = house
        self._most = most
        self._connections: set[Connection] = set()

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        if len(self._connections) >= self._most:
            return _Full()
        connection = Connection(self._house, self._connections.discard)
        self._connections.add(connection)
        return connection

    def status(self) -> dict[str, int]:
        """How many connections there are, and how many of them are sent the film."""
        playing = sum(connection.playing for connection in self._connections)
        return {"connections": len(self._connections), "viewers": playing}

    def shut_down(self) -> None:
        """Say good-bye to everybody."""
        for connection in tuple(self._connections):
            connection.close()
        for stream in set(self._house.streams.values()):
            stream.stop()


class _Full(Protocol):
    """There are enough connections."""

    def connectionMade(self) -> None:
        assert self.transport is not None  # noqa: S101 - for mypy
        self.transport.write(answer(453))
        self.transport.loseConnection()


def streams(reactor: Any, film: Any) -> Mapping[str, Stream]:
    """The paths, which all lead to the one film that is made."""
    stream = Stream(reactor, film)
    return {"/live": stream, "/cam1": stream, "/cam2": stream}
