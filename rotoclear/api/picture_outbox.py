"""
What one viewer still has to be sent: never more than the newest picture.

A picture goes straight into the socket. What the socket does not take (the
client is slower than the camera, or does not read at all) waits here, and the
picture that comes meanwhile waits behind it, replaced by each newer one. So
a slow viewer costs the memory of two pictures, and sees the newest one each time. How much the
kernel takes is bounded by ``TCP_NOTSENT_LOWAT`` and the client's own window.

With TLS the socket is not ours to write to; Twisted's transport says when it has enough.
"""

from __future__ import annotations

from collections import deque
from typing import Final, Protocol, cast

from twisted.internet.abstract import FileDescriptor
from twisted.internet.interfaces import (
    IConsumer,
    IDelayedCall,
    IPullProducer,
    IPushProducer,
    IReactorTime,
    ITransport,
)
from zope.interface import implementer

from rotoclear.api.outbox import direct_send

CHUNK: Final = 65_536
"""Bytes handed to a TLS transport at a time: as many as it queues before it says so."""


class Peer(Protocol):
    """Whose outbox it is."""

    def stalled(self) -> None:
        """It has read nothing for too long."""


@implementer(IPushProducer, IPullProducer)
class PictureOutbox:
    """
    The sending side of a connection that shows pictures.

    :param transport: the connection's; no other producer is registered on it.
    :param stall: seconds for which the client may read nothing at all.
    :ivar shown: pictures that have gone, or are on their way.
    :ivar skipped: pictures that were replaced by newer ones.
    """

    def __init__(
        self, reactor: IReactorTime, transport: ITransport, stall: float, peer: Peer
    ) -> None:
        self._reactor = reactor
        self._transport = transport
        self._consumer = IConsumer(transport)
        self._patience = stall
        self._peer = peer
        self._send = direct_send(transport)
        self._queue: deque[bytes | memoryview] = deque()
        self._newest: bytes | None = None
        self._blocked = False
        self._registered = self._send is None
        self._registering = False
        self._muted = False
        self._closed = False
        self._stall: IDelayedCall | None = None
        self.shown = 0
        self.skipped = 0
        if self._send is None:
            self._consumer.registerProducer(self, True)

    @property
    def blocked(self) -> bool:
        """The client has not read what was sent; how long it may take is being watched."""
        return self._blocked

    @property
    def unsent(self) -> int:
        """Bytes that are waiting here."""
        return sum(map(len, self._queue)) + len(self._newest or b"")

    def begin(self, data: bytes) -> None:
        """
        Send the first bytes, behind whatever the transport still has.

        That may be the answer to a request that came before on the same connection.
        """
        if self._send is None or self._blocked:
            self.send(data)
        else:
            self._block()
            self._transport.write(data)

    def send(self, data: bytes) -> None:
        """Send something small, behind the picture that is on its way."""
        if not self._closed:
            self._queue.append(data)
            self._go_on()

    def show(self, data: bytes) -> bool:
        """
        Send a picture, unless a newer one comes before there is room for it.

        :return: whether one that waited is skipped for it.
        """
        if self._muted:
            return False
        skipped = self._newest is not None
        self.skipped += skipped
        self._newest = data
        self._go_on()
        return skipped

    def drop(self) -> None:
        """The picture that waits is not to be seen any more."""
        self._newest = None

    def mute(self) -> None:
        """Show no more pictures: the connection is being closed."""
        self._muted = True
        self._newest = None

    def close(self) -> None:
        """Send nothing more, and let the transport close."""
        if self._closed:
            return
        self._end()
        if self._registered:
            self._consumer.unregisterProducer()

    def _end(self) -> None:
        self._closed = True
        self.mute()
        self._queue.clear()
        self._stop_watching()

    # -- sending ---------------------------------------------------------

    def _go_on(self) -> None:
        """Send as much of what there is as will go."""
        while not self._blocked:
            if not self._queue:
                if self._newest is None:
                    return
                self._queue.append(self._newest)
                self._newest = None
                self.shown += 1
            if self._send is None:
                self._hand_over()
            else:
                self._send_straight()

    def _send_straight(self) -> None:
        piece = self._queue[0]
        try:
            sent = self._send(piece)  # type: ignore[misc]
        except OSError:
            # Full; or the connection is lost, and the transport finds out.
            sent = 0
        if sent == len(piece):
            self._queue.popleft()
            return
        if sent:
            self._queue[0] = memoryview(piece)[sent:]
            self._stop_watching()  # it gets on
        self._block()

    def _hand_over(self) -> None:
        piece = memoryview(self._queue[0])
        if len(piece) > CHUNK:
            self._queue[0] = piece[CHUNK:]
        else:
            self._queue.popleft()
        self._transport.write(bytes(piece[:CHUNK]))

    def _block(self) -> None:
        """The socket is full: the transport is to say when there is room again."""
        self._blocked = True
        self._watch()
        if not self._registered:
            self._registered = self._registering = True
            self._consumer.registerProducer(self, False)  # calls resumeProducing() at once
            self._registering = False
        if not self._closed:
            # It has nothing to write itself: it calls resumeProducing() when it could.
            cast(FileDescriptor, self._transport).startWriting()

    # -- IPullProducer (a plain socket), IPushProducer (TLS) -------------

    def resumeProducing(self) -> None:
        """There is room again."""
        if self._closed or self._registering:
            return
        self._blocked = False
        self._go_on()
        if self._blocked:
            return
        self._stop_watching()
        if self._send is not None:
            self._registered = False
            self._consumer.unregisterProducer()

    def pauseProducing(self) -> None:
        """The transport's buffer is full (TLS)."""
        self._blocked = True
        self._watch()

    def stopProducing(self) -> None:
        """The connection is lost."""
        self._registered = False
        self._end()

    # -- patience --------------------------------------------------------

    def _watch(self) -> None:
        if self._stall is None:
            self._stall = self._reactor.callLater(self._patience, self._stalled)

    def _stop_watching(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _stalled(self) -> None:
        self._stall = None
        self._peer.stalled()
