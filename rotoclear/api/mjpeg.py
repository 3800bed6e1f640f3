"""
MJPEG over HTTP: one picture after another in a ``multipart/x-mixed-replace``.

That is what an ``<img>`` shows by itself, and what players and recorders on
the network call an MJPEG or HTTP stream. A browser shows a part when it has seen the
boundary **behind** it: so that goes out with the picture, not with the next one.

The answer has no length and no end; the connection is closed behind it, and
nothing more is read from it.
"""

# mypy: allow-untyped-calls
# Twisted types its web server only in part, and mypy counts what is inherited as ours.

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from twisted.internet.interfaces import IDelayedCall, ITCPTransport, ITransport
from twisted.internet.protocol import Protocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from rotoclear.api.context import ApiContext
from rotoclear.api.http_request import Request
from rotoclear.api.picture_outbox import PictureOutbox
from rotoclear.api.pictures import Picture, Viewing
from rotoclear.state.permissions import ANONYMOUS, MEDIA_R

if TYPE_CHECKING:
    from rotoclear.auth.accounts import Session

_BOUNDARY: Final = b"rotoclear-picture"

CONTENT_TYPE: Final = b"multipart/x-mixed-replace; boundary=" + _BOUNDARY

CLOSING: Final = 2.0
"""Seconds that a client has to take what is still on its way when the stream ends."""


class Stream(Protocol):
    """
    A connection that has become a stream.

    :param session: whose it is: it ends with the right to see pictures.
    :param fps: the most pictures a second; ``None``: all.
    """

    _log = Logger()

    def __init__(self, context: ApiContext, session: Session | None, fps: float | None) -> None:
        self._context = context
        self._session = session
        self._fps = fps
        self._open = True
        self._outbox: PictureOutbox | None = None
        self._closing: IDelayedCall | None = None

    @property
    def role(self) -> str:
        """See :class:`~rotoclear.api.roster.Member`; so the other."""
        return self._session.role if self._session else ANONYMOUS

    @property
    def unsent(self) -> int:
        """Bytes that wait for it."""
        return self._outbox.unsent if self._outbox else 0

    @property
    def blocked(self) -> bool:
        """It has not read what was sent."""
        return self._outbox is not None and self._outbox.blocked

    def shut_down(self) -> None:
        """Close it: the server ends."""
        self._end()

    def begin(self, head: bytes) -> None:
        """
        Start. The connection is made.

        :param head: the answer's head, with the empty line behind it.
        """
        context, transport = self._context, cast(ITransport, self.transport)
        self._outbox = PictureOutbox(
            context.reactor, transport, context.configuration.limits.stall, self
        )
        self._viewing = Viewing(context.pictures, self._outbox, part, self._fps, context.metrics)
        context.connections.add(self)
        self._outbox.begin(head + b"--" + _BOUNDARY + b"\r\n")
        self._viewing.start()
        if self._session is not None:
            self._session.attach(self._rights_changed)
            self._rights_changed()  # it may have ended a moment ago

    def dataReceived(self, data: bytes) -> None:
        """Nothing more is heard."""

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        """The client is gone."""
        self._leave()
        if self._closing is not None and self._closing.active():
            self._closing.cancel()
        self._context.connections.remove(self)

    def stalled(self) -> None:
        """See :class:`~rotoclear.api.picture_outbox.Peer`."""
        self._log.info("a viewer reads nothing: its stream is closed")
        self._abort()

    def _rights_changed(self) -> None:
        if self._session is not None and MEDIA_R not in self._session.permissions:
            self._end()

    def _leave(self) -> None:
        if not self._open:
            return
        self._open = False
        self._viewing.stop()
        if self._outbox is not None:
            self._outbox.close()
        if self._session is not None:
            self._session.detach(self._rights_changed)

    def _end(self) -> None:
        """Close it. What the client has not read by then may be lost."""
        if self._open:
            self._leave()
            cast(ITransport, self.transport).loseConnection()
            self._closing = self._context.reactor.callLater(CLOSING, self._abort)

    def _abort(self) -> None:
        self._leave()
        cast(ITCPTransport, self.transport).abortConnection()


def part(picture: Picture) -> bytes:
    """A picture with its head, and the boundary of the next one."""
    return b"".join(
        (
            b"Content-Type: image/jpeg\r\nContent-Length: %d\r\nX-Timestamp: %.6f\r\n\r\n"
            % (len(picture.jpeg), picture.taken),
            picture.jpeg,
            b"\r\n--" + _BOUNDARY + b"\r\n",
        )
    )


def hand_over(request: Request, stream: Stream) -> None:
    """Make the request's connection a stream, for good."""
    channel = request.channel
    transport: Any = channel.transport
    request.setResponseCode(200)
    request.setHeader(b"Content-Type", CONTENT_TYPE)
    request.setHeader(b"Connection", b"close")
    lines = [b"HTTP/1.1 200 OK"]
    for name, values in request.responseHeaders.getAllRawHeaders():
        lines += [name + b": " + value for value in values]
    channel.relay(stream)
    channel.site.log(request)
    transport.resumeProducing()  # or nobody would learn that the client has gone
    stream.makeConnection(transport)
    stream.begin(b"\r\n".join(lines) + b"\r\n\r\n")
