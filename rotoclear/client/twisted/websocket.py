"""One WebSocket, by Autobahn."""

from __future__ import annotations

from typing import Final

from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from rotoclear.client.port import Link

CLOSING: Final = 1.0
"""Seconds that the server has for its part of the closing handshake."""


class Socket(WebSocketClientProtocol):
    """
    Tells the link what happens.

    :ivar gone: fires when the connection has ended.
    :ivar why: why it has.
    :ivar refused: what was wrong with the server's part of the opening handshake.
    """

    factory: SocketFactory

    def __init__(self) -> None:
        WebSocketClientProtocol.__init__(self)
        self.gone: Deferred[None] = Deferred()
        self.why = Failure(connectionDone.value)
        self.greeted = False
        self.refused = ""
        self.close_code: int | None = None
        self._dropped = False

    def onOpen(self) -> None:
        self.greeted = True
        if not self._dropped:
            self.factory.link.opened()

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if not self._dropped:
            self.factory.link.received(payload if isBinary else payload.decode("utf-8"))

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        self.close_code = self.remoteCloseCode

    def failHandshake(self, reason: str) -> None:
        self.refused = reason
        WebSocketClientProtocol.failHandshake(self, reason)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override, unused-ignore]
        WebSocketClientProtocol.connectionLost(self, reason)
        self.why = reason
        self.gone.callback(None)

    def say(self, text: str) -> None:
        """Send a message."""
        if self.state == self.STATE_OPEN:
            self.sendMessage(text.encode("utf-8"))

    def drop(self) -> None:
        """End it; the server has a moment to say good-bye."""
        self._dropped = True
        if self.state == self.STATE_OPEN:
            self.sendClose(1000)
            too_late = self.factory.reactor.callLater(CLOSING, self._abort)
            self.gone.addCallback(lambda _: too_late.active() and too_late.cancel())
        else:
            self._abort()

    def _abort(self) -> None:
        self.transport.abortConnection()


class SocketFactory(WebSocketClientFactory):
    """
    Makes one.

    :param url: where to.
    :param link: who is told.
    :param max_message: bytes of a message that is read.
    """

    protocol = Socket
    noisy = False

    def __init__(self, reactor: IReactorTime, url: str, link: Link, max_message: int) -> None:
        WebSocketClientFactory.__init__(self, url, useragent=None, reactor=reactor)
        self.link = link
        # All that takes time is watched by the core, with its own clock.
        self.setProtocolOptions(
            openHandshakeTimeout=0,
            closeHandshakeTimeout=0,
            autoPingInterval=0,
            autoPingTimeout=0,
            failByDrop=True,
            maxFramePayloadSize=max_message,
            maxMessagePayloadSize=max_message,
            utf8validateIncoming=True,
            acceptMaskedServerFrames=False,
            maskClientFrames=True,
            tcpNoDelay=True,
        )
