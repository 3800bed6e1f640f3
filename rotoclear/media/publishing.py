"""
The film, pushed to another RTSP server as long as this one runs.

A process of its own does it (:mod:`rotoclear.media.engine.publisher`). When the
other side refuses, goes away or takes nothing any more, it is tried again, later
and later. Nobody but the process is told the address's password.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Literal, Protocol, cast
from urllib.parse import urlsplit

from twisted.application.service import Service
from twisted.internet import protocol
from twisted.internet.interfaces import IDelayedCall, IReactorTime, ITCPTransport
from twisted.logger import Logger

from rotoclear.media.engine import pushing
from rotoclear.processes.child import Child, environment
from rotoclear.processes.framing import Unpacker, WireError, pack
from rotoclear.processes.output import Output

FIRST: Final = 1.0
"""Seconds before it is tried again; doubled each time."""

MOST: Final = 30.0
"""Seconds at most before that."""

LOADING: Final = 30.0
"""Seconds that a process has to load its libraries."""

STUCK: Final = 10.0
"""Seconds within which the other server has to take a picture."""

BACKLOG: Final = 8 * 2**20
"""Bytes that may be on their way; beyond it all is dropped up to the next keyframe."""

Received = Callable[[pushing.FromPublisher], None]
Ended = Callable[[str], None]


class Link(Protocol):
    """One process, or a test's."""

    def send(self, message: pushing.ToPublisher) -> None:
        """Send it a message; nothing happens when it has ended."""

    def kill(self) -> None:
        """End it now."""


Pusher = Callable[[Received, Ended], Link]
"""Starts one; raises :exc:`OSError` when that cannot be."""


class Film(Protocol):
    """Gives the film, as :class:`rotoclear.media.service.EngineService`."""

    def listen(self, listener: Any, camera: int) -> None:
        """Call its ``access_unit`` from now on. ``camera`` 0: the view."""

    def unlisten(self, listener: Any, camera: int) -> None:
        """No more."""

    def keyframe(self, camera: int) -> None:
        """The next picture is to be a keyframe."""


class Publishing(Service):
    """
    See the module. A listener of the engine's.

    :param url: where to; it may hold a name and a password.
    :param pusher: starts processes.
    :param authorities: a file with the certificates that are trusted; ``""``: the system's.
    :ivar state: ``"connecting"``, ``"running"``, ``"failed"`` or ``"stopped"``.
    :ivar reason: for people, while it has failed.
    :ivar frames: how many pictures the other server has taken.
    :ivar restarts: how often it was tried again.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: IReactorTime,
        film: Film,
        url: str,
        pusher: Pusher,
        authorities: str = "",
    ) -> None:
        self._reactor = reactor
        self._film = film
        self._begin = pushing.Begin(url, authorities)
        self._pusher = pusher
        self._where = without_login(url)
        self._link: Link | None = None
        self._loaded = False
        self._until_key = True
        self._sizes: deque[int] = deque()
        self._bytes = 0
        self._taken = 0
        self._stuck: IDelayedCall | None = None
        self._again: IDelayedCall | None = None
        self._delay = FIRST
        self.state: Literal["connecting", "running", "failed", "stopped"] = "stopped"
        self.reason = ""
        self.frames = 0
        self.restarts = 0

    def startService(self) -> None:
        """Begin. Pictures are needed from now on."""
        Service.startService(self)
        self._film.listen(self, 0)
        self._connect()

    def stopService(self) -> None:
        """End it."""
        Service.stopService(self)
        self.state = "stopped"
        self._film.unlisten(self, 0)
        link = self._forget()
        if self._again is not None and self._again.active():
            self._again.cancel()
        if link is not None:
            link.kill()

    def _connect(self) -> None:
        self._again = None
        self.state = "connecting" if not self.reason else "failed"
        try:
            self._link = self._pusher(self._received, self._ended)
        except OSError as error:
            self._lost(f"cannot be started: {error.strerror}")
            return
        self._link.send(self._begin)
        self._stuck = self._reactor.callLater(LOADING, self._hangs)

    def access_unit(self, data: bytes, time: int, key: bool) -> None:
        """The engine's next picture."""
        if self._link is None or not self._loaded or (self._until_key and not key):
            return
        self._until_key = self._bytes > BACKLOG
        if self._until_key:
            return
        self._link.send(pushing.Packet(time, key, data))
        self._sizes.append(len(data))
        self._bytes += len(data)
        if self._stuck is None:
            self._stuck = self._reactor.callLater(STUCK, self._hangs)

    def _received(self, message: pushing.FromPublisher) -> None:
        match message:
            case pushing.Ready():
                self._ready()
            case pushing.Pushed(frames):
                self._pushed(frames)
            case pushing.Failed(reason):
                self._lost(reason)

    def _ready(self) -> None:
        self._loaded = True
        self._calm()
        self._film.keyframe(0)

    def _calm(self) -> None:
        """It does something."""
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None

    def _pushed(self, frames: int) -> None:
        for _ in range(min(frames - self._taken, len(self._sizes))):
            self._bytes -= self._sizes.popleft()
            self.frames += 1
        self._taken = frames
        self._calm()
        if self._sizes:
            self._stuck = self._reactor.callLater(STUCK, self._hangs)
        if self.state != "running":
            self._log.info("the film is pushed to {where}", where=self._where)
            self.state, self.reason = "running", ""
            self._delay = FIRST

    def _hangs(self) -> None:
        self._stuck = None
        if not self._loaded:
            self._lost("what pushes it did not start within 30 seconds")
        else:
            self._lost("it takes no pictures any more" if self._taken else "it does not answer")

    def _ended(self, reason: str) -> None:
        self._lost(f"what pushes {reason}")

    def _forget(self) -> Link | None:
        """What is known of one process."""
        link, self._link = self._link, None
        self._loaded = False
        self._calm()
        self._sizes.clear()
        self._bytes = self._taken = 0
        self._until_key = True
        return link

    def _lost(self, reason: str) -> None:
        link = self._forget()
        if self.state == "stopped" or (self._again is not None and self._again.active()):
            return
        if self.state != "failed" or reason != self.reason:
            self._log.warn(
                "the film cannot be pushed to {where}: {reason}", where=self._where, reason=reason
            )
        self.state, self.reason = "failed", reason
        self.restarts += 1
        self._again = self._reactor.callLater(self._delay, self._connect)
        self._delay = min(self._delay * 2, MOST)
        if link is not None:
            link.kill()

    def status(self) -> dict[str, Any]:
        """What it does, ready for JSON; without the password."""
        return {
            "state": self.state,
            "reason": self.reason,
            "url": self._where,
            "frames": self.frames,
            "restarts": self.restarts,
        }

    def health(self) -> dict[str, str]:
        """``{"state": "ok"}``, or what is the matter."""
        if self.state == "failed":
            return {"state": "failed", "reason": f"{self._where}: {self.reason}"}
        return {"state": "ok"}


def without_login(url: str) -> str:
    """An address without the name and the password in it, and without a query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def pusher(reactor: Any, executable: str = sys.executable) -> Pusher:
    """What starts real processes."""

    def push(received: Received, ended: Ended) -> Link:
        return _Process(reactor, executable, received, ended)

    return push


class _Process:
    """A real one: a :class:`Link`."""

    def __init__(self, reactor: Any, executable: str, received: Received, ended: Ended) -> None:
        self._ended: Ended | None = ended
        self._channel = _Channel(self._message, self._broken)
        self._received: Received | None = received
        self._output = Output(reactor, "publisher")
        arguments = [executable, "-P", "-m", "rotoclear.media.engine.publisher", str(os.getpid())]
        self._child = Child(
            reactor,
            arguments,
            environment(sys.path),
            self._output,
            [self._channel],
            self._exited,
        )

    def send(self, message: pushing.ToPublisher) -> None:
        self._channel.send(message)

    def kill(self) -> None:
        self._received = self._ended = None
        self._child.kill()

    def _broken(self) -> None:
        ended = self._ended
        self.kill()
        if ended is not None:
            ended("sent nonsense")

    def _message(self, message: pushing.FromPublisher) -> None:
        if self._received is not None:
            self._received(message)

    def _exited(self, ending: str) -> None:
        self._channel.close()
        self._output.close()
        ended, self._ended = self._ended, None
        self._received = None
        if ended is not None:
            ended(ending)


class _Channel(protocol.Protocol):
    """Messages out, messages in."""

    def __init__(self, received: Received, broken: Callable[[], None]) -> None:
        self._received = received
        self._broken = broken
        self._unpacker: Unpacker[pushing.FromPublisher] = Unpacker(
            pushing.FromPublisher,  # type: ignore[arg-type]
            pushing.MAX_MESSAGE,
        )
        self._closed = False

    def send(self, message: pushing.ToPublisher) -> None:
        if self.transport is not None and not self._closed:
            self.transport.write(pack(message, pushing.MAX_MESSAGE))

    def dataReceived(self, data: bytes) -> None:
        try:
            for message in self._unpacker.feed(data):
                if not self._closed:
                    self._received(message)
        except WireError:
            self.close()
            self._broken()

    def close(self) -> None:
        """What comes now is dropped."""
        self._closed = True
        if self.transport is not None:
            cast(ITCPTransport, self.transport).abortConnection()
