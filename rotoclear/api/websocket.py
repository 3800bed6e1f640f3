"""A connection of ``/api/v1``, from its opening to its end."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer

from rotoclear.api.context import ApiContext
from rotoclear.api.conversing import Conversing, ConversingFactory
from rotoclear.api.fanout import Fanout
from rotoclear.api.frames import text_frame
from rotoclear.api.outbox import Outbox
from rotoclear.api.roster import Roster
from rotoclear.api.strict_json import encode
from rotoclear.api.v1 import Conversation
from rotoclear.state.permissions import Permissions

TRY_AGAIN_LATER: Final = 1013

LOGIN_GRACE: Final = 5.0
"""Seconds to log in for one who got one of the last places."""

COMPRESS_ABOVE: Final = 1024
"""Bytes up to which compressing a message gains nothing."""


class ApiConnection(Conversing):
    """A connection that speaks API v1."""

    factory: ApiFactory
    outbox: Outbox
    _grace: IDelayedCall | None = None

    def make_outbox(self) -> Outbox:
        return Outbox(self.factory.clock, self.transport, self.factory.limits, self)

    def opened(self, conversation: Conversation) -> None:
        self.factory.fanout.join(self.outbox, conversation.permissions)
        if self.factory.crowded:
            self._grace = self.factory.clock.callLater(LOGIN_GRACE, self._check_login)

    def closed(self, conversation: Conversation) -> None:
        if self._grace is not None and self._grace.active():
            self._grace.cancel()
        self.factory.fanout.leave(self.outbox, conversation.permissions)

    def rights_changed(self, before: Permissions, after: Permissions) -> None:
        self.factory.fanout.leave(self.outbox, before)
        self.factory.fanout.join(self.outbox, after)

    # -- sending ---------------------------------------------------------

    def send_payload(self, payload: bytes, secret: bool = False) -> None:
        if self._perMessageCompress is None or secret or len(payload) <= COMPRESS_ABOVE:
            self.outbox.send(text_frame(payload))
        else:
            self.sendMessage(payload)

    # -- Peer of the outbox ----------------------------------------------

    def behind(self) -> None:
        self.line.hold()
        IPushProducer(self.transport).pauseProducing()

    def caught_up(self, names: Collection[str]) -> None:
        IPushProducer(self.transport).resumeProducing()
        if self.conversation is None or self.state != self.STATE_OPEN:
            return
        self.factory.context.metrics.coalesced += len(names)
        permissions = self.conversation.permissions
        model = self.factory.context.model
        values, _ = model.read(model.readable(permissions).intersection(names), permissions)
        if values:
            self.send_payload(encode(values))
        self.line.release()

    def _check_login(self) -> None:
        """The last places are for those who log in."""
        if self.conversation is not None and self.conversation.session is None:
            self.end(TRY_AGAIN_LATER, "full; the last places are kept for those who log in")


class ApiFactory(ConversingFactory):
    """Makes the connections of API v1."""

    protocol = ApiConnection

    def __init__(self, context: ApiContext, fanout: Fanout, roster: Roster) -> None:
        ConversingFactory.__init__(self, context)
        self.fanout = fanout
        self.roster = roster

    @property
    def crowded(self) -> bool:
        """The newest one has one of the last places, which are for those who log in."""
        return self.roster.count > self.limits.connections - self.limits.connections // 10

    def shut_down(self) -> Deferred[None]:
        """Close every connection with 1001; fires when all have ended."""
        for connection in self.roster:
            connection.shut_down()
        return self.roster.empty()
