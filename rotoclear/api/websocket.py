"""
A connection of ``/api/v1``, from its opening to its end.

Messages are handled by a :class:`~rotoclear.api.line.Line`, in a plain
``onMessage``: Autobahn would never run a coroutine.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall

from rotoclear.api.address import host
from rotoclear.api.connection import GOING_AWAY, POLICY_VIOLATION, Connection, ConnectionFactory
from rotoclear.api.context import ApiContext
from rotoclear.api.fanout import Fanout
from rotoclear.api.frames import text_frame
from rotoclear.api.line import Line
from rotoclear.api.roster import Roster
from rotoclear.api.strict_json import encode
from rotoclear.api.v1 import Answer, Conversation
from rotoclear.state.permissions import ANONYMOUS, Permissions

TRY_AGAIN_LATER: Final = 1013
ABNORMAL: Final = 1006

LOGIN_GRACE: Final = 5.0
"""Seconds to log in for one who got one of the last places."""

COMPRESS_ABOVE: Final = 1024
"""Bytes up to which compressing a message gains nothing."""


class ApiConnection(Connection):
    """A connection that speaks API v1."""

    factory: ApiFactory
    conversation: Conversation | None = None
    _grace: IDelayedCall | None = None

    def onOpen(self) -> None:
        Connection.onOpen(self)
        factory = self.factory
        self.conversation = Conversation(
            factory.context, host(self.transport.getPeer()), self._send, self._rights_changed
        )
        self.line = Line(factory.clock, factory.limits, self._handle, self._flooded)
        factory.roster.add(self)
        factory.context.metrics.connections_opened += 1
        factory.fanout.join(self.outbox, self.conversation.permissions)
        if factory.crowded:
            self._grace = factory.clock.callLater(LOGIN_GRACE, self._check_login)

    @property
    def role(self) -> str:
        """The role of whoever has logged in, or ``anonymous``."""
        session = self.conversation and self.conversation.session
        return session.role if session else ANONYMOUS

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
        if self._grace is not None and self._grace.active():
            self._grace.cancel()
        self.line.close()
        self.factory.fanout.leave(self.outbox, conversation.permissions)
        conversation.close()
        self.factory.roster.remove(self)
        self.factory.context.metrics.closed(self.localCloseCode or code or ABNORMAL)

    # -- sending ---------------------------------------------------------

    def _send(self, answer: Answer, secret: bool) -> None:
        if self.state == self.STATE_OPEN:
            self._send_payload(encode(answer), secret)

    def _send_payload(self, payload: bytes, secret: bool = False) -> None:
        if self._perMessageCompress is None or secret or len(payload) <= COMPRESS_ABOVE:
            self.outbox.send(text_frame(payload))
        else:
            self.sendMessage(payload)

    def behind(self) -> None:
        self.line.hold()
        Connection.behind(self)

    def caught_up(self, names: Collection[str]) -> None:
        Connection.caught_up(self, names)
        if self.conversation is None or self.state != self.STATE_OPEN:
            return
        self.factory.context.metrics.coalesced += len(names)
        permissions = self.conversation.permissions
        model = self.factory.context.model
        values, _ = model.read(model.readable(permissions).intersection(names), permissions)
        if values:
            self._send_payload(encode(values))
        self.line.release()

    # -- what may happen to it -------------------------------------------

    def _flooded(self) -> None:
        self.end(POLICY_VIOLATION, "too many messages")

    def _rights_changed(self, before: Permissions, after: Permissions) -> None:
        self.factory.fanout.leave(self.outbox, before)
        self.factory.fanout.join(self.outbox, after)

    def _check_login(self) -> None:
        """The last places are for those who log in."""
        if self.conversation is not None and self.conversation.session is None:
            self.end(TRY_AGAIN_LATER, "full; the last places are kept for those who log in")


class ApiFactory(ConnectionFactory):
    """Makes the connections of API v1, as many as there is room for."""

    protocol = ApiConnection

    def __init__(self, context: ApiContext, fanout: Fanout, roster: Roster) -> None:
        ConnectionFactory.__init__(self, context.reactor, context.configuration.limits)
        self.context = context
        self.fanout = fanout
        self.roster = roster

    @property
    def full(self) -> bool:
        """There is no place for another one."""
        return self.roster.count >= self.limits.connections

    @property
    def crowded(self) -> bool:
        """The newest one has one of the last places, which are for those who log in."""
        return self.roster.count > self.limits.connections - self.limits.connections // 10

    def shut_down(self) -> Deferred[None]:
        """Close every connection with 1001; fires when all have ended."""
        for connection in self.roster:
            cast(ApiConnection, connection).end(GOING_AWAY, "the server is shutting down")
        return self.roster.empty()
