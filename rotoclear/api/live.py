"""
``/api/live``: the live picture over a WebSocket.

The client logs in as at ``/api/v1``, with its first message::

    {"username": U, "password": P}  or  {"token": T}

and is answered in the same way. From then on each binary message is one JPEG,
the newest there is: a client that is slower than the camera misses pictures, and never
gets old ones. A comment in the JPEG tells when it was taken
(:func:`rotoclear.media.feed.described`). Text messages are only what they are at
``/api/v1``: answers to a login, changed rights, errors. There is nothing else to
ask for; settings have their own connection.

It takes ``Media_r``. Who does not have it, or loses it (log-out, another
role, expiry), has a moment to log in (again) until the connection is closed with 1008.
"""

from __future__ import annotations

from typing import Final

from twisted.internet.interfaces import IDelayedCall

from rotoclear.api.connection import POLICY_VIOLATION
from rotoclear.api.context import ApiContext
from rotoclear.api.conversing import Conversing, ConversingFactory
from rotoclear.api.frames import binary_frame
from rotoclear.api.picture_outbox import PictureOutbox
from rotoclear.api.pictures import Picture, Viewing
from rotoclear.api.v1 import Conversation, Message
from rotoclear.state.errors import PERMISSION_DENIED
from rotoclear.state.permissions import MEDIA_R, Permissions

LOGIN_GRACE: Final = 10.0
"""Seconds for which a connection may be open without seeing anything."""


class LoginConversation(Conversation):
    """A conversation about nothing but who it is."""

    def proceed(self, message: Message) -> None:
        """Refuse what is no login, and say what a login lacks."""
        if message.update or message.asks:
            self._invalid(
                "Here one logs in, and sees; settings are read and changed at /api/v1", message.id
            )
        elif MEDIA_R not in self.permissions:
            self._answer(
                {"error": PERMISSION_DENIED, "message": f"Seeing pictures takes {MEDIA_R}"},
                message.id,
            )


class LiveConnection(Conversing):
    """A connection that shows the live picture."""

    factory: LiveFactory
    outbox: PictureOutbox
    _viewing: Viewing
    _grace: IDelayedCall | None = None

    def make_outbox(self) -> PictureOutbox:
        return PictureOutbox(self.factory.clock, self.transport, self.factory.limits.stall, self)

    def make_conversation(self, address: str) -> Conversation:
        return LoginConversation(self.factory.context, address, self._send, self.rights_changed)

    def opened(self, conversation: Conversation) -> None:
        context = self.factory.context
        self._viewing = Viewing(context.pictures, self.outbox, _frame, None, context.metrics)
        self._follow(conversation.permissions)

    def closed(self, conversation: Conversation) -> None:
        self._viewing.stop()
        self._stop_grace()

    def sendCloseFrame(
        self, code: int | None = None, reasonUtf8: bytes | None = None, isReply: bool = False
    ) -> None:
        # No picture may follow it, and none is fetched while the client takes its leave.
        if self.conversation is not None:
            self._viewing.stop()
        Conversing.sendCloseFrame(self, code, reasonUtf8, isReply)

    def rights_changed(self, before: Permissions, after: Permissions) -> None:
        self._follow(after)

    def _follow(self, permissions: Permissions) -> None:
        """Show pictures to who may see them, and to nobody else."""
        if MEDIA_R in permissions:
            self._stop_grace()
            self._viewing.start()
        else:
            self._viewing.stop()
            if self._grace is None:
                self._grace = self.factory.clock.callLater(LOGIN_GRACE, self._too_late)

    def _stop_grace(self) -> None:
        if self._grace is not None:
            self._grace.cancel()
            self._grace = None

    def _too_late(self) -> None:
        self._grace = None
        self.end(POLICY_VIOLATION, f"seeing pictures takes {MEDIA_R}")


class LiveFactory(ConversingFactory):
    """Makes these connections."""

    protocol = LiveConnection

    def __init__(self, context: ApiContext) -> None:
        ConversingFactory.__init__(self, context)
        # A JPEG cannot be made smaller.
        self.setProtocolOptions(perMessageCompressionAccept=lambda offers: None)


def _frame(picture: Picture) -> bytes:
    return binary_frame(picture.jpeg)
