"""Twisted, as the client needs it: its reactor, Autobahn, the Agent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from io import BytesIO
from typing import Any, Final, TypeVar

from OpenSSL import SSL
from service_identity import VerificationError
from twisted.internet import defer
from twisted.internet.defer import CancelledError, Deferred, DeferredList
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.error import (
    ConnectError,
    ConnectingCancelledError,
    ConnectionClosed,
    DNSLookupError,
)
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure
from twisted.web.client import Agent, FileBodyProducer, ResponseDone, ResponseFailed
from twisted.web.http_headers import Headers
from twisted.web.iweb import IResponse

from rotoclear.client.address import Address
from rotoclear.client.errors import (
    CertificateRefused,
    ClientError,
    ConnectionFailed,
    Disconnected,
)
from rotoclear.client.port import Line, Link, Timer
from rotoclear.client.promise import Promise
from rotoclear.client.tls import MISMATCH, TLS
from rotoclear.client.twisted.tls import Policy, creator
from rotoclear.client.twisted.websocket import Socket, SocketFactory
from rotoclear.client.wire import MAX_MESSAGE

T = TypeVar("T")

UNREAD: Final = 2**18
"""Bytes of an answer that wait to be read before no more are taken."""


class TwistedFace:
    """
    See the module.

    :param reactor: Twisted's.
    :param where: the server.
    :param tls: what its certificate must be.
    :param patience: seconds that a connection, or the next piece of an answer, may take.
    """

    def __init__(self, reactor: Any, where: Address, tls: TLS, patience: float) -> None:
        self.reactor = reactor
        self._where = where
        self._pinned = tls.fingerprint is not None
        self._patience = patience
        self._tls = creator(where, tls) if where.secure else None
        policy = {} if self._tls is None else {"contextFactory": Policy(self._tls)}
        self._agent = Agent(reactor, connectTimeout=patience, **policy)
        self._lines: set[TwistedLine] = set()

    def now(self) -> float:
        """By the reactor's clock."""
        seconds: float = self.reactor.seconds()
        return seconds

    def call_later(self, delay: float, function: Callable[[], None]) -> Timer:
        """By the reactor's clock."""
        timer: Timer = self.reactor.callLater(delay, function)
        return timer

    def wait(self, promise: Promise[T]) -> Deferred[T]:
        """A Deferred."""
        deferred: Deferred[T] = Deferred(lambda _: promise.cancel())
        promise.then(deferred.callback, deferred.errback)
        return deferred

    def dial(self, path: str, link: Link) -> Line:
        """Begin to connect."""
        endpoint: IStreamClientEndpoint = HostnameEndpoint(
            self.reactor, self._where.host, self._where.port, timeout=self._patience
        )
        if self._tls is not None:
            endpoint = wrapClientTLS(self._tls, endpoint)
        factory = SocketFactory(self.reactor, self._where.websocket(path), link, MAX_MESSAGE[path])
        line = TwistedLine(endpoint.connect(factory), link, self._where, self._failure)
        self._lines.add(line)
        line.ended.addCallback(lambda _: self._lines.discard(line))
        return line

    async def exchange(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> TwistedReply:
        """A request, and the head of the answer."""
        asked = self._agent.request(
            method.encode("ascii"),
            self._where.http(path).encode("ascii"),
            Headers({name: [value] for name, value in headers.items()}),
            None if body is None else FileBodyProducer(BytesIO(body)),
        )
        asked.addTimeout(self._patience, self.reactor)
        try:
            response = await asked
        except CancelledError:
            raise
        except Exception:  # noqa: BLE001 - whatever it is, there is no answer
            raise self._failure(Failure()) from None
        return TwistedReply(self.reactor, response, self._patience)

    async def sleep(self, seconds: float) -> None:
        """By the reactor's clock."""
        await deferLater(self.reactor, seconds)

    def in_thread(self, function: Callable[..., T], *arguments: Any) -> Awaitable[T]:
        """In a thread of the reactor's pool."""
        pool = self.reactor.getThreadPool()
        return deferToThreadPool(self.reactor, pool, function, *arguments)

    async def close(self) -> None:
        """Wait for the end of all connections."""
        await DeferredList([line.wait() for line in self._lines])

    def _failure(self, failure: Failure) -> ConnectionFailed:
        """Why there is no connection."""
        error: BaseException | None = failure.value
        while isinstance(error, ResponseFailed) and error.reasons:
            error = error.reasons[0].value
        where = self._where
        match error:
            case VerificationError():
                text = "it is for another name"
            case SSL.Error(args=[[(_, _, reason), *_]]) if "certificate" in reason:
                text = MISMATCH if self._pinned else reason
            case SSL.Error():
                return ConnectionFailed(f"{where} does not speak TLS as it should")
            case defer.TimeoutError() | ConnectingCancelledError():
                return ConnectionFailed(f"{where} does not answer in time")
            case DNSLookupError():
                return ConnectionFailed(f"{where} does not answer: nobody knows that name")
            case ConnectError() | OSError():
                reason = getattr(error, "strerror", None) or error
                return ConnectionFailed(f"{where} does not answer: {reason}")
            case ConnectionClosed():
                return ConnectionFailed(f"{where} hangs up instead of answering")
            case _:
                return ConnectionFailed(f"{where} does not answer: {error}")
        return CertificateRefused(f"The certificate of {where} is not to be trusted: {text}")


class TwistedLine:
    """
    One WebSocket.

    :ivar ended: fires when nothing of it is left.
    """

    def __init__(
        self,
        connecting: Deferred[Any],
        link: Link,
        where: Address,
        failure: Callable[[Failure], ConnectionFailed],
    ) -> None:
        self._link = link
        self._where = where
        self._failure = failure
        self._socket: Socket | None = None
        self._dropped = False
        self.ended: Deferred[None] = Deferred()
        self._connecting = connecting
        connecting.addCallbacks(self._connected, self._failed)

    def send(self, text: str) -> None:
        """Send a message behind those before it."""
        if self._socket is not None:
            self._socket.say(text)

    def drop(self) -> None:
        """End it."""
        self._dropped = True
        if self._socket is not None:
            self._socket.drop()
        else:
            self._connecting.cancel()

    def wait(self) -> Deferred[None]:
        """Fires at its end."""
        waiting: Deferred[None] = Deferred()
        self.ended.addCallback(lambda _: waiting.callback(None))
        return waiting

    def _connected(self, socket: Socket) -> None:
        self._socket = socket
        socket.gone.addCallback(self._gone)
        if self._dropped:
            socket.drop()

    def _failed(self, failure: Failure) -> None:
        self._end(self._failure(failure))

    def _gone(self, _: object) -> None:
        socket = self._socket
        assert socket is not None  # noqa: S101 - it is its end
        if socket.refused:
            self._end(
                ConnectionFailed(f"{self._where} does not take a WebSocket: {socket.refused}")
            )
        elif not socket.greeted:
            self._end(self._failure(socket.why))
        elif socket.close_code is not None:
            self._end(Disconnected(f"The server closed the connection ({socket.close_code})"))
        else:
            self._end(Disconnected("The connection broke"))

    def _end(self, error: ClientError) -> None:
        ended, dropped = self.ended, self._dropped
        ended.callback(None)
        if not dropped:
            self._link.lost(error)


class TwistedReply:
    """An answer over HTTP."""

    def __init__(self, reactor: IReactorTime, response: IResponse, patience: float) -> None:
        self._reactor = reactor
        self._patience = patience
        self.status: int = response.code
        self.headers = {
            name.decode("ascii").lower(): values[-1].decode("latin-1")
            for name, values in response.headers.getAllRawHeaders()
        }
        length = response.length
        if isinstance(length, int):
            # Twisted counts it among the connection's own headers.
            self.headers.setdefault("content-length", str(length))
        self._body = _Body()
        response.deliverBody(self._body)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body, as it comes."""
        while True:
            try:
                data = await self._body.next().addTimeout(self._patience, self._reactor)
            except defer.TimeoutError:
                self.close()
                raise Disconnected("The answer broke off: nothing comes any more") from None
            if not data:
                return
            yield data

    def close(self) -> None:
        """If it was not read to its end, the connection ends."""
        self._body.abandon()


class _Body(Protocol):
    """Bytes that are taken one piece at a time, while the server waits."""

    def __init__(self) -> None:
        self._unread = bytearray()
        self._waiting: Deferred[bytes] | None = None
        self._end: Failure | None = None
        self._abandoned = False

    def next(self) -> Deferred[bytes]:
        """What has come; nothing: that was all."""
        deferred: Deferred[bytes] = Deferred()
        self._waiting = deferred
        self._give()
        return deferred

    def abandon(self) -> None:
        """Hang up, if there is more."""
        self._abandoned = True
        if self._end is None and self.transport is not None:
            self.transport.loseConnection()

    def dataReceived(self, data: bytes) -> None:
        if self._abandoned:
            return
        self._unread += data
        if len(self._unread) >= UNREAD:
            self.transport.pauseProducing()  # type: ignore[union-attr]
        self._give()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._end = reason
        self._give()

    def _give(self) -> None:
        waiting = self._waiting
        if waiting is None:
            return
        if self._unread:
            self._waiting = None
            full = len(self._unread) >= UNREAD
            data = bytes(self._unread)
            self._unread.clear()
            if full and self._end is None:
                self.transport.resumeProducing()  # type: ignore[union-attr]
            waiting.callback(data)
        elif self._end is not None:
            self._waiting = None
            if self._end.check(ResponseDone):
                waiting.callback(b"")
            else:
                waiting.errback(Disconnected("The answer broke off"))
