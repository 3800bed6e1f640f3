"""
An echo on the server's own connections: same factory, options, outbox and site.

    python -m tests.conformance.echo [--message-size BYTES]

listens on a loopback port, which it prints, and sends back every message that
comes to ``/api/v1``, the way the server sends its own. It ends with its stdin.
"""

from __future__ import annotations

import argparse
import sys

from twisted.internet import reactor
from twisted.internet.protocol import Protocol
from twisted.internet.stdio import StandardIO
from twisted.python.failure import Failure
from twisted.web.resource import Resource

from rotoclear.api.connection import Connection, ConnectionFactory, quieten
from rotoclear.api.frames import text_frame
from rotoclear.api.http_origin import Origins
from rotoclear.api.metrics import Metrics
from rotoclear.api.outbox import Outbox
from rotoclear.api.site import ApiSite
from rotoclear.api.upgrade import WebSocketEndpoint
from rotoclear.api.websocket import COMPRESS_ABOVE
from rotoclear.config import Limits


class Echo(Connection):
    """Sends back what it gets."""

    outbox: Outbox

    def make_outbox(self) -> Outbox:
        return Outbox(self.factory.clock, self.transport, self.factory.limits, self)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if self.state != self.STATE_OPEN:
            return
        # Small text goes the server's own way, whatever else Autobahn's.
        if isBinary or (self._perMessageCompress is not None and len(payload) > COMPRESS_ABOVE):
            self.sendMessage(payload, isBinary)
        else:
            self.outbox.send(text_frame(payload))


class EchoFactory(ConnectionFactory):
    """Makes echoes, as many as anyone likes."""

    protocol = Echo


class UntilEnd(Protocol):
    """Whoever has started us holds the other end of stdin."""

    def connectionLost(self, reason: Failure | None = None) -> None:
        reactor.stop()


def main() -> None:
    """Serve until stdin ends."""
    parser = argparse.ArgumentParser(description="Echo WebSocket messages.")
    parser.add_argument("--message-size", type=int, default=Limits().message_size, metavar="BYTES")
    limits = Limits(message_size=parser.parse_args().message_size)
    quieten()
    root, api = Resource(), Resource()
    root.putChild(b"api", api)
    api.putChild(b"v1", WebSocketEndpoint(EchoFactory(reactor, limits)))
    site = ApiSite(
        root,
        reactor=reactor,
        metrics=Metrics(),
        origins=Origins(()),
        body_limit=limits.message_size,
        hsts=0,
    )
    port = reactor.listenTCP(0, site, interface="127.0.0.1")
    StandardIO(UntilEnd())
    print(port.getHost().port)
    sys.stdout.flush()
    reactor.run()


if __name__ == "__main__":
    main()
