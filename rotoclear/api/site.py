"""The web site: which address leads where."""

# mypy: allow-untyped-calls
# Twisted types its web server only in part, and mypy counts what is inherited as ours.

from __future__ import annotations

from typing import Final

from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.logger import Logger
from twisted.web.resource import IResource
from twisted.web.server import Site

from rotoclear.api import asyncapi, openapi
from rotoclear.api.context import ApiContext
from rotoclear.api.http_call import client_address
from rotoclear.api.http_origin import Origins
from rotoclear.api.http_request import Channel, Request
from rotoclear.api.http_resource import METHODS, Missing
from rotoclear.api.live import LiveFactory
from rotoclear.api.metrics import Metrics
from rotoclear.api.resources import console
from rotoclear.api.resources.documents import Document
from rotoclear.api.resources.login import Login, Logout, Password, TicketsResource
from rotoclear.api.resources.media import Media
from rotoclear.api.resources.metrics import MetricsResource
from rotoclear.api.resources.pictures import Snapshot, StreamResource
from rotoclear.api.resources.state import Keys, State
from rotoclear.api.resources.status import Health, Status
from rotoclear.api.resources.users import Users
from rotoclear.api.upgrade import WebSocketEndpoint
from rotoclear.console import assets

TIMEOUT: Final = 60.0
"""Seconds for which a request may take to arrive, or a connection be idle."""


def make_site(reactor: IReactorTime, context: ApiContext, websocket: IResource) -> ApiSite:
    """
    The HTTP side of the server.

    :param websocket: what answers at ``/api/v1``.
    """
    origins = Origins(context.configuration.server.allowed_origins)
    root = Missing(context, origins)
    api = Missing(context, origins)
    console.mount(root, assets(), context, origins)
    root.putChild(b"api", api)
    root.putChild(b"metrics", MetricsResource(context, origins))
    api.putChild(b"v1", websocket)
    api.putChild(b"login", Login(context, origins))
    api.putChild(b"logout", Logout(context, origins))
    api.putChild(b"password", Password(context, origins))
    api.putChild(b"tickets", TicketsResource(context, origins))
    api.putChild(b"users", Users(context, origins))
    api.putChild(b"state", State(context, origins))
    api.putChild(b"keys", Keys(context, origins))
    api.putChild(b"recordings", Media("recording", context, origins))
    api.putChild(b"snapshots", Media("snapshot", context, origins))
    api.putChild(b"status", Status(context, origins))
    api.putChild(b"health", Health(context, origins))
    api.putChild(b"snapshot", Snapshot(context, origins))
    api.putChild(b"stream", StreamResource(context, origins))
    api.putChild(b"live", WebSocketEndpoint(LiveFactory(context), "/api/live"))
    api.putChild(b"openapi.json", Document(openapi.document, context, origins))
    api.putChild(b"asyncapi.json", Document(asyncapi.document, context, origins))
    return ApiSite(
        root,
        reactor=reactor,
        metrics=context.metrics,
        origins=origins,
        body_limit=context.configuration.limits.message_size,
        hsts=context.configuration.server.hsts,
    )


class ApiSite(Site):
    """
    A site without access log file, sessions, cookies or HTTP/2.

    :ivar origins: which pages may read the answers.
    :ivar body_limit: the most bytes that a request's body may have.
    :ivar hsts: seconds, see :func:`~rotoclear.api.http_headers.protect`.
    """

    _log = Logger()

    def __init__(
        self,
        resource: IResource,
        *,
        reactor: IReactorTime,
        metrics: Metrics,
        origins: Origins,
        body_limit: int,
        hsts: int,
    ) -> None:
        super().__init__(resource, requestFactory=Request, reactor=reactor, timeout=TIMEOUT)
        self.origins = origins
        self.body_limit = body_limit
        self.hsts = hsts
        self._metrics = metrics

    def buildProtocol(self, addr: IAddress | None) -> Channel:  # type: ignore[override]
        """
        One connection.

        HTTP/1.1 only: a WebSocket is an upgrade of it.
        """
        channel = Channel()
        channel.factory = self
        channel.site = self
        channel.requestFactory = self.requestFactory
        channel.callLater = self.reactor.callLater  # type: ignore[method-assign, assignment]
        channel.timeOut = self.timeOut  # type: ignore[assignment]
        return channel

    def startFactory(self) -> None:
        """No access log file, so nothing to open, and no clock to keep for it."""

    def stopFactory(self) -> None:
        """Nothing to close."""

    def log(self, request: Request) -> None:  # type: ignore[override]
        """A request has been answered."""
        method = request.method.decode("latin-1")
        if method not in METHODS:
            method = "other"
        self._metrics.answered(method, request.code)
        self._log.debug(
            "{method} {path} from {address}: {status}",
            method=method,
            path=request.shown_path(),
            address=client_address(request),
            status=request.code,
        )

    def acceptableProtocols(self) -> list[bytes]:
        """What TLS may offer (ALPN)."""
        return [b"http/1.1"]
