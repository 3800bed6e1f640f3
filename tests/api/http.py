"""An HTTP client without a network: raw bytes into a site, parsed responses out of it."""

from __future__ import annotations

import io
import json
from http.client import HTTPResponse

from attrs import frozen
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import ISSLTransport
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.server import Site
from zope.interface import implementer


@implementer(ISSLTransport)
class SecureTransport(StringTransport):
    """As if there were TLS."""

    def setTcpNoDelay(self, enabled: bool) -> None:
        pass


@frozen
class Response:
    """One response; header names in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict:
        assert self.headers["content-type"] == "application/json", self
        return json.loads(self.body)


class _Stream(io.BytesIO):
    """A socket to :class:`HTTPResponse`, and a file that stays open."""

    def makefile(self, mode: str) -> io.BytesIO:
        return self

    def close(self) -> None:
        pass


def parse(stream: io.BytesIO, method: str) -> Response:
    """Read one response, which must be complete."""
    response = HTTPResponse(stream, method=method)  # type: ignore[arg-type]
    response.begin()
    while response.status == 100:
        response.begin()
    headers: dict[str, str] = {}
    for name, value in response.getheaders():
        name = name.lower()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return Response(response.status, headers, response.read())


class Client:
    """One connection to a site."""

    def __init__(
        self,
        site: Site,
        *,
        secure: bool = False,
        address: str = "192.0.2.1",
        token: str | None = None,
    ) -> None:
        self.token = token
        self.channel = site.buildProtocol(IPv4Address("TCP", address, 40000))
        transport = SecureTransport if secure else StringTransport
        self.transport = transport(peerAddress=IPv4Address("TCP", address, 40000))
        self.channel.makeConnection(self.transport)

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.channel.dataReceived(piece)

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Send a request; a body that is not bytes goes as JSON."""
        fields = {"Host": "device", **(headers or {})}
        if self.token is not None:
            fields.setdefault("Authorization", f"Bearer {self.token}")
        if body is not None:
            fields.setdefault("Content-Type", "application/json")
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
            fields.setdefault("Content-Length", str(len(body)))
        lines = [f"{method} {path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in fields.items() if value]
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b""))

    def responses(self, method: str = "GET") -> list[Response]:
        """What has come since the last time."""
        stream = _Stream(self.transport.value())
        self.transport.clear()
        found = []
        while stream.tell() < len(stream.getvalue()):
            found.append(parse(stream, method))
        return found

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: dict[str, str] | None = None,
    ) -> Response:
        """Send a request that is answered at once."""
        self.ask(method, path, body, headers)
        (response,) = self.responses(method)
        return response

    def get(self, path: str, **headers: str) -> Response:
        return self.request("GET", path, headers=headers)

    def post(self, path: str, body: object = None, **headers: str) -> Response:
        return self.request("POST", path, body, headers)

    def hang_up(self) -> None:
        self.channel.connectionLost(Failure(ConnectionDone()))
