"""One process of the engine, as the server sees it; in it runs :mod:`rotoclear.media.engine`."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, cast

from twisted.internet import protocol
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.unix import Server as UnixServer
from twisted.python.failure import Failure

from rotoclear.media.engine import wire
from rotoclear.processes.child import Child, environment
from rotoclear.processes.descriptors import send
from rotoclear.processes.framing import Unpacker, WireError, pack
from rotoclear.processes.output import Output

Received = Callable[[wire.FromEngine], None]
"""Called with each message of the process."""

Packet = Callable[[wire.Head, bytes], None]
"""Called with each encoded picture."""

Ended = Callable[[str], None]
"""Called once, with the reason for people: "was killed by SIGKILL"."""


class Link(Protocol):
    """One process of the engine, or a test's."""

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""

    def send(self, message: wire.ToEngine, frames: socket.socket | None = None) -> None:
        """Send it a message, perhaps with a socket; nothing happens when it has ended."""

    def kill(self, reason: str) -> None:
        """End it now; ``ended`` is called with this reason."""

    def is_stopped(self) -> bool:
        """Somebody has sent it SIGSTOP, or traces it: it will do nothing."""


class Spawn(Protocol):
    """Starts a process."""

    def __call__(self, received: Received, packet: Packet, ended: Ended) -> Link:
        """
        Start one.

        :raises OSError: no process can be started now.
        """


def spawner(reactor: Any, executable: str = sys.executable) -> Spawn:
    """What starts real ones."""

    def spawn(received: Received, packet: Packet, ended: Ended) -> Link:
        return EngineProcess(reactor, executable, received, packet, ended)

    return spawn


class EngineProcess:
    """A real one: a :class:`Link`."""

    def __init__(
        self, reactor: Any, executable: str, received: Received, packet: Packet, ended: Ended
    ) -> None:
        self._ended: Ended | None = ended
        self._reason = ""
        self._control = _Control(received, self.kill)
        self._output = Output(reactor, "engine")
        arguments = [executable, "-P", "-m", "rotoclear.media.engine", str(os.getpid())]
        self._packets = _Packets(packet)
        self._child = Child(
            reactor,
            arguments,
            environment(sys.path),
            self._output,
            [self._control, self._packets],
            self._exited,
            # What writes a film must be able to close it.
            family=False,
        )

    @property
    def pid(self) -> int | None:
        return self._child.pid

    def send(self, message: wire.ToEngine, frames: socket.socket | None = None) -> None:
        self._control.send(message, frames)

    def is_stopped(self) -> bool:
        try:
            # proc(5): made by the kernel when it is read, so nothing is waited for.
            stat = Path(f"/proc/{self.pid}/stat").read_bytes()
        except OSError:
            return False
        return stat.rpartition(b")")[2].split()[0] in b"Tt"

    def kill(self, reason: str) -> None:
        self._reason = self._reason or reason
        self._child.kill()

    def _exited(self, ending: str) -> None:
        for channel in (self._control, self._packets, self._output):
            channel.close()
        ended, self._ended = self._ended, None
        if ended is not None:
            ended(self._reason or ending)


class _Control(protocol.Protocol):
    """
    Messages out, messages in.

    The engine's main thread only reads: a socket that is full means that it
    does not, and there is nothing to wait for.
    """

    def __init__(self, received: Received, broken: Callable[[str], None]) -> None:
        self._received = received
        self._broken = broken
        self._unpacker: Unpacker[wire.FromEngine] = Unpacker(
            wire.FromEngine,  # type: ignore[arg-type]
            wire.MAX_MESSAGE,
        )
        self._closed = False

    def send(self, message: wire.ToEngine, frames: socket.socket | None) -> None:
        if self.transport is None or self._closed:
            return
        data = pack(message, wire.MAX_MESSAGE)
        descriptors = [] if frames is None else [frames.fileno()]
        try:
            sent = send(cast(UnixServer, self.transport).getHandle(), data, descriptors)
        except OSError as error:
            self._broken(f"cannot be told anything: {error.strerror or error}")
            return
        if sent < len(data):
            self._broken("does not listen")

    def dataReceived(self, data: bytes) -> None:
        try:
            for message in self._unpacker.feed(data):
                if self._closed:
                    return
                self._received(message)
        except WireError as error:
            self.close()
            self._broken(f"sent nonsense: {error}")

    def close(self) -> None:
        """What comes now is dropped."""
        self._closed = True
        if self.transport is not None:
            cast(ITCPTransport, self.transport).abortConnection()

    def connectionLost(self, reason: Failure = protocol.connectionDone) -> None:
        if not self._closed:
            self._closed = True
            self._broken("hung up")


class _Packets(protocol.Protocol):
    """Encoded pictures in."""

    def __init__(self, packet: Packet) -> None:
        self._packet = packet
        self._parts: list[bytes] = []
        self._length = 0
        self._head: wire.Head | None = None

    def dataReceived(self, data: bytes) -> None:
        self._parts.append(data)
        self._length += len(data)
        while True:
            wanted = wire.HEAD.size if self._head is None else self._head.length
            if self._length < wanted:
                return
            whole = b"".join(self._parts)
            part, rest = whole[:wanted], whole[wanted:]
            self._parts, self._length = [rest], len(rest)
            if self._head is None:
                self._head = wire.Head(*wire.HEAD.unpack(part))
                if self._head.length > wire.MAX_PACKET:
                    self.close()
                    return
            else:
                head, self._head = self._head, None
                self._packet(head, part)

    def close(self) -> None:
        """What comes now is dropped."""
        if self.transport is not None:
            cast(ITCPTransport, self.transport).abortConnection()
