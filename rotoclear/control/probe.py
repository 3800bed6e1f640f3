"""The server's own question at its control socket: whether it hears and answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.internet.endpoints import UNIXClientEndpoint
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.protocol import Factory, connectionDone
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure

from rotoclear.control.wire import MAX_ANSWER, address, encode


class ProbeFailed(Exception):
    """There is no answer, or a wrong one. ``str()`` is one line for people."""


class Probe:
    """
    Asks ``ping``, through the kernel and back, over one connection.

    The connection is kept, so that asking takes no new descriptor: they may all be
    taken by clients, and that is not what is asked for.

    :param reactor: the server's own.
    :param path: of the control socket.
    """

    def __init__(self, reactor: Any, path: Path) -> None:
        self._reactor = reactor
        self._path = path
        self._line: _Line | None = None
        self._stopped = False

    async def ask(self) -> None:
        """
        Ask once.

        :raises ProbeFailed: as it says.
        :raises ConnectError: there is nobody at the socket.
        """
        if self._line is None or self._line.ended:
            with address(self._path) as name:
                endpoint = UNIXClientEndpoint(self._reactor, name)
                self._line = await endpoint.connect(Factory.forProtocol(_Line))
            if self._stopped:
                self.stop()
                return
        await self._line.ask()

    def stop(self) -> None:
        """Hang up."""
        self._stopped = True
        if self._line is not None:
            self._line.hang_up()


class _Line(LineReceiver):
    """One connection."""

    delimiter = b"\n"
    MAX_LENGTH = MAX_ANSWER
    transport: ITCPTransport

    def __init__(self) -> None:
        self.ended = False
        self._asked: Deferred[None] | None = None

    def ask(self) -> Deferred[None]:
        if self.ended:
            return fail(ProbeFailed("the control socket has hung up"))
        self._asked = Deferred()
        self.transport.write(encode({"do": "ping"}))
        return self._asked

    def lineReceived(self, line: bytes) -> None:
        if b'"ok":true' in line:
            self._answered(None)
        else:
            self._answered(ProbeFailed(f"the control socket says {line[:200]!r}"))

    def hang_up(self) -> None:
        self.transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.ended = True
        self._answered(ProbeFailed("the control socket has hung up"))

    def _answered(self, result: Exception | None) -> None:
        asked, self._asked = self._asked, None
        if asked is not None and result is None:
            asked.callback(None)
        elif asked is not None:
            asked.errback(result)
