"""
How requests are read, and how the answers are written.

Twisted's own machinery, with a few things that it leaves to us: bodies have a
limit and never go to a file, a request has a limited time to arrive in, every
error is JSON, and nothing tells which software this is.
"""

# mypy: allow-untyped-calls
# Twisted types its web server only in part, and mypy counts what is inherited as ours.

from __future__ import annotations

from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import unquote_to_bytes

from twisted.internet.interfaces import IConsumer, IProtocol
from twisted.logger import Logger
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from twisted.web import http, server
from twisted.web.error import UnsupportedMethod
from twisted.web.http import HTTPChannel, datetimeToString, parse_qs
from twisted.web.http_headers import Headers
from twisted.web.resource import IResource

from rotoclear.api.http_errors import (
    INTERNAL_ERROR,
    INVALID_REQUEST,
    METHOD_NOT_ALLOWED,
    TOO_LARGE,
    HttpError,
)
from rotoclear.api.http_headers import JSON, protect
from rotoclear.api.strict_json import encode

if TYPE_CHECKING:
    from rotoclear.api.site import ApiSite

LINGER: Final = 2.0
"""Seconds for which the rest of a refused body is read and dropped, so that the answer arrives."""

LINGER_BYTES: Final = 2**20
"""Bytes of a refused body that are read and dropped."""


class Request(server.Request):
    """
    One request.

    :ivar gone: the client has hung up; there is nobody to answer.
    """

    _log = Logger()

    defaultContentType = None
    gone = False
    channel: Channel
    _too_large = False
    _body: BytesIO

    def gotLength(self, length: int | None) -> None:
        """The headers are here; ``None``: the body comes in chunks."""
        self._body = self.content = BytesIO()
        if length is not None and length > self._limit:
            self._refuse_body()

    def handleContentChunk(self, data: bytes) -> None:
        """A part of the body is here."""
        if self._too_large:
            return
        if self._body.tell() + len(data) > self._limit:
            self._refuse_body()
        else:
            self._body.write(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """All of it is here (unless its body is refused). No body is ever parsed as a form."""
        self._body.seek(0)
        self.method, self.uri, self.clientproto = command, path, version
        self.path, _, query = path.partition(b"?")
        self.args = parse_qs(query, True)
        self.process()

    def read_body(self) -> bytes:
        """The whole body. To be called before anything is waited for."""
        return self._body.getvalue()

    def process(self) -> None:
        """Find the resource and let it answer."""
        self.site = self.channel.site
        self.setHeader(b"Date", datetimeToString())
        protect(self.responseHeaders, self.site.hsts if self.isSecure() else 0)
        self.site.origins.share(self.requestHeaders, self.responseHeaders)
        if self._too_large:
            self.fail(HttpError(413, TOO_LARGE, f"A body may have {self._limit} bytes at most"))
            return
        hosts = self.requestHeaders.getRawHeaders(b"Host", [])
        if len(hosts) != 1 and self.clientproto == b"HTTP/1.1":  # RFC 9112 3.2
            self.fail(HttpError(400, INVALID_REQUEST, "A request needs one Host header"))
            return
        self.path = _without_authority(self.path)
        if not self.path.startswith((b"/", b"*")):
            self.fail(HttpError(400, INVALID_REQUEST, "A request needs a path"))
            return
        self.prepath = []
        self.postpath = [unquote_to_bytes(part) for part in self.path[1:].split(b"/")]
        try:
            self.render(self.site.getResourceFor(self))
        except Exception:  # noqa: BLE001 - the client gets a 500, the log the reason
            self.processingFailed(Failure())

    def render(self, resrc: IResource) -> None:
        """Let a resource answer, now or later."""
        try:
            body = resrc.render(self)
        except UnsupportedMethod as error:
            allow = b", ".join(error.allowedMethods)
            text = f"Allowed here: {allow.decode('ascii')}"
            self.fail(HttpError(405, METHOD_NOT_ALLOWED, text, [(b"Allow", allow)]))
            return
        if body is not server.NOT_DONE_YET:
            self.answer(self.code, cast(bytes, body))

    def processingFailed(self, reason: Failure) -> None:
        """Something is wrong here: the log tells what, the client only that."""
        self._log.failure(
            "{method} {path} failed",
            reason,
            method=self.method.decode("latin-1"),
            path=self.shown_path(),
        )
        if self.startedWriting:
            self.loseConnection()
        else:
            self.fail(HttpError(500, INTERNAL_ERROR, "The server failed; its log tells why"))

    def answer(self, status: int, body: bytes = b"", content_type: bytes | None = None) -> None:
        """Send the whole answer, if anybody is still there."""
        if self.gone:
            return
        # Twisted has no words for some: 426, 429.
        self.setResponseCode(status, HTTPStatus(status).phrase.encode("ascii"))
        if status not in http.NO_BODY_CODES:
            self.setHeader(b"Content-Length", b"%d" % len(body))
            if content_type is not None:
                self.setHeader(b"Content-Type", content_type)
        self.write(body)
        self.finish()

    def fail(self, error: HttpError) -> None:
        """Refuse the request."""
        for name, value in error.headers:
            self.responseHeaders.addRawHeader(name, value)
        self.answer(error.status, _explain(error), JSON)

    def connectionLost(self, reason: Failure) -> None:
        """The client has hung up. What was begun for it is finished all the same."""
        self.gone = True
        super().connectionLost(reason)

    def shown_path(self) -> str:
        """The path as it may be logged: without the query, which may hold a ticket."""
        return (self.path or b"-")[:200].decode("utf-8", "backslashreplace")

    @property
    def _limit(self) -> int:
        return self.channel.site.body_limit

    def _refuse_body(self) -> None:
        self._too_large = True
        self.channel.answer_early(self)


class Channel(HTTPChannel):
    """
    One connection.

    Its time-out is what a request may take to arrive, from its first line to
    its last byte, and for how long the connection may then be idle.
    """

    site: ApiSite
    _answered_early = False
    _dropped = 0

    def dataReceived(self, data: bytes) -> None:
        """Bytes. They do not prolong the time-out: one a minute would, for ever."""
        LineReceiver.dataReceived(self, data)

    def lineReceived(self, line: bytes) -> None:
        """A line of the head; the first one starts the clock anew."""
        idle = not self.requests
        super().lineReceived(line)
        if idle and self.requests:
            self.resetTimeout()

    def rawDataReceived(self, data: bytes) -> None:
        """A part of a body, or what comes after it."""
        if not self._answered_early:
            super().rawDataReceived(data)
            return
        before, self._dropped = self._dropped, self._dropped + len(data)
        if before <= LINGER_BYTES < self._dropped:
            self.setTimeout(None)
            self.loseConnection()

    def allContentReceived(self) -> None:
        """The body has ended."""
        if not self._answered_early:
            super().allContentReceived()

    def answer_early(self, request: Request) -> None:
        """
        Answer a request whose body will not be read.

        Closing at once would reset the connection, and the answer be lost
        (RFC 9112 9.6): what the client is about to send is dropped for a while.
        """
        self._answered_early = True
        self.persistent = 0
        request.requestHeaders.removeHeader(b"Expect")  # no "100 Continue" after that
        request.responseHeaders.setRawHeaders(b"Connection", [b"close"])
        self.setTimeout(LINGER)
        request.requestReceived(self._command, self._path, self._version)

    def relay(self, connection: IProtocol) -> None:
        """
        Be no more than a relay: whatever comes is the connection's from now on.

        ``rawDataReceived`` too: what came in one piece with the request is
        still in our hands. The transport is free for another producer then;
        while we are it, nobody would learn of its back-pressure.
        """
        self.setTimeout(None)
        IConsumer(self.transport).unregisterProducer()
        self.requests.clear()
        self.dataReceived = connection.dataReceived  # type: ignore[method-assign]
        self.rawDataReceived = connection.dataReceived  # type: ignore[method-assign]
        self.connectionLost = connection.connectionLost  # type: ignore[method-assign]

    def requestDone(self, request: Request) -> None:
        """An answer is out."""
        if self._answered_early:
            self.requests.remove(request)
        else:
            super().requestDone(request)

    def _respondToBadRequestAndDisconnect(self) -> None:
        """What came is not HTTP. Twisted's own answer has neither a body nor headers."""
        if self._answered_early:
            return
        body = _explain(HttpError(400, INVALID_REQUEST, "This is not an HTTP/1.1 request"))
        headers = Headers()
        headers.setRawHeaders(b"Connection", [b"close"])
        headers.setRawHeaders(b"Content-Type", [JSON])
        headers.setRawHeaders(b"Content-Length", [b"%d" % len(body)])
        protect(headers, self.site.hsts if self.isSecure() else 0)
        self.writeHeaders(b"HTTP/1.1", b"400", b"Bad Request", headers)
        self.write(body)
        self.loseConnection()


def _explain(error: HttpError) -> bytes:
    return encode({"error": error.error, "message": error.message})


def _without_authority(path: bytes) -> bytes:
    """The path of ``http://host/path``, which a server must accept (RFC 9112 3.2.2)."""
    scheme, separator, rest = path.partition(b"://")
    if separator and scheme.lower() in (b"http", b"https"):
        return b"/" + rest.partition(b"/")[2]
    return path
