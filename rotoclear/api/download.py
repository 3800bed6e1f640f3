"""
A file on its way to a client, as fast as that takes it.

It is read a piece at a time, and the next one only when the client has taken
what was there: one that is slow, or stops, costs a piece of memory. One that takes
nothing at all for a while is hung up on; a player asks for the rest anew. One that
loses the right to the file is hung up on at once.
"""

# mypy: allow-untyped-calls
# Twisted types its web server only in part, and mypy counts what is inherited as ours.

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime, ITCPTransport
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from rotoclear.api.http_range import Span
from rotoclear.api.http_request import Request
from rotoclear.state.permissions import MEDIA_R, MEDIA_RW

if TYPE_CHECKING:
    from rotoclear.api.library import File
    from rotoclear.auth.accounts import Session

PIECE: Final = 131_072
"""Bytes that are read at once."""


@implementer(IPushProducer)
class Download:
    """
    See the module.

    :param reactor: times the client's standstill.
    :param request: its answer's head is set already.
    :param span: what of the file is sent.
    :param stall: seconds for which the client may take nothing.
    :param session: whose it is: it keeps that alive, and ends with the right to it.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: IReactorTime,
        request: Request,
        file: File,
        span: Span,
        stall: float,
        session: Session | None,
    ) -> None:
        self._reactor = reactor
        self._request = request
        self._file = file
        self._span = span
        self._stall = stall
        self._session = session
        self._gone = request.gone
        self._paused = False
        self._stalled: IDelayedCall | None = None
        self._resumed: Deferred[object] | None = None
        self._waiting: Deferred[object] | None = None

    async def run(self) -> None:
        """Send it. The file is closed in the end, however that comes."""
        request = self._request
        try:
            if self._gone:
                return
            request.notifyFinish().addErrback(self._hung_up)
            request.registerProducer(self, True)
            if self._session is not None:
                self._session.attach(self._rights_changed)
                self._rights_changed()  # it may have ended while the file was opened
            await self._send()
        except CancelledError:
            pass  # there is nobody to send it to
        except Exception:  # noqa: BLE001 - whatever it is: a piece is missing
            failure = Failure()
            self._log.warn(
                "{path} cannot be sent to its end: {error}",
                path=request.shown_path(),
                error=failure.getErrorMessage(),
            )
            self._cut()
        finally:
            if self._session is not None:
                self._session.detach(self._rights_changed)
            self._forget_stall()
            self._file.close()

    async def _send(self) -> None:
        offset, end = self._span.begin, self._span.end
        while offset < end and not self._gone:
            if self._paused:
                self._resumed = Deferred()
                await self._wait(self._resumed)
            data = await self._wait(self._file.read(offset, min(PIECE, end - offset)))
            if not isinstance(data, bytes) or not data:
                raise EOFError("The file has become shorter")
            offset += len(data)
            self._request.write(data)
        if not self._gone:
            self._request.unregisterProducer()
            self._request.finish()

    async def _wait(self, deferred: Deferred[object] | Deferred[bytes]) -> object:
        """What it waits for ends when the client hangs up."""
        if self._gone:
            deferred.cancel()
        self._waiting = deferred  # type: ignore[assignment]
        try:
            return await deferred
        finally:
            self._waiting = None

    def _cut(self) -> None:
        """The client is to see that it has not got everything."""
        if not self._gone:
            self._gone = True
            self._request.unregisterProducer()
            cast(ITCPTransport, self._request.channel.transport).abortConnection()

    def _rights_changed(self) -> None:
        session = self._session
        if session is not None and session.permissions.isdisjoint((MEDIA_R, MEDIA_RW)):
            self._cut()
            self.stopProducing()

    def _hung_up(self, failure: Failure) -> None:
        self.stopProducing()

    # -- what the transport says -----------------------------------------

    def pauseProducing(self) -> None:
        """The client does not keep up."""
        self._paused = True
        if self._stalled is None:
            self._stalled = self._reactor.callLater(self._stall, self._stands_still)

    def resumeProducing(self) -> None:
        """It has taken everything."""
        self._paused = False
        self._forget_stall()
        resumed, self._resumed = self._resumed, None
        if resumed is not None:
            resumed.callback(None)

    def stopProducing(self) -> None:
        """It has hung up."""
        self._gone = True
        if self._waiting is not None:
            self._waiting.cancel()

    def _stands_still(self) -> None:
        self._stalled = None
        self._log.info("{path}: nobody takes it", path=self._request.shown_path())
        self._cut()
        self.stopProducing()

    def _forget_stall(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
