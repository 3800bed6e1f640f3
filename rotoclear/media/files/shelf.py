"""
The files of one volume, for the server: asked for, never touched.

A process (:mod:`rotoclear.media.files`) does the work; it is started when it is
needed, ends when it has not been for a while, and is killed when it hangs.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from attrs import define
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall, ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from rotoclear.media.files import wire
from rotoclear.processes.child import Child, environment
from rotoclear.processes.framing import Unpacker, WireError, pack
from rotoclear.processes.output import Output

GONE: Final = "The volume is gone"
HANGS: Final = "The volume does not answer"
FAILED: Final = "What reads the volume has failed"

LIMIT: Final = 10.0
"""Seconds for what is quick on a volume that works."""

LONG: Final = 3600.0
"""Seconds for what has to read all of a film, and wait for others that do."""

PATIENCE: Final = 15.0
"""Seconds for which whoever still closes a film is waited for; it has ten."""

IDLE: Final = 30.0
"""Seconds after which a process that has nothing to do, and no file open, ends."""


class FileError(Exception):
    """It could not be done. ``str()`` is for people."""


class FileMissing(FileError):
    """There is no such file."""


class FileBusy(FileError):
    """It is still being written."""


class FileDamaged(FileError):
    """It is not what it should be, and will never be."""


class ShelfFailed(FileError):
    """It is not about one file: the volume is gone, hangs, or cannot be read at all."""


_ERRORS: Final[Mapping[wire.Kind, type[FileError]]] = {
    "missing": FileMissing,
    "busy": FileBusy,
    "damaged": FileDamaged,
    "failed": FileError,
}


@define(eq=False)
class _Request:
    done: Deferred[Any]
    limit: IDelayedCall


@define(eq=False)
class OpenFile:
    """
    A file that is open for reading.

    It is one process's: when that has ended nothing can be read any more.

    :ivar size: bytes.
    """

    size: int
    _shelf: Shelf
    _channel: _Channel
    _handle: int
    _closed: bool = False

    def read(self, offset: int, length: int) -> Deferred[bytes]:
        """
        Read some of it, at most :data:`~rotoclear.media.files.wire.MAX_READ` bytes.

        :raises FileError: through the Deferred: it cannot be read, or not any more.
        """
        return self._shelf.read(self._channel, self._handle, offset, length)

    def close(self) -> None:
        """Let go of it; more than once does no harm."""
        if not self._closed:
            self._closed = True
            self._shelf.close(self._channel, self._handle)


class Shelf:
    """
    See the module.

    :param folder: of the volume, absolute.
    """

    def __init__(self, reactor: Any, folder: str, executable: str = sys.executable) -> None:
        self._reactor = reactor
        self._folder = folder
        self._executable = executable
        self._numbers = itertools.count(1)
        self._requests: dict[int, _Request] = {}
        self._files = 0
        self._hung: Child | None = None
        self._child: Child | None = None
        self._channel: _Channel | None = None
        self._output: Output | None = None
        self._idle: IDelayedCall | None = None

    # -- what it can do --------------------------------------------------

    def open(self, name: str) -> Deferred[OpenFile]:
        """
        Open a file for reading; whoever gets it closes it, and may not cancel before that.

        :raises FileMissing: through the Deferred: there is none.
        :raises FileError: likewise: it cannot be read.
        """
        return Deferred.fromCoroutine(self._open(name))

    async def _open(self, name: str) -> OpenFile:
        asked = self._ask(lambda number: wire.Open(number, name), LIMIT, wire.Opened)
        channel = self._channel
        opened = await asked
        assert channel is not None  # noqa: S101 - it has answered
        self._files += 1
        self._rest()
        return OpenFile(opened.size, self, channel, opened.handle)

    def read(self, channel: _Channel, handle: int, offset: int, length: int) -> Deferred[bytes]:
        """For :class:`OpenFile`."""
        if channel is not self._channel:
            return fail(FileError("The file was closed when its volume failed"))
        return self._ask(lambda number: wire.Read(number, handle, offset, length), LIMIT, bytes)

    def close(self, channel: _Channel, handle: int) -> None:
        """For :class:`OpenFile`."""
        if channel is self._channel:
            self._files -= 1
            channel.send(wire.Close(handle))
            self._rest()

    def remove(self, name: str, *, unfinished: bool = False) -> Deferred[None]:
        """
        Remove a file. One that is not there is removed.

        :param unfinished: likewise what there is of a film that was not closed.
        :raises FileBusy: through the Deferred: someone has that in hand.
        """
        return self._ask(lambda number: wire.Remove(number, name, unfinished), LIMIT, None)

    def digest(self, name: str) -> Deferred[str]:
        """Its SHA-256, in hexadecimal."""
        return self._ask(lambda number: wire.Digest(number, name), LONG, str)

    def adopt(self, name: str, patience: float = PATIENCE) -> Deferred[wire.Adopted | None]:
        """
        See :class:`rotoclear.media.files.wire.Adopt`.

        :raises FileMissing: through the Deferred: there is nothing of it.
        :raises FileBusy: likewise: someone still writes it.
        :raises FileDamaged: likewise: it cannot be played.
        :raises FileError: likewise: it cannot be read, or changed.
        :raises ShelfFailed: likewise: nothing on the volume can.
        """
        return self._ask(
            lambda number: wire.Adopt(number, name, patience), LONG, wire.Adopted | None
        )

    def parts(self) -> Deferred[list[str]]:
        """The films that were not closed."""
        return self._ask(wire.Parts, LIMIT, list[str])

    def sizes(self, names: tuple[str, ...]) -> Deferred[list[int | None]]:
        """How large they are; -1 for those that are not there, ``None``: it cannot be told."""
        return self._ask(lambda number: wire.Sizes(number, names), LIMIT, list[int | None])

    def stop(self) -> None:
        """End the process: the volume is gone, or the server stops."""
        self._over(GONE)

    # -- the process -----------------------------------------------------

    def _ask(self, make: Callable[[int], wire.ToFiles], limit: float, result: Any) -> Deferred[Any]:
        if self._hung is not None:
            return fail(ShelfFailed(HANGS))
        if self._channel is None:
            try:
                self._start()
            except OSError as error:
                return fail(ShelfFailed(f"No process can be started: {error.strerror or error}"))
        assert self._channel is not None  # noqa: S101 - for mypy
        number = next(self._numbers)
        done: Deferred[Any] = Deferred(lambda _: self._forget(number))
        self._requests[number] = _Request(done, self._reactor.callLater(limit, self._late))
        self._rest()
        self._channel.send(make(number))
        return done.addCallback(lambda value: msgspec.convert(value, result))

    def _start(self) -> None:
        arguments = [
            self._executable,
            "-P",
            "-m",
            "rotoclear.media.files",
            self._folder,
            str(os.getpid()),
        ]
        channel = _Channel(self._received, self._over)
        output = Output(self._reactor, "files")
        env: Mapping[str, str] = environment(sys.path)
        self._child = Child(
            self._reactor, arguments, env, output, [channel], self._exited, family=False
        )
        self._channel, self._output = channel, output

    def _exited(self, ending: str) -> None:
        # One that the kernel holds in a call to the volume cannot be killed yet, and
        # there is no use in another one until then. When it ends by itself its
        # channel tells.
        self._hung = None

    def _late(self) -> None:
        self._hung = self._child
        self._over(HANGS)

    def _forget(self, number: int) -> None:
        request = self._requests.pop(number, None)
        if request is not None:
            request.limit.cancel()

    def _received(self, message: wire.FromFiles) -> None:
        request = self._requests.pop(message.request, None)
        if request is not None:
            request.limit.cancel()
            self._rest()
            if isinstance(message, wire.Refused):
                request.done.errback(_ERRORS[message.kind](message.message))
            else:
                request.done.callback(message.result)

    def _rest(self) -> None:
        """When there is nothing to do it ends, after a while."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if not self._requests and not self._files and self._channel is not None:
            self._idle = self._reactor.callLater(IDLE, self._rested)

    def _rested(self) -> None:
        self._idle = None
        self._over(FAILED)

    def _over(self, reason: str) -> None:
        """The process is of no use any more."""
        child, self._child = self._child, None
        channel, self._channel = self._channel, None
        output, self._output = self._output, None
        self._files = 0
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if child is not None:
            child.kill()
        if channel is not None:
            channel.close()
        if output is not None:
            output.close()
        requests, self._requests = self._requests, {}
        for request in requests.values():
            if request.limit.active():
                request.limit.cancel()
            request.done.errback(ShelfFailed(reason))


class _Channel(Protocol):
    """Messages out, messages in."""

    def __init__(
        self, received: Callable[[wire.FromFiles], None], broken: Callable[[str], None]
    ) -> None:
        self._received = received
        self._broken = broken
        self._unpacker: Unpacker[wire.FromFiles] = Unpacker(wire.FromFiles, wire.MAX_MESSAGE)  # type: ignore[arg-type]
        self._closed = False

    def send(self, message: wire.ToFiles) -> None:
        """Send a message; nothing happens when nobody is there."""
        if self.transport is not None and not self._closed:
            self.transport.write(pack(message, wire.MAX_MESSAGE))

    def dataReceived(self, data: bytes) -> None:
        try:
            for message in self._unpacker.feed(data):
                if self._closed:
                    return
                self._received(message)
        except WireError:
            self._broken(FAILED)

    def close(self) -> None:
        """Hang up."""
        if not self._closed:
            self._closed = True
            if self.transport is not None:
                transport: Any = self.transport
                ITCPTransport(transport).abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if not self._closed:
            self._closed = True
            self._broken(FAILED)
