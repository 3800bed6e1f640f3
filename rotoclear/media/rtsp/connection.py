"""
One client: its requests in turn (RFC 2326, 10), and the session that it has.

A session lives and dies with its connection, and ends after a minute without
a sign of life. Who set it up was let in then; a change of that user's rights
ends it at once. Pictures go to the address that the connection comes from, and
nowhere else, whatever a client asks for.
"""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from attrs import frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer, ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.protocols.policies import ProtocolWrapper
from twisted.python.failure import Failure
from zope.interface import implementer

from rotoclear.media.rtsp import sdp, udp
from rotoclear.media.rtsp.admission import Admission, Locked
from rotoclear.media.rtsp.delivery import Datagrams, Interleaved, Sender
from rotoclear.media.rtsp.door import Guest
from rotoclear.media.rtsp.messages import BadRequest, Parser, Request, answer
from rotoclear.media.rtsp.messages import Interleaved as Binary
from rotoclear.media.rtsp.rtcp import is_rtcp
from rotoclear.media.rtsp.stream import NoFilm, Stream
from rotoclear.media.rtsp.transports import Wanted, wanted
from rotoclear.state.permissions import MEDIA_R, MEDIA_RW

TIMEOUT: Final = 60
"""Seconds after which a session without a sign of life ends."""

SILENCE: Final = 20.0
"""Seconds within which somebody has to be let in, whatever is said meanwhile."""

REPORTS: Final = 5.0
"""Seconds between two sender reports."""

WAITING: Final = 16
"""Requests that may wait for the one before."""

RATE: Final = 20
"""Requests a second from one client, in the long run and at once."""

METHODS: Final = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER"

_WATCHING: Final = frozenset({MEDIA_R, MEDIA_RW})


@frozen
class House:
    """
    What all connections share.

    :ivar streams: by their paths: ``/live``.
    :ivar missing: of a path, why there are no pictures now; ``None``: there are.
    :ivar ports: the range for UDP.
    :ivar wall: seconds since 1970.
    """

    reactor: Any
    admission: Admission
    streams: Mapping[str, Stream]
    missing: Callable[[str], str | None]
    ports: tuple[int, int]
    wall: Callable[[], float] = time.time


class _Refused(Exception):
    """Answer with this."""

    def __init__(self, status: int, *headers: tuple[str, str], body: str = "") -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers
        self.body = body


class _Session:
    """What a client has set up."""

    def __init__(self, stream: Stream, path: str, guest: Guest | None) -> None:
        self.id = secrets.token_hex(8)
        self.stream = stream
        self.path = path
        self.guest = guest
        self.sender: Sender | None = None
        self.playing = False

    @property
    def header(self) -> tuple[str, str]:
        return ("Session", f"{self.id};timeout={TIMEOUT}")


@implementer(IPushProducer)
class Connection(Protocol):
    """
    See the module.

    :ivar let_in: it is known who this is, or need not be.
    """

    _log = Logger()

    def __init__(self, house: House, gone: Callable[[Connection], None]) -> None:
        self._house = house
        self._gone = gone
        self._parser = Parser()
        self._requests: deque[Request] = deque()
        self._working: Deferred[None] | None = None
        self._session: _Session | None = None
        self._silence: IDelayedCall | None = None
        self._nonces = house.admission.nonces()
        self._allowance, self._allowed_at = float(RATE), 0.0
        self._open = False
        self.let_in = False
        self._reports = LoopingCall(self._report)
        self._reports.clock = house.reactor

    # -- the connection --------------------------------------------------

    def connectionMade(self) -> None:
        self._open = True
        transport = cast(Any, self.transport)
        self._allowed_at = self._house.reactor.seconds()
        self._silence = self._house.reactor.callLater(SILENCE, self._silent)
        transport.registerProducer(self, True)

    @property
    def _peer(self) -> str:
        """The client's address: behind a proxy it is known with its first bytes."""
        return str(getattr(cast(Any, self.transport).getPeer(), "host", ""))

    @property
    def _here(self) -> str:
        """Our address that it talks to."""
        return str(getattr(cast(Any, self.transport).getHost(), "host", ""))

    def dataReceived(self, data: bytes) -> None:
        if not self._open:
            return
        try:
            for message in self._parser.feed(data):
                if isinstance(message, Binary):
                    self._binary(message)
                else:
                    self._queue(message)
        except BadRequest as error:
            self._write(answer(error.status, error.cseq, body=f"{error}\r\n"))
            self.close()

    def _binary(self, message: Binary) -> None:
        # Without a session it may be what was on its way when that ended.
        if self._session is not None and is_rtcp(message.data):
            self._alive()

    def _queue(self, request: Request) -> None:
        self._alive()
        if len(self._requests) >= WAITING or not self._may_ask():
            raise BadRequest("Too many requests", 429, request.cseq)
        self._requests.append(request)
        self._next()

    def _may_ask(self) -> bool:
        now = self._house.reactor.seconds()
        gained = (now - self._allowed_at) * RATE
        self._allowance, self._allowed_at = min(self._allowance + gained, RATE), now
        self._allowance -= 1
        return self._allowance >= 0

    def _alive(self) -> None:
        """There was a sign of life."""
        if self.let_in and self._silence is not None and self._silence.active():
            self._silence.reset(TIMEOUT)

    def _silent(self) -> None:
        self._silence = None
        self.close()

    def close(self) -> None:
        """End it, without waiting for a client that does not read."""
        if not self._open:
            return
        self._end_session()
        self._open = False
        transport = cast(Any, self.transport)
        transport.unregisterProducer()
        transport.loseConnection()
        if self._silence is not None and self._silence.active():
            self._silence.cancel()
        self._silence = self._house.reactor.callLater(2.0, transport.abortConnection)

    def abort(self) -> None:
        """End it now."""
        cast(ITCPTransport, self.transport).abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._open = False
        self._end_session()
        if self._silence is not None and self._silence.active():
            self._silence.cancel()
        if self._working is not None:
            self._working.cancel()
        self._gone(self)

    def _write(self, data: bytes) -> None:
        if self._open and self.transport is not None:
            self.transport.write(data)

    def pauseProducing(self) -> None:
        """The connection takes no more for now."""
        session = self._session
        if session is not None and isinstance(session.sender, Interleaved):
            session.sender.pause()

    def resumeProducing(self) -> None:
        """It takes more."""
        session = self._session
        if session is not None and isinstance(session.sender, Interleaved):
            session.sender.resume()

    def stopProducing(self) -> None:
        """It is lost; that is told to us, too."""

    # -- requests, one after the other -------------------------------------

    def _next(self) -> None:
        if self._working is None and self._requests and self._open:
            request = self._requests.popleft()
            working = self._working = Deferred.fromCoroutine(self._answer(request))
            working.addBoth(self._answered)

    def _answered(self, result: Failure | None) -> None:
        self._working = None
        if isinstance(result, Failure) and not result.check(CancelledError):
            self._log.failure("a request could not be answered", result)
            self.close()
        self._next()

    async def _answer(self, request: Request) -> None:
        after: Callable[[], None] | None = None
        try:
            self._check(request)
            status, headers, body, after = await self._do(request)
        except BadRequest as error:
            status, headers, body = error.status, (), f"{error}\r\n"
        except _Refused as refused:
            status, headers, body = refused.status, refused.headers, refused.body
        except Locked as locked:
            status, headers, body = locked.status, tuple(locked.headers), f"{locked}\r\n"
        if body and not any(name == "Content-Type" for name, _ in headers):
            headers = (*headers, ("Content-Type", "text/plain"))
        self._write(answer(status, request.cseq, headers, body))
        if after is not None and self._open:
            after()

    def _check(self, request: Request) -> None:
        if "require" in request.headers:
            raise _Refused(551, ("Unsupported", request.headers["require"]))
        given = request.headers.get("session", "").partition(";")[0].strip()
        if given and (self._session is None or given != self._session.id):
            raise _Refused(454)

    async def _do(self, request: Request) -> _Answer:
        match request.method:
            case "OPTIONS":
                return 200, (("Public", METHODS),), "", None
            case "DESCRIBE":
                return await self._describe(request)
            case "SETUP":
                return await self._setup(request)
            case "PLAY":
                return self._play(request)
            case "PAUSE":
                return self._pause(request)
            case "TEARDOWN":
                return self._teardown(request)
            case "GET_PARAMETER" | "SET_PARAMETER":
                session = self._own(request)
                # Without a body it only says that the client is there (10.8).
                return 451 if request.body else 200, (session.header,), "", None
        raise _Refused(501, ("Public", METHODS))

    # -- what is asked -----------------------------------------------------

    async def _let_in(self, request: Request) -> Guest | None:
        guest = await self._house.admission.admit(request, self._nonces, self._peer)
        if guest is not None and guest.permissions.isdisjoint(_WATCHING):
            raise _Refused(403, body="This user may not see pictures (Media_r)\r\n")
        self.let_in = True
        self._alive()
        return guest

    def _stream(self, path: str) -> Stream:
        stream = self._house.streams.get(path)
        if stream is None:
            known = ", ".join(self._house.streams)
            raise _Refused(404, body=f"There is no such stream; there are: {known}\r\n")
        return stream

    async def _describe(self, request: Request) -> _Answer:
        path = request.path
        await self._let_in(request)
        stream = self._stream(path)
        accepted = request.headers.get("accept", "application/sdp")
        if not any(kind in accepted for kind in ("application/sdp", "application/*", "*/*")):
            raise BadRequest("Only application/sdp can be had")
        reason = self._house.missing(path)
        if reason is not None:
            raise _Refused(503, body=f"{reason}\r\n")
        try:
            parameters = await stream.parameters()
        except NoFilm as error:
            raise _Refused(503, body=f"{error}\r\n") from None
        text = sdp.describe(path.lstrip("/"), self._here, secrets.randbits(31), parameters)
        headers = (
            ("Content-Base", _without_login(request.uri).rstrip("/") + "/"),
            ("Content-Type", "application/sdp"),
            ("Cache-Control", "no-cache"),
        )
        return 200, headers, text, None

    async def _setup(self, request: Request) -> _Answer:
        path = request.path.removesuffix("/" + sdp.TRACK)
        session = self._session
        if session is None:
            guest = await self._let_in(request)
            session = _Session(self._stream(path), path, guest)
        elif session.playing or session.path != path:
            raise _Refused(455 if session.path == path else 459)
        want = wanted(request.headers.get("transport", ""))
        if want is None:
            raise _Refused(461)
        sender, transport = self._sender(want)
        if session.sender is not None:
            session.sender.stop()
        session.sender = sender
        if self._session is None:
            self._session = session
            if session.guest is not None:
                session.guest.attach(self._rights_changed)
        self._alive()
        return 200, (("Transport", transport), session.header), "", None

    def _sender(self, want: Wanted) -> tuple[Sender, str]:
        house = self._house
        if want.interleaved:
            channels = (want.first, want.second) if want.first >= 0 else (0, 1)
            sender = Interleaved(house.reactor, house.wall, self._write, channels)
            way = f"RTP/AVP/TCP;unicast;interleaved={channels[0]}-{channels[1]}"
            return sender, f"{way};ssrc={sender.ssrc:08X};mode=play"
        if not self._may_send_datagrams():
            raise _Refused(461)
        try:
            pair = udp.take(house.reactor, house.ports, self._here, self._peer, self._alive)
        except udp.NoPorts:
            raise _Refused(453, body="All UDP ports are in use\r\n") from None
        datagrams = Datagrams(
            house.reactor, house.wall, pair, self._peer, (want.first, want.second)
        )
        first, second = pair.numbers
        way = f"RTP/AVP;unicast;client_port={want.first}-{want.second}"
        return datagrams, f"{way};server_port={first}-{second};ssrc={datagrams.ssrc:08X};mode=play"

    def _may_send_datagrams(self) -> bool:
        """
        UDP is in the clear: not for who comes over TLS.

        And of a proxy's client only the proxy says where it is.
        """
        wrapped = isinstance(self.transport, ProtocolWrapper)
        return not wrapped and bool(self._peer and self._here) and self._house.ports[0] > 0

    def _own(self, request: Request) -> _Session:
        """The session that the request names."""
        if self._session is None or "session" not in request.headers:
            raise _Refused(454)
        return self._session

    def _play(self, request: Request) -> _Answer:
        session = self._own(request)
        sender = session.sender
        if sender is None:
            raise _Refused(455)
        if session.playing:
            return 200, (session.header,), "", None
        base = _without_login(request.uri).rstrip("/").removesuffix("/" + sdp.TRACK)
        headers = (
            session.header,
            ("Range", "npt=now-"),
            ("RTP-Info", f"url={base}/{sdp.TRACK};seq={sender.sequence}"),
        )
        return 200, headers, "", lambda: self._begin(session, sender)

    def _begin(self, session: _Session, sender: Sender) -> None:
        """Behind the answer: its packets must not come before."""
        session.playing = True
        sender.start()
        session.stream.join(sender)
        self._reports.start(REPORTS, now=False)

    def _pause(self, request: Request) -> _Answer:
        session = self._own(request)
        self._hold(session)
        return 200, (session.header,), "", None

    def _hold(self, session: _Session) -> None:
        if session.playing and session.sender is not None:
            session.playing = False
            session.stream.leave(session.sender)
            self._reports.stop()

    def _teardown(self, request: Request) -> _Answer:
        self._own(request)
        self._end_session()
        self._alive()
        return 200, (), "", None

    # -- the session -------------------------------------------------------

    def _report(self) -> None:
        session = self._session
        if session is None or session.sender is None:
            return
        if isinstance(session.sender, Interleaved) and session.sender.stalled:
            self.abort()
        else:
            session.sender.report()

    def _rights_changed(self) -> None:
        session = self._session
        guest = None if session is None else session.guest
        if guest is not None and guest.permissions.isdisjoint(_WATCHING):
            self.close()

    def _end_session(self) -> None:
        session, self._session = self._session, None
        if session is None:
            return
        self._hold(session)
        if session.sender is not None:
            if self._open:
                session.sender.bye()
            session.sender.stop()
        if session.guest is not None:
            session.guest.detach(self._rights_changed)


_Answer = tuple[int, tuple[tuple[str, str], ...], str, Callable[[], None] | None]


def _without_login(uri: str) -> str:
    """An address as the client wrote it, but for a name and a password in it."""
    scheme, slashes, rest = uri.partition("://")
    if not slashes:
        return uri
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
