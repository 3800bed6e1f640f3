"""One connection to the control socket."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable, Mapping

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import (
    IConsumer,
    IDelayedCall,
    IPushProducer,
    IReactorTime,
    ITransport,
)
from twisted.internet.protocol import Factory, connectionDone
from twisted.logger import Logger
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from rotoclear.api.strict_json import InvalidMessage, decode
from rotoclear.control.request import Handler, Refused, Request
from rotoclear.control.wire import MAX_REQUEST, encode

IDLE = 60
"""Seconds without a request, or without the answer being read, to the end of a connection."""

MAX_CONNECTIONS = 32
"""At a time; only the server's own user and root get as far as counting."""


class IUnixStream(ITransport, IConsumer):
    """What the protocol needs of its transport."""

    def abortConnection() -> None:
        """Close at once."""

    def getHandle() -> socket.socket:
        """The socket."""

    def pauseProducing() -> None:
        """Stop reading."""

    def resumeProducing() -> None:
        """Read again."""


PeerUid = Callable[[IUnixStream], int]
"""Tells the user id at the other end of a transport."""


def peer_uid(transport: IUnixStream) -> int:
    """Who has connected a unix socket, as the kernel knows it (SO_PEERCRED, unix(7))."""
    credentials = struct.Struct("3i")
    packed = transport.getHandle().getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, credentials.size
    )
    _, uid, _ = credentials.unpack(packed)
    return int(uid)


@implementer(IPushProducer)
class ControlProtocol(LineReceiver):
    """
    Answers requests, one after another.

    Nothing is read while a request is being worked on, nor while its answer
    is not taken.
    """

    _log = Logger()
    delimiter = b"\n"
    MAX_LENGTH = MAX_REQUEST

    transport: IUnixStream

    def __init__(self, factory: ControlFactory) -> None:
        self.factory: ControlFactory = factory
        self._by = ""
        self._working: Deferred[bytes] | None = None
        self._idle: IDelayedCall | None = None
        self._clogged = False
        self._ending = False
        self._lost: Deferred[None] = Deferred()

    def connectionMade(self) -> None:
        self._wait()
        self.factory.connections.add(self)
        self.transport.registerProducer(self, True)
        uid = self.factory.peer_uid(self.transport)
        self._by = f"uid {uid}"
        # The file's mode has seen to that, unless somebody changed it.
        if uid not in (0, os.geteuid()):
            self._log.warn("control socket: {by} refused", by=self._by)
            self._refuse_all("only the server's own user and root may use its control socket")

    def lineReceived(self, line: bytes) -> None:
        if self._ending:
            return
        self._stop_waiting()
        self._pause()
        self._working = Deferred.fromCoroutine(self._answer(line))
        self._working.addCallback(self._answered)

    def lineLengthExceeded(self, line: bytes) -> None:
        if not self._ending:
            self._refuse_all(f"a request has at most {MAX_REQUEST} bytes")

    async def _answer(self, line: bytes) -> bytes:
        """The answer to one line, whatever is on it."""
        do: object = None
        try:
            message = decode(line)
            do = message.pop("do", None)
            handler = self.factory.handler(do)
            request = Request(do=str(do), by=self._by, arguments=message)
            return encode({**await handler(request), "ok": True})
        except (InvalidMessage, Refused) as error:
            return encode(_refusal(str(error)))
        except CancelledError:
            return encode(_refusal("the server is being stopped"))
        except Exception:  # noqa: BLE001 (whatever a handler does, the next request is answered)
            self._log.failure("control socket: {do} failed, asked for by {by}", do=do, by=self._by)
            return encode(_refusal("the server failed to do it; its log says why"))

    def _answered(self, answer: bytes) -> None:
        self._working = None
        if self._lost.called:
            return
        self.transport.write(answer)
        if self._ending:
            self._close()
            return
        self._wait()
        self._go_on()

    def pauseProducing(self) -> None:
        """The transport's word that the answers are not taken."""
        self._clogged = True
        self._pause()

    def resumeProducing(self) -> None:
        """The transport's word that they are again."""
        self._clogged = False
        self._go_on()

    def _pause(self) -> None:
        self.paused = True
        self.transport.pauseProducing()

    def _go_on(self) -> None:
        if self._working is None and not self._clogged and not self._ending:
            self.paused = False
            self.transport.resumeProducing()
            self.dataReceived(b"")  # type: ignore[no-untyped-call]  # what has come meanwhile

    def _wait(self) -> None:
        self._idle = self.factory.reactor.callLater(IDLE, self.abort)

    def _stop_waiting(self) -> None:
        if self._idle is not None and self._idle.active():
            self._idle.cancel()

    def end(self) -> Deferred[None]:
        """Close once the request at hand is answered; fires when that is done."""
        self._ending = True
        if self._working is None:
            self._close()
        return self._lost

    def abort(self) -> None:
        """Close now; a request at hand is given up."""
        self._ending = True
        if self._working is not None:
            self._working.cancel()
        self.transport.abortConnection()

    def _refuse_all(self, text: str) -> None:
        self.transport.write(encode(_refusal(text)))
        self._ending = True
        self._close()

    def _close(self) -> None:
        # A producer that is still registered, and paused, would hold the transport open.
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._ending = True
        self._stop_waiting()
        self.factory.connections.discard(self)
        self._lost.callback(None)


class ControlFactory(Factory):
    """
    Connections to the control socket.

    :ivar handlers: what can be asked for.
    :ivar connections: those that are open.
    """

    noisy = False

    def __init__(
        self,
        reactor: IReactorTime,
        handlers: Mapping[str, Handler],
        peer_uid: PeerUid = peer_uid,
    ) -> None:
        self.reactor = reactor
        self.handlers = handlers
        self.peer_uid = peer_uid
        self.connections: set[ControlProtocol] = set()

    def buildProtocol(self, addr: object) -> ControlProtocol | None:  # type: ignore[override]
        if len(self.connections) >= MAX_CONNECTIONS:
            return None
        return ControlProtocol(self)

    def handler(self, do: object) -> Handler:
        """
        Who carries out what a request asks for.

        :raises Refused: nobody; it says what there is.
        """
        there_are = f"there are: {', '.join(sorted(self.handlers))}"
        if not isinstance(do, str):
            raise Refused(f'"do" names what is to be done; {there_are}')
        if do not in self.handlers:
            raise Refused(f"unknown request {do[:64]!r}; {there_are}")
        return self.handlers[do]


def _refusal(text: str) -> dict[str, object]:
    return {"ok": False, "error": text}
