"""
A WebSocket client without a network, for the in-memory tests.

The protocol is that of the ``websockets`` library, which is sans-IO; the other
end is the real site on a ``StringTransport``.
"""

from __future__ import annotations

import json

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.uri import parse_uri

from rotoclear.api.context import ApiContext
from rotoclear.api.fanout import Fanout
from rotoclear.api.roster import Roster
from rotoclear.api.site import make_site
from rotoclear.api.upgrade import WebSocketEndpoint
from rotoclear.api.websocket import ApiFactory


class Transport(StringTransport):
    """One that says what has become of it."""

    aborted = False

    def abortConnection(self) -> None:
        self.aborted = True
        self.disconnecting = True


class World:
    """A site, and the clients that connect to it."""

    def __init__(self, clock: Clock, context: ApiContext) -> None:
        self.clock = clock
        self.context = context
        self.roster = context.connections
        assert isinstance(self.roster, Roster)
        self.factory = ApiFactory(context, Fanout(context.model, context.metrics), self.roster)
        self.site = make_site(clock, context, WebSocketEndpoint(self.factory))

    def connect(self, *, deflate: bool = False, path: str = "/api/v1") -> Client:
        """A client whose handshake is done."""
        return Client(self, deflate, path)


class Client:
    """
    One client.

    :ivar answer: of the handshake.
    """

    def __init__(self, world: World, deflate: bool = False, path: str = "/api/v1") -> None:
        self.world = world
        self.transport = Transport()
        self.channel = world.site.buildProtocol(None)
        self.channel.makeConnection(self.transport)
        extensions = [ClientPerMessageDeflateFactory()] if deflate else None
        self.protocol = ClientProtocol(parse_uri(f"ws://test{path}"), extensions=extensions)
        self.protocol.send_request(self.protocol.connect())
        self.lost = False
        self.answer = self.exchange()[0]

    def exchange(self) -> list[object]:
        """What we have to say goes to the server, what it has said comes back."""
        for data in self.protocol.data_to_send():
            if data:
                self.channel.dataReceived(data)
        self.world.clock.advance(0)
        return self.receive()

    def receive(self) -> list[object]:
        """What the server has said: the handshake's response, then frames."""
        data = self.transport.value()
        self.transport.clear()
        if data:
            self.protocol.receive_data(data)
        return list(self.protocol.events_received())

    def frames(self) -> list[Frame]:
        """The frames that have come."""
        return [event for event in self.exchange() if isinstance(event, Frame)]

    def messages(self) -> list[dict[str, object]]:
        """The text messages that have come, decoded."""
        return [json.loads(f.data) for f in self.frames() if f.opcode is Opcode.TEXT]

    def say(self, *messages: object) -> list[dict[str, object]]:
        """Send messages (objects, or text as bytes); what has come of them."""
        for message in messages:
            payload = message if isinstance(message, bytes) else json.dumps(message).encode()
            self.protocol.send_text(payload)
        return self.messages()

    def send_raw(self, data: bytes) -> None:
        """Bytes that no proper client would send."""
        self.channel.dataReceived(data)

    def lose(self) -> None:
        """The connection breaks."""
        from twisted.internet.error import ConnectionLost
        from twisted.python.failure import Failure

        self.lost = True
        self.channel.connectionLost(Failure(ConnectionLost()))

    @property
    def close_code(self) -> int | None:
        """The server's close code, if it has sent one."""
        self.exchange()
        return self.protocol.close_rcvd.code if self.protocol.close_rcvd else None

    @property
    def status(self) -> int:
        """The HTTP status of the handshake."""
        assert isinstance(self.answer, Response)
        return self.answer.status_code
