"""
Where HTTP ends and a WebSocket begins: the resource at ``/api/v1``.

The handshake is checked here, so that whoever gets it wrong is told in JSON
what is missing; one that is right is handed to Autobahn together with the
connection. The HTTP channel stays in front as a relay: it is the one object
that the transport knows, with TLS and behind a proxy alike.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Final, cast

from twisted.internet.interfaces import ITransport
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET
from twisted.web.server import Request as TwistedRequest

from rotoclear.api.connection import ConnectionFactory
from rotoclear.api.extensions import acceptable
from rotoclear.api.http_errors import INVALID_REQUEST, NOT_FOUND, HttpError
from rotoclear.api.http_request import Request

UPGRADE_REQUIRED: Final = "Upgrade required"
HOW: Final = (
    "This is a WebSocket endpoint (RFC 6455): connect with a WebSocket client "
    "to ws://HOST{path} or wss://HOST{path}"
)


class WebSocketEndpoint(Resource):
    """
    Turns a handshake into a connection.

    :param path: where it is.
    """

    isLeaf = True

    def __init__(self, factory: ConnectionFactory, path: str = "/api/v1") -> None:
        Resource.__init__(self)
        self._factory = factory
        self._path = path

    def render_GET(self, request: TwistedRequest) -> bytes | int:
        """Check the handshake, then hand the connection over."""
        request = cast(Request, request)
        try:
            _check(request, self._path)
            self._factory.check_place()
        except HttpError as error:
            request.fail(error)
        else:
            _hand_over(request, self._factory)
        return NOT_DONE_YET


def _check(request: Request, path: str) -> None:
    """
    RFC 6455, 4.2.1.

    :raises HttpError: it is no handshake, or not a right one.
    """
    headers = request.requestHeaders
    if request.postpath:
        raise HttpError(404, NOT_FOUND, f"The WebSocket endpoint is {path}")
    upgrade = _tokens(headers.getRawHeaders(b"Upgrade", []))
    connection = _tokens(headers.getRawHeaders(b"Connection", []))
    if b"websocket" not in upgrade or b"upgrade" not in connection:
        raise HttpError(
            426,
            UPGRADE_REQUIRED,
            HOW.format(path=path),
            [(b"Upgrade", b"websocket"), (b"Connection", b"Upgrade")],
        )
    if request.clientproto != b"HTTP/1.1":
        raise HttpError(400, INVALID_REQUEST, "A WebSocket handshake takes HTTP/1.1")
    keys = headers.getRawHeaders(b"Sec-WebSocket-Key", [])
    if len(keys) != 1:
        raise HttpError(
            400, INVALID_REQUEST, "A WebSocket handshake takes one Sec-WebSocket-Key header"
        )
    try:
        key = base64.b64decode(keys[0].strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != 16:
        raise HttpError(400, INVALID_REQUEST, "Sec-WebSocket-Key must be 16 bytes in Base64")
    if headers.getRawHeaders(b"Sec-WebSocket-Version", []) != [b"13"]:
        raise HttpError(
            426,
            UPGRADE_REQUIRED,
            "The WebSocket protocol's version must be 13",
            [(b"Sec-WebSocket-Version", b"13")],
        )


def _tokens(values: Iterable[bytes]) -> set[bytes]:
    """The members of a header that is a comma-separated list."""
    return {token.strip().lower() for value in values for token in value.split(b",")}


def _hand_over(request: Request, factory: ConnectionFactory) -> None:
    channel = request.channel
    transport = cast(ITransport, channel.transport)
    connection = factory.buildProtocol(transport.getPeer())
    channel.relay(connection)
    connection.makeConnection(transport)
    # Autobahn reads the handshake itself: it gets it as the client sent it,
    # but for offers that must be declined.
    lines = [b"%s %s HTTP/1.1" % (request.method, request.uri)]
    for name, values in request.requestHeaders.getAllRawHeaders():
        if name.lower() == b"sec-websocket-extensions":
            values = acceptable(values)
            if not values:
                continue
        lines.append(name + b": " + b",".join(values))
    connection.dataReceived(b"\r\n".join(lines) + b"\r\n\r\n")
