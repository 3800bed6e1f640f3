"""The real processes of drivers; see :mod:`rotoclear.devices.host` for what runs in them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from twisted.internet import protocol
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime, ITCPTransport
from twisted.internet.unix import Server as UnixServer
from twisted.logger import Logger
from twisted.python.failure import Failure

from rotoclear.devices import wire
from rotoclear.devices.link import Ended, Entry, Link, Received
from rotoclear.processes.child import Child, environment
from rotoclear.processes.descriptors import send
from rotoclear.processes.framing import WireError
from rotoclear.processes.output import Output

POLITE: Final = 1.0
"""Seconds that a process has to end when it is asked to."""

DEAD: Final = 0.5
"""Seconds after which a killed process counts as ended, whether the kernel can end it or not."""

FRAMES: Final = 2_000
"""Messages a second that nobody has asked one process for; more is a flood, and it is killed."""


class Hosts:
    """
    Starts them: a :class:`~rotoclear.devices.link.Spawn`.

    :param executable: the Python that runs them.
    :param path: where they look for modules.
    """

    def __init__(self, reactor: Any, executable: str, path: Sequence[str]) -> None:
        self._reactor = reactor
        self._executable = executable
        self._environment = environment(path)

    def __call__(self, entry: Entry, received: Received, ended: Ended) -> Link:
        host = "rotoclear.devices.host"
        pid = str(os.getpid())
        arguments = [self._executable, "-P", "-m", host, entry.module, entry.attribute, pid]
        return HostLink(self._reactor, entry.driver, arguments, self._environment, received, ended)


class HostLink:
    """One of them: a :class:`~rotoclear.devices.link.Link`."""

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        driver: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        received: Received,
        ended: Ended,
    ) -> None:
        self._reactor = reactor
        self._driver = driver
        self._ended: Ended | None = ended
        self._reason = ""
        self._exited = False
        self._polite: IDelayedCall | None = None
        self._dead: IDelayedCall | None = None
        self._stopping: list[Deferred[None]] = []
        self._channel = Channel(reactor, received, self.kill, self._hung_up)
        self._output = Output(reactor, driver)
        self._child = Child(
            reactor, arguments, environment, self._output, [self._channel], self._process_exited
        )

    @property
    def pid(self) -> int | None:
        return self._child.pid

    def send(self, message: wire.ToHost, descriptor: int | None = None) -> None:
        self._channel.send(message, descriptor)

    def kill(self, reason: str) -> None:
        self._reason = self._reason or reason
        self._child.kill()
        self._ending()

    def stop(self) -> Deferred[None]:
        if self._ended is None:
            return succeed(None)
        stopped: Deferred[None] = Deferred()
        self._stopping.append(stopped)
        if self._polite is None:
            self._polite = self._reactor.callLater(POLITE, self._impolite)
            self.send(wire.Stop())
        return stopped

    def _impolite(self) -> None:
        self._log.warn("{driver} does not stop when asked and is killed", driver=self._driver)
        self.kill("did not stop when asked")

    def _hung_up(self) -> None:
        # A process that nobody can talk to is of no use.
        self._child.kill()
        self._ending()

    def _process_exited(self, ending: str) -> None:
        self._exited = True
        self._reason = self._reason or ending
        self._ending()

    def _ending(self) -> None:
        """
        It ends. Wait until it has, and until all that it said was read.

        But not for a process that the kernel cannot end, nor for a grandchild
        that holds the socket.
        """
        if self._ended is None:
            return
        if self._exited and self._channel.closed:
            self._end()
        elif self._dead is None:
            self._dead = self._reactor.callLater(DEAD, self._end)

    def _end(self) -> None:
        ended, self._ended = self._ended, None
        for timer in (self._polite, self._dead):
            if timer is not None and timer.active():
                timer.cancel()
        self._channel.close()
        self._output.close()
        if ended is not None:
            ended(self._reason or "hung up")
        stopping, self._stopping = self._stopping, []
        for stopped in stopping:
            stopped.callback(None)


class Channel(protocol.Protocol):
    """
    Frames out, frames in.

    :param clock: tells the seconds.
    :param received: called with each message.
    :param broken: called with the reason when what comes is not to be borne;
        nothing is read any more then.
    :param hung_up: called when the other side has.
    :ivar closed: nothing will come any more.
    """

    def __init__(
        self,
        clock: IReactorTime,
        received: Received,
        broken: Ended,
        hung_up: Any,
    ) -> None:
        self._clock = clock
        self._received = received
        self._broken = broken
        self._hung_up = hung_up
        self._reader: wire.Reader[wire.FromHost] = wire.Reader(wire.FromHost)  # type: ignore[arg-type]
        self._second = clock.seconds()
        self._frames = 0
        self._owed = 0
        self._full = False
        self._lent: dict[int, int] = {}
        self.closed = False

    def send(self, message: wire.ToHost, descriptor: int | None = None) -> None:
        """
        Send a message, perhaps with a descriptor; nothing happens when nobody is there.

        It goes straight into the socket: a change waits for the answer to it.
        Only when the process does not read is the transport left to queue.
        """
        if self.transport is None or self.closed:
            return
        frame = wire.frame(message)
        self._owed += 1
        sent = 0
        if not self._full:
            try:
                sent = self._socket_send(frame, descriptor)
            except OSError:  # full, or lost: the transport deals with both
                pass
        if sent < len(frame):
            self._full = True
            if descriptor is not None and not sent:
                self._lend(message, descriptor)
            self.transport.write(frame[sent:])

    def _socket_send(self, frame: bytes, descriptor: int | None) -> int:
        handle = cast(UnixServer, self.transport).getHandle()
        if descriptor is None:
            return int(handle.send(frame))
        return send(handle, frame, [descriptor])

    def _lend(self, message: wire.ToHost, descriptor: int) -> None:
        """
        Have the transport send a descriptor with what it sends next.

        That may be before its message, which does no harm. It has to stay open
        until then, and that it is there is only known from the answer.
        """
        request = getattr(message, "request", 0)
        self._lent[request] = lent = os.dup(descriptor)
        cast(UnixServer, self.transport).sendFileDescriptor(lent)

    def _give_back(self, *requests: int) -> None:
        for request in requests:
            descriptor = self._lent.pop(request, None)
            if descriptor is not None:
                os.close(descriptor)

    def close(self) -> None:
        """Hang up. What comes now is dropped."""
        self.closed = True
        if self.transport is not None:
            cast(ITCPTransport, self.transport).abortConnection()

    def dataReceived(self, data: bytes) -> None:
        if self.closed:
            return
        now = self._clock.seconds()
        if now - self._second >= 1:
            self._second, self._frames = now, 0
        try:
            for message in self._reader.feed(data):
                if self._owed and isinstance(message, wire.Answer | wire.Refused):
                    self._owed -= 1
                    self._give_back(message.request)
                else:
                    self._frames += 1
                if self._frames > FRAMES:
                    raise WireError(f"more than {FRAMES} messages a second")  # noqa: TRY301
                self._received(message)
                if self.closed:
                    return
        except WireError as error:
            self.close()
            self._broken(f"sent nonsense: {error}")

    def connectionLost(self, reason: Failure = protocol.connectionDone) -> None:
        self.closed = True
        self._give_back(*self._lent)
        self._hung_up()
