"""
A WebSocket connection (RFC 6455), whatever is spoken over it.

Autobahn reads the frames and keeps the protocol's states; the rest is ours:
everything that is sent, control frames too, goes through one outbox, and the
timers (ping, closing, stall) run on the injected clock, Autobahn's own ones are
turned off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

import txaio
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.compress import PerMessageDeflateOffer, PerMessageDeflateOfferAccept
from twisted.internet.interfaces import IDelayedCall, ITransport
from twisted.logger import Logger

from rotoclear.api.frames import small_text
from rotoclear.config import Limits

GOING_AWAY: Final = 1001
POLICY_VIOLATION: Final = 1008
TOO_LARGE: Final = 1009

CLOSING: Final = 2.0
"""Seconds that a client has for its part of the closing handshake."""


def set_options(factory: WebSocketServerFactory, limits: Limits) -> None:
    """
    Set every option of Autobahn that matters, safe where its default is not.

    By default it takes messages of any size, unmasked frames are its business,
    a fault drops the connection without a close code, and its timers run on
    the global reactor.

    A whole message is measured in :meth:`Connection._onMessage`; Autobahn's
    limits are there to bound what it gathers. Its own verdict is not exact: it
    adds a compressed frame to what was inflated before, and at its limit for
    inflating it stops without a word if zlib has read all there is by then.
    """
    factory.setProtocolOptions(
        versions=[13],
        webStatus=False,
        utf8validateIncoming=True,
        requireMaskedClientFrames=True,
        maskServerFrames=False,
        maxFramePayloadSize=limits.message_size,
        maxMessagePayloadSize=2 * limits.message_size,
        autoFragmentSize=0,
        failByDrop=False,
        echoCloseCodeReason=False,
        openHandshakeTimeout=0,
        closeHandshakeTimeout=0,
        autoPingInterval=0,
        autoPingTimeout=0,
        tcpNoDelay=True,
        serveFlashSocketPolicy=False,
        allowedOrigins=["*"],
        allowNullOrigin=True,
        maxConnections=0,
        trustXForwardedFor=0,
        perMessageCompressionAccept=lambda offers: _accept_deflate(offers, limits.message_size + 1),
    )


def _accept_deflate(
    offers: Iterable[object], message_size: int
) -> PerMessageDeflateOfferAccept | None:
    """RFC 7692, each message on its own: no window is kept for a connection."""
    for offer in offers:
        if isinstance(offer, PerMessageDeflateOffer):
            return PerMessageDeflateOfferAccept(
                offer,
                request_no_context_takeover=offer.accept_no_context_takeover,
                no_context_takeover=True,
                max_message_size=message_size,
            )
    return None


class AnyOutbox(Protocol):
    """
    What one connection still has to send, and the only way to send it.

    That is :class:`~rotoclear.api.outbox.Outbox` or
    :class:`~rotoclear.api.picture_outbox.PictureOutbox`.
    """

    @property
    def blocked(self) -> bool:
        """The client has not read what was sent; how long it may take is being watched."""

    @property
    def unsent(self) -> int:
        """Bytes that are waiting here."""

    def begin(self, data: bytes) -> None:
        """Send the first bytes, behind whatever the transport still has."""

    def send(self, data: bytes) -> None:
        """Send a frame after all those before it."""

    def mute(self) -> None:
        """Send only what must be sent: the connection is being closed."""

    def close(self) -> None:
        """Send nothing more, and let the transport close."""


class Connection(WebSocketServerProtocol):
    """
    What all connections have in common, whatever is spoken over them.

    Sends through an outbox, pings, and closes for good.

    :ivar outbox: what :meth:`make_outbox` has made.
    """

    factory: ConnectionFactory
    transport: ITransport
    outbox: AnyOutbox
    _log = Logger()
    _ping: IDelayedCall | None = None
    _deadline: IDelayedCall | None = None
    _closing: IDelayedCall | None = None
    _heard = False

    def connectionMade(self) -> None:
        self.outbox = self.make_outbox()
        WebSocketServerProtocol.connectionMade(self)

    def make_outbox(self) -> AnyOutbox:
        """What everything is sent through, control frames too."""
        raise NotImplementedError

    def connectionLost(self, reason: Any = None) -> None:
        self.outbox.close()
        for timer in (self._ping, self._deadline, self._closing):
            if timer is not None and timer.active():
                timer.cancel()
        WebSocketServerProtocol.connectionLost(self, reason)

    def dataReceived(self, data: bytes) -> None:
        """
        Take what comes: nearly always one small text message in one piece.

        Such a one is unmasked here, which takes a tenth of the time that
        Autobahn takes; everything else, and everything that is not quite
        right, is Autobahn's to read and to refuse.
        """
        self._heard = True
        if (
            self.state == self.STATE_OPEN
            and self.current_frame is None
            and not (self.data or self.inside_message)
        ):
            payload = small_text(data)
            if payload is not None:
                self.onMessage(payload, False)
                return
        # Not dataReceived(), which formats a debug message for every read.
        self._dataReceived(data)

    def _onMessage(self, payload: bytes, isBinary: bool) -> None:
        """Where Autobahn hands over what it has read."""
        if len(payload) > self.factory.limits.message_size:
            self.end(TOO_LARGE, "the message is too large")
        else:
            self.onMessage(payload, isBinary)

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:
        """Where Autobahn puts whatever it sends."""
        if self.state == self.STATE_CONNECTING:
            self.outbox.begin(data)
        else:
            self.outbox.send(data)

    # -- life signs ------------------------------------------------------

    def onOpen(self) -> None:
        self._ping = self.factory.clock.callLater(self.factory.limits.ping_interval, self._tick)

    def _tick(self) -> None:
        """
        Ask for a sign of life. Whatever comes is one.

        Not while it has still to read what was sent before: it may not even be
        read from then, and the outbox sees whether it gets on.
        """
        limits = self.factory.limits
        self._ping = self.factory.clock.callLater(limits.ping_interval, self._tick)
        if self.outbox.blocked:
            return
        if self._heard and self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self._heard = False
        self.sendPing()
        if self._deadline is None:
            self._deadline = self.factory.clock.callLater(limits.ping_timeout, self._check_life)

    def _check_life(self) -> None:
        self._deadline = None
        if not (self._heard or self.outbox.blocked):
            self.end(POLICY_VIOLATION, "no sign of life")

    # -- the end ---------------------------------------------------------

    def end(self, code: int, reason: str) -> None:
        """Close with a code, as RFC 6455 7.1.2 has it, or by force if that takes too long."""
        if self.state == self.STATE_OPEN:
            self.sendCloseFrame(code, reason.encode("utf-8"))

    def sendCloseFrame(
        self, code: int | None = None, reasonUtf8: bytes | None = None, isReply: bool = False
    ) -> None:
        """Where every close of ours passes, Autobahn's included."""
        if not isReply and self.state == self.STATE_OPEN:
            self._end_within(CLOSING, self.dropConnection)
        WebSocketServerProtocol.sendCloseFrame(self, code, reasonUtf8, isReply)
        self.outbox.mute()

    def dropConnection(self, abort: bool = False) -> None:
        self.outbox.close()
        # Autobahn aborts even after a proper closing handshake; the reset could
        # overtake our close frame, and the client never learn why.
        abort = abort and not self.wasClean
        WebSocketServerProtocol.dropConnection(self, abort)
        if not abort:
            # A client that does not read could keep the socket for ever.
            self._end_within(CLOSING, self._closeConnection)

    def _end_within(self, seconds: float, end: Callable[[bool], None]) -> None:
        """By force, if it has not ended properly by then."""
        if self._closing is not None and self._closing.active():
            self._closing.cancel()
        self._closing = self.factory.clock.callLater(seconds, end, True)

    def unregisterProducer(self) -> None:
        """The outbox registers and unregisters itself; Autobahn must not."""

    def stalled(self) -> None:
        """The outbox finds that the client has read nothing for too long."""
        self._log.info("{peer} reads nothing: closed", peer=self.peer)
        self.wasNotCleanReason = "the client reads nothing"
        self.dropConnection(abort=True)


class ConnectionFactory(WebSocketServerFactory):
    """Makes connections with every option set."""

    protocol = Connection

    def __init__(self, clock: Any, limits: Limits) -> None:
        WebSocketServerFactory.__init__(self, server="")
        self.clock = clock
        self.limits = limits
        set_options(self, limits)

    def check_place(self) -> None:
        """
        There must be room for another connection.

        :raises rotoclear.api.http_errors.HttpError: there is not.
        """


def quieten() -> None:
    """Autobahn warns of every client's fault, at a client's pace: only its errors are logged."""
    txaio.set_global_log_level("error")
