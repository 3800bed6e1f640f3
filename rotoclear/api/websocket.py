"""
A connection of ``/api/v1``, from its opening to its end.

Messages are handled by a :class:`~rotoclear.api.line.Line`, in a plain
``onMessage``: Autobahn would never run a coroutine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall

from rotoclear.api.connection import GOING_AWAY, POLICY_VIOLATION, Connection, ConnectionFactory
from rotoclear.api.context import ApiContext
from rotoclear.api.fanout import Fanout
from rotoclear.api.frames import text_frame
from rotoclear.api.line import Line
from rotoclear.api.strict_json import encode
from rotoclear.api.v1 import Answer, Conversation
from rotoclear.state.permissions import ANONYMOUS, Permissions

TRY_AGAIN_LATER: Final = 1013

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
            factory.context, self.peer_address(), self._send, self._rights_changed
        )
        self.line = Line(factory.clock, factory.limits, self._handle, self._flooded)
        factory.opened(self)
        factory.fanout.join(self, self.conversation.permissions)
        if factory.crowded:
            self._grace = factory.clock.callLater(LOGIN_GRACE, self._check_login)

    def peer_address(self) -> str:
        """The client's address without its port, for the audit log."""
        peer = self.transport.getPeer()
        return str(getattr(peer, "host", None) or "local")

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
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
        self.factory.fanout.leave(self, conversation.permissions)
        conversation.close()
        self.factory.closed(self, self.localCloseCode or code or 1006)

    # -- sending ---------------------------------------------------------

    def _send(self, answer: Answer, secret: bool) -> None:
        if self.state == self.STATE_OPEN:
            self._send_payload(encode(answer), secret)

    def _send_payload(self, payload: bytes, secret: bool = False) -> None:
        if self._perMessageCompress is None or secret or len(payload) <= COMPRESS_ABOVE:
            self.outbox.send(text_frame(payload))
        else:
            self.sendMessage(payload)

    def broadcast(self, frame: bytes, names: Iterable[str]) -> None:
        if self.state == self.STATE_OPEN:
            self.outbox.broadcast(frame, names)

    def behind(self) -> None:
        self.line.hold()
        Connection.behind(self)

    def caught_up(self, names: Iterable[str]) -> None:
        Connection.caught_up(self, names)
        if self.conversation is None or self.state != self.STATE_OPEN:
            return
        model = self.factory.context.model
        values, _ = model.read(
            [n for n in names if n in model.readable(self.conversation.permissions)],
            self.conversation.permissions,
        )
        if values:
            self._send_payload(encode(values))
        self.line.release()

    # -- what may happen to it -------------------------------------------

    def _flooded(self) -> None:
        self.end(POLICY_VIOLATION, "too many messages")

    def _rights_changed(self, before: Permissions, after: Permissions) -> None:
        self.factory.fanout.leave(self, before)
        self.factory.fanout.join(self, after)

    def _check_login(self) -> None:
        """The last places are for those who log in."""
        if self.conversation is not None and self.conversation.session is None:
            self.end(TRY_AGAIN_LATER, "full; the last places are kept for those who log in")


class ApiFactory(ConnectionFactory):
    """
    Makes the connections of API v1, and knows those that are open.

    :ivar count: how many are open.
    """

    protocol = ApiConnection

    def __init__(self, context: ApiContext, fanout: Fanout) -> None:
        ConnectionFactory.__init__(self, context.reactor, context.configuration.limits)
        self.context = context
        self.fanout = fanout
        self._open: dict[ApiConnection, None] = {}
        self._all_closed: Deferred[None] | None = None

    @property
    def count(self) -> int:
        return len(self._open)

    @property
    def full(self) -> bool:
        """There is no place for another one."""
        return len(self._open) >= self.limits.connections

    @property
    def crowded(self) -> bool:
        """Only those who log in may stay now."""
        return len(self._open) > self.limits.connections - self.limits.connections // 10

    def by_role(self) -> Mapping[str, int]:
        """How many connections there are of each role."""
        roles: dict[str, int] = {}
        for connection in self._open:
            session = connection.conversation and connection.conversation.session
            role = session.role if session else ANONYMOUS
            roles[role] = roles.get(role, 0) + 1
        return roles

    def opened(self, connection: ApiConnection) -> None:
        """A connection has completed its handshake."""
        self._open[connection] = None
        self.context.metrics.connections_opened += 1

    def closed(self, connection: ApiConnection, code: int) -> None:
        """A connection has ended."""
        self._open.pop(connection, None)
        self.context.metrics.closed(code)
        if self._all_closed is not None and not self._open:
            done, self._all_closed = self._all_closed, None
            done.callback(None)

    def shut_down(self) -> Deferred[None]:
        """Close every connection with 1001; fires when all have ended."""
        done: Deferred[None] = Deferred()
        if not self._open:
            done.callback(None)
            return done
        self._all_closed = done
        for connection in list(self._open):
            connection.end(GOING_AWAY, "the server is shutting down")
        return done
