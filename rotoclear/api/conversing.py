"""
A connection on which one can log in, from its opening to its end.

Messages are handled by a :class:`~rotoclear.api.line.Line`, in a plain
``onMessage``: Autobahn would never run a coroutine.
"""

from __future__ import annotations

from typing import Final

from twisted.internet.defer import Deferred

from rotoclear.api.address import host
from rotoclear.api.connection import GOING_AWAY, POLICY_VIOLATION, Connection, ConnectionFactory
from rotoclear.api.context import ApiContext
from rotoclear.api.frames import text_frame
from rotoclear.api.line import Line
from rotoclear.api.strict_json import encode
from rotoclear.api.v1 import Answer, Conversation
from rotoclear.state.permissions import ANONYMOUS, Permissions

ABNORMAL: Final = 1006


class Conversing(Connection):
    """
    A connection with a conversation.

    :ivar conversation: while it is open.
    """

    factory: ConversingFactory
    conversation: Conversation | None = None

    def onOpen(self) -> None:
        Connection.onOpen(self)
        factory = self.factory
        self.conversation = self.make_conversation(host(self.transport.getPeer()))
        self.line = Line(factory.clock, factory.limits, self._handle, self._flooded)
        factory.context.connections.add(self)
        factory.context.metrics.connections_opened += 1
        self.opened(self.conversation)

    def make_conversation(self, address: str) -> Conversation:
        """What understands its messages."""
        return Conversation(self.factory.context, address, self._send, self.rights_changed)

    def opened(self, conversation: Conversation) -> None:
        """It can be used from now on."""

    def closed(self, conversation: Conversation) -> None:
        """It cannot be used any more."""

    def rights_changed(self, before: Permissions, after: Permissions) -> None:
        """What its client may do has changed."""

    @property
    def role(self) -> str:
        """The role of whoever has logged in, or ``anonymous``."""
        session = self.conversation and self.conversation.session
        return session.role if session else ANONYMOUS

    @property
    def unsent(self) -> int:
        """Bytes that wait for it."""
        return self.outbox.unsent

    @property
    def blocked(self) -> bool:
        """It has not read what was sent."""
        return self.outbox.blocked

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        # What comes after our close frame could not be answered any more.
        if self.state == self.STATE_OPEN:
            self.line.push(None if isBinary else payload)

    def _handle(self, payload: bytes | None) -> Deferred[None] | None:
        return self.conversation.handle(payload) if self.conversation else None

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        conversation, self.conversation = self.conversation, None
        if conversation is None:
            return
        self.line.close()
        self.closed(conversation)
        conversation.close()
        self.factory.context.connections.remove(self)
        self.factory.context.metrics.closed(self.localCloseCode or code or ABNORMAL)

    def _send(self, answer: Answer, secret: bool) -> None:
        if self.state == self.STATE_OPEN:
            self.send_payload(encode(answer), secret)

    def send_payload(self, payload: bytes, secret: bool = False) -> None:
        """Send a text message."""
        self.outbox.send(text_frame(payload))

    def shut_down(self) -> None:
        """Close it with 1001."""
        self.end(GOING_AWAY, "the server is shutting down")

    def _flooded(self) -> None:
        self.end(POLICY_VIOLATION, "too many messages")


class ConversingFactory(ConnectionFactory):
    """Makes such connections."""

    protocol = Conversing

    def __init__(self, context: ApiContext) -> None:
        ConnectionFactory.__init__(self, context.reactor, context.configuration.limits)
        self.context = context

    def check_place(self) -> None:
        self.context.check_place()
