"""Pairs of UDP ports out of a range that a firewall knows."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable
from typing import Any, Final

from twisted.internet.error import CannotListenError
from twisted.internet.protocol import DatagramProtocol

from rotoclear.media.rtsp.rtcp import is_rtcp

BUFFER: Final = 2**20
"""Bytes that the kernel may keep of what is sent."""


class NoPorts(Exception):
    """All of the range are in use."""


class _Silent(DatagramProtocol):
    """Nothing is to come to the port that pictures are sent from."""

    noisy = False

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        pass


class _Reports(DatagramProtocol):
    """Takes what a receiver says of itself, from its own address only."""

    noisy = False

    def __init__(self, host: str, alive: Callable[[], None]) -> None:
        self._host = host
        self._alive = alive

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        if addr[0] == self._host and is_rtcp(datagram):
            self._alive()


class Pair:
    """
    Two ports that belong together: the first, which is even, is for pictures.

    :ivar numbers: of both.
    :ivar data: the transport of pictures.
    :ivar control: that of RTCP.
    """

    def __init__(self, data: Any, control: Any) -> None:
        self._ports = (data, control)
        self.data, self.control = data, control
        self.numbers = (data.getHost().port, control.getHost().port)
        data.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)

    def close(self) -> None:
        """Give them back."""
        for port in self._ports:
            port.stopListening()


def take(
    reactor: Any,
    ports: tuple[int, int],
    interface: str,
    host: str,
    alive: Callable[[], None],
) -> Pair:
    """
    Take a pair that nobody has.

    :param ports: the first and the last of the range.
    :param interface: our address that the client talks to.
    :param host: the client's.
    :param alive: called when it gives a sign of life.
    :raises NoPorts: there is none left.
    """
    first, last = ports
    pairs = range(first + first % 2, last, 2)
    # From somewhere in the middle: ports that were just given back may get late packets.
    begin = secrets.randbelow(len(pairs)) if pairs else 0
    for number in (*pairs[begin:], *pairs[:begin]):
        try:
            data = reactor.listenUDP(number, _Silent(), interface)
        except CannotListenError:
            continue
        try:
            control = reactor.listenUDP(number + 1, _Reports(host, alive), interface)
        except CannotListenError:
            data.stopListening()
            continue
        return Pair(data, control)
    raise NoPorts
