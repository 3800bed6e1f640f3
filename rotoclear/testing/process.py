"""
A driver's process as the server starts it, and a client of it that blocks.

``python -m rotoclear.devices.host`` with a socket for its descriptor 3, on which
both sides speak :mod:`rotoclear.devices.wire`.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import select
import signal
import socket
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from rotoclear.devices import wire
from rotoclear.devices.host import DESCRIPTOR
from rotoclear.interfaces import DeviceFailure, DeviceGone, DriverUnusable, Setting, UdevDevice
from rotoclear.processes.framing import WireError
from rotoclear.testing.bench import Crash, Ended, Late
from rotoclear.testing.vitals import marked
from rotoclear.testing.work import Task
from rotoclear.values import Value

STARTED: Final = 10.0
"""Seconds that loading and starting a driver may take here."""

POLITE: Final = 1.0
"""Seconds that a process has to end when it is asked to."""

KEPT: Final = 50
"""Lines of its output that are kept."""


class HostProcess:
    """
    One process.

    :param module: with the driver in it.
    :param attribute: the driver's name there.
    :ivar pid: its process id.
    :ivar mark: stands in the environment of all that it starts.
    :ivar published: what it has said its keys hold.
    :ivar records: what it has logged: ``logging``'s level and the text.
    :ivar printed: the last lines of what it has printed.
    """

    def __init__(self, module: str, attribute: str) -> None:
        self.mark = f"ROTOCLEAR_TESTING={uuid.uuid4()}"
        self.published: list[tuple[str, Value]] = []
        self.records: list[tuple[int, str]] = []
        self.printed: list[str] = []
        self.started: wire.Started | None = None
        self._requests = itertools.count(1)
        self._numbers = itertools.count(1)
        self._tasks: dict[int, Task] = {}
        self._news = threading.Condition()
        self._found: wire.Found | wire.Lost | None = None
        self._finds = 0
        self._stopped: wire.Stopped | None = None
        self._broken = ""
        self._socket, theirs = socket.socketpair()
        output, their_output = os.pipe()
        try:
            self.pid = self._spawn(module, attribute, theirs.fileno(), their_output)
        except OSError:
            self._socket.close()
            os.close(output)
            raise
        finally:
            theirs.close()
            os.close(their_output)
        self._pidfd = os.pidfd_open(self.pid)
        self._exited = False
        self._threads = [
            threading.Thread(target=function, args=arguments, daemon=True)
            for function, arguments in ((self._receive, ()), (self._drain, (output,)))
        ]
        for thread in self._threads:
            thread.start()

    def _spawn(self, module: str, attribute: str, theirs: int, output: int) -> int:
        name, _, value = self.mark.partition("=")
        path = [os.path.abspath(entry) for entry in sys.path]  # noqa: PTH100
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path), name: value}
        host = [sys.executable, "-P", "-m", "rotoclear.devices.host"]
        return os.posix_spawn(
            sys.executable,
            [*host, module, attribute, str(os.getpid())],
            environment,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, theirs, DESCRIPTOR),
                (os.POSIX_SPAWN_DUP2, output, 1),
                (os.POSIX_SPAWN_DUP2, output, 2),
            ],
        )

    # -- what it is asked ------------------------------------------------------

    def start(
        self, options: Mapping[str, Setting], devices: Sequence[UdevDevice], data_dir: str
    ) -> wire.Started:
        """
        Load and start the driver.

        :raises DriverUnusable: it says so.
        :raises Crash: it could not be loaded, or raised.
        :raises Late: it takes too long.
        """
        self._send(wire.Start(dict(options), data_dir, tuple(devices)))
        self._until(lambda: self.started or self._stopped, STARTED, "start()")
        if self.started is not None:
            return self.started
        assert self._stopped is not None  # noqa: S101 - for mypy
        if self._stopped.unusable:
            raise DriverUnusable(self._stopped.message)
        if self._stopped.traceback:
            raise Crash(f"start() raised {self._stopped.message}", self._stopped.traceback)
        raise DeviceFailure(self._stopped.message)

    def find(self, devices: Sequence[UdevDevice], limit: float) -> tuple[str, ...]:
        """
        What the driver finds now.

        :param devices: of the kernel's, told anew: that has it look at once.
        :raises DeviceFailure: it could not look.
        :raises Crash: it raised, or returned what is no sequence of texts.
        """
        finds = self._finds
        self._send(wire.Present(tuple(devices)))
        self._until(lambda: self._finds > finds, limit, "find()")
        found = self._found
        if isinstance(found, wire.Found):
            return found.identities
        assert found is not None  # noqa: S101 - for mypy
        if found.traceback:
            raise Crash(found.message, found.traceback)
        raise DeviceFailure(found.message)

    def number(self) -> int:
        """One for a device that is to be opened."""
        return next(self._numbers)

    def ask(
        self, what: str, message: Callable[[int], wire.ToHost], attached: int | None = None
    ) -> Task:
        """
        Send a request.

        :param what: for people.
        :param message: makes it, of its number.
        :param attached: a descriptor that goes with it.
        """
        request = next(self._requests)
        task = self._tasks[request] = Task(what)
        if self._broken:
            task.finish(error=Ended(self._broken))
        else:
            self._send(message(request), attached)
        return task

    def ending(self) -> str:
        """How it has ended, or ``""``."""
        return self._broken

    # -- the end ---------------------------------------------------------------

    def stop(self) -> float:
        """
        Ask it to end; return how many seconds it took.

        :raises Late: longer than it has; it was killed.
        """
        began = time.monotonic()
        with contextlib.suppress(Ended):
            self._send(wire.Stop())
        ended = self._wait(POLITE + 0.5)
        took = time.monotonic() - began
        self.kill()
        if not ended:
            raise Late(f"The process was asked to end and was still there after {took:.1f} s")
        return took

    def kill(self) -> None:
        """End it as the server does when it is stuck; nothing happens the second time."""
        if not self._exited:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self._wait(5)

    def close(self) -> None:
        """End it and all that it has left, and let go of everything."""
        self.kill()
        for pid in self.left_behind():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(2)
        self._socket.close()
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1

    def left_behind(self) -> list[int]:
        """Processes that it has started and that still run, though it does not."""
        return [pid for pid in marked(self.mark) if pid != self.pid]

    def _wait(self, limit: float) -> bool:
        """Whether it has ended in that time."""
        if not self._exited and select.select([self._pidfd], [], [], limit)[0]:
            os.waitpid(self.pid, 0)
            self._exited = True
        return self._exited

    # -- the wire --------------------------------------------------------------

    def _send(self, message: wire.ToHost, attached: int | None = None) -> None:
        try:
            data = wire.frame(message)
            if attached is None:
                self._socket.sendall(data)
            else:
                socket.send_fds(self._socket, [data], [attached])
        except OSError as error:
            raise Ended(self._broken or f"The process has gone: {error.strerror}") from None

    def _until(self, condition: Callable[[], object], limit: float, what: str) -> None:
        with self._news:
            self._news.wait_for(lambda: condition() or self._broken, limit)
            if condition():
                return
            if self._broken:
                raise Ended(f"{self._broken}, while {what} was under way")
        raise Late(f"{what} did not return within {limit:g} s")

    def _receive(self) -> None:
        reader: wire.Reader[wire.FromHost] = wire.Reader(wire.FromHost)  # type: ignore[arg-type]
        reason = "The process has ended"
        try:
            while data := self._socket.recv(65_536):
                for message in reader.feed(data):
                    with self._news:
                        self._take(message)
                        self._news.notify_all()
        except WireError as error:
            reason = (
                f"What came over descriptor {DESCRIPTOR}, which is the connection to the server "
                f"and nobody else's, is nonsense: {error}"
            )
        except OSError:
            pass
        with self._news:
            self._broken = reason
            for task in self._tasks.values():
                if not task.done:
                    task.finish(error=Ended(f"{reason}, while {task.what} was under way"))
            self._news.notify_all()

    def _take(self, message: wire.FromHost) -> None:
        match message:
            case wire.Started():
                self.started = message
            case wire.Stopped():
                self._stopped = message
            case wire.Found() | wire.Lost():
                self._found = message
                self._finds += 1
            case wire.Published(name, value):
                self.published.append((name, value))
            case wire.Record(level, text):
                self.records.append((level, text))
            case wire.Answer(request, result):
                if task := self._tasks.pop(request, None):
                    task.finish(result)
            case wire.Refused(request):
                if task := self._tasks.pop(request, None):
                    task.finish(error=_error(task.what, message))

    def _drain(self, output: int) -> None:
        with open(output, errors="replace") as lines:
            for line in lines:
                self.printed.append(line.rstrip("\n")[:500])
                del self.printed[:-KEPT]


def _error(what: str, refused: wire.Refused) -> Exception:
    match refused.reason:
        case "gone":
            return DeviceGone(refused.message)
        case "failure":
            return DeviceFailure(refused.message)
        case "value":
            return ValueError(refused.message)
        case _:
            return Crash(f"{what} raised {refused.message}", refused.traceback)
