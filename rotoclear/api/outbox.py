"""
What one connection still has to send, and the only way to send it.

While nothing is queued a frame goes straight into the socket, one ``send()``:
that is what makes the fan-out fast. When the socket is full, or is not ours to
write to (TLS), Twisted's transport and its back-pressure take over; what has
to wait is kept here, up to a bound. Beyond it the client is **behind**: it
gets no more broadcasts, its own messages are not read, and once it has taken
what is queued it is told the newest values only.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection
from typing import Final, Protocol

from twisted.internet.interfaces import (
    IConsumer,
    IDelayedCall,
    IPullProducer,
    IPushProducer,
    IReactorTime,
    ISSLTransport,
    ITransport,
)
from zope.interface import implementer

from rotoclear.config import Limits

CHUNK: Final = 8192
"""
Bytes handed to a full socket's transport at a time. When they have gone the
client has read something: small enough to tell a slow reader from a dead one.
"""

TRANSPORT_BUFFER: Final = 65_536
"""Bytes that a TLS transport queues itself before it says so."""


class Peer(Protocol):
    """Whose outbox it is."""

    def behind(self) -> None:
        """The bound is reached: do not make it more."""

    def caught_up(self, names: Collection[str]) -> None:
        """Everything queued has gone; these keys have changed meanwhile."""

    def stalled(self) -> None:
        """It has read nothing for too long."""


@implementer(IPushProducer, IPullProducer)
class Outbox:
    """
    The sending side of a connection.

    :param transport: the connection's; no other producer is registered on it.
    """

    def __init__(
        self, reactor: IReactorTime, transport: ITransport, limits: Limits, peer: Peer
    ) -> None:
        self._reactor = reactor
        self._transport = transport
        self._consumer = IConsumer(transport)
        self._limits = limits
        self._peer = peer
        # One piece of memory, not a list of frames: most are so small that
        # the objects would weigh several times what they hold.
        self._queue = bytearray()
        self._blocked = False
        self._behind = False
        self._muted = False
        self._closed = False
        self._missed: dict[str, None] = {}
        self._stall: IDelayedCall | None = None
        self._send: Callable[[bytes], int] | None = direct_send(transport)
        # The one question on the way of every broadcast, answered beforehand.
        self._straight = self._send is not None
        if self._send is None:
            self._consumer.registerProducer(self, True)

    @property
    def unsent(self) -> int:
        """Bytes that are waiting here."""
        return len(self._queue)

    @property
    def blocked(self) -> bool:
        """The client has not read what was sent; how long it may take is being watched."""
        return self._blocked

    def send(self, data: bytes) -> None:
        """Send a frame after all those before it."""
        if self._closed:
            return
        if self._blocked:
            self._enqueue(data)
        elif self._send is None:
            self._transport.write(data)
        else:
            self._send_straight(data)

    def begin(self, data: bytes) -> None:
        """
        Send the first bytes, behind whatever the transport still has.

        That may be the answer to a request that came before the handshake on
        the same connection.
        """
        if self._send is None or self._blocked:
            self.send(data)
        else:
            self._block(data)

    def broadcast(self, frame: bytes, names: Collection[str]) -> None:
        """
        Send a frame that newer ones may replace.

        :param names: the keys whose values it tells.
        """
        if self._straight:
            # As _send_straight(), without another call: this is the one line
            # that is run for every client.
            try:
                sent = self._send(frame)  # type: ignore[misc]
            except OSError:
                sent = 0
            if sent != len(frame):
                self._block(frame[sent:])
        elif self._muted:
            pass
        elif self._behind:
            self._missed.update(dict.fromkeys(names))
        else:
            self.send(frame)

    def _send_straight(self, frame: bytes) -> None:
        try:
            sent = self._send(frame)  # type: ignore[misc]
        except OSError:
            # Full; or the connection is lost, and the transport finds out at
            # the same bytes.
            sent = 0
        if sent != len(frame):
            self._block(frame[sent:])

    def mute(self) -> None:
        """Send no more broadcasts: the connection is being closed."""
        self._muted = True
        self._straight = False

    def close(self) -> None:
        """Send nothing more, and let the transport close."""
        if self._closed:
            return
        self._closed = True
        self.mute()
        self._queue.clear()
        self._missed.clear()
        if self._blocked or self._send is None:
            self._consumer.unregisterProducer()
        self._stop_watching()

    def _block(self, rest: bytes) -> None:
        """The socket is full: from here on the transport says when to go on."""
        self._blocked = True
        self._straight = False
        self._enqueue(rest)
        self._watch()
        self._consumer.registerProducer(self, False)

    def _enqueue(self, frame: bytes) -> None:
        self._queue += frame
        bound = self._limits.backlog
        if self._send is None:
            bound = max(0, bound - TRANSPORT_BUFFER)
        if len(self._queue) > bound and not self._behind:
            self._behind = True
            self._peer.behind()

    # -- IPullProducer (a plain socket), IPushProducer (TLS) -------------

    def resumeProducing(self) -> None:
        """The transport has sent all it had: hand it the next piece."""
        if self._closed:
            return
        if self._send is None:
            self._blocked = False
            while self._queue and not self._blocked:
                self._transport.write(self._take())
        elif self._queue:
            self._transport.write(self._take())
        else:
            self._blocked = False
            self._straight = not self._muted
            self._consumer.unregisterProducer()
        if self._blocked:
            self._watch()
        else:
            self._stop_watching()
            self._catch_up()

    def pauseProducing(self) -> None:
        """The transport's buffer is full (TLS)."""
        self._blocked = True
        self._watch()

    def stopProducing(self) -> None:
        """The connection is lost."""
        self._closed = True
        self.mute()
        self._queue.clear()
        self._stop_watching()

    def _take(self) -> bytes:
        """The next piece of the queue."""
        piece = bytes(self._queue[:CHUNK])
        del self._queue[:CHUNK]
        return piece

    def _catch_up(self) -> None:
        if self._behind:
            self._behind = False
            missed, self._missed = self._missed, {}
            self._peer.caught_up(missed)

    def _watch(self) -> None:
        """Start the patience with a client that reads nothing anew."""
        if self._stall is None:
            self._stall = self._reactor.callLater(self._limits.stall, self._stalled)
        else:
            self._stall.reset(self._limits.stall)

    def _stop_watching(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _stalled(self) -> None:
        self._stall = None
        self._peer.stalled()


def direct_send(transport: ITransport) -> Callable[[bytes | memoryview], int] | None:
    """The ``send`` of a plain stream socket, ``None`` where there is none to write to."""
    get_handle = getattr(transport, "getHandle", None)
    if get_handle is None or ISSLTransport.providedBy(transport):
        return None
    handle = get_handle()
    return handle.send if isinstance(handle, socket.socket) else None
