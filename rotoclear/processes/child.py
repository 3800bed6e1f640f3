"""How processes are started that run a plugin's code: drivers' hosts and the scan's children."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from twisted.internet.protocol import Factory, ProcessProtocol, Protocol
from twisted.python.failure import Failure

_OURS_ALONE: Final = (
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "LISTEN_PID",
    "NOTIFY_SOCKET",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
)
"""What systemd says to the server and nobody else (sd_listen_fds(3), sd_notify(3))."""


def environment(path: Sequence[str]) -> dict[str, str]:
    """Our own, but the child looks for modules along this path."""
    result = {name: value for name, value in os.environ.items() if name not in _OURS_ALONE}
    result["PYTHONPATH"] = os.pathsep.join(os.path.abspath(entry) for entry in path)  # noqa: PTH100
    return result


class _Given(Factory):
    """Hands out the one protocol that it was given."""

    noisy = False

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol

    def buildProtocol(self, addr: object) -> Protocol:
        return self._protocol


class Child(ProcessProtocol):
    """
    One process, of a session of its own, without a standard input.

    :param reactor: spawns it and reads from it.
    :param arguments: the command.
    :param environment: the whole of it.
    :param output: reads its stdout and stderr.
    :param channels: talk to its descriptors from 3 on, a socket each.
    :param exited: called once with what ended it, for people.
    :param family: what it has started, in sessions of its own, too, ends with it when
        it is killed.
    :raises OSError: from the constructor: there can be no such process.
    """

    def __init__(
        self,
        reactor: Any,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        output: Protocol,
        channels: Sequence[Protocol],
        exited: Callable[[str], None],
        *,
        family: bool = True,
    ) -> None:
        self._exited = exited
        self._family = family
        self._pid: int | None = None
        sockets: list[socket.socket] = []
        # Sockets, for the reactor has no public way to adopt a pipe.
        try:
            for _ in (output, *channels):
                sockets += socket.socketpair()
            ours, theirs = sockets[::2], sockets[1::2]
            with open(os.devnull, "rb") as nothing:  # noqa: PTH123
                process = reactor.spawnProcess(
                    self,
                    arguments[0],
                    arguments,
                    env=environment,
                    childFDs={
                        0: nothing.fileno(),
                        1: theirs[0].fileno(),
                        2: theirs[0].fileno(),
                        **{3 + n: end.fileno() for n, end in enumerate(theirs[1:])},
                    },
                )
                self._pid = process.pid
            for end, protocol in zip(ours, (output, *channels), strict=True):
                end.setblocking(False)
                reactor.adoptStreamConnection(end.fileno(), socket.AF_UNIX, _Given(protocol))
        finally:
            for end in sockets:
                end.close()

    @property
    def pid(self) -> int | None:
        """Its process id; ``None`` when it has ended."""
        return self._pid

    def kill(self) -> None:
        """End it and all that it has started, now."""
        if self._pid is None:
            return
        family = _descendants(self._pid) if self._family else []
        try:
            os.killpg(self._pid, signal.SIGKILL)
        except OSError:  # it has not yet made its session
            try:
                os.kill(self._pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for pid in family:  # those that have made sessions of their own
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass

    def processExited(self, reason: Failure) -> None:
        pid, self._pid = self._pid, None
        if pid is not None:
            try:
                os.killpg(pid, signal.SIGKILL)  # what it has left behind
            except OSError:
                pass
        self._exited(_ending(reason.value))


def _descendants(pid: int) -> list[int]:
    """What a process has started, and what that has; a host is the reaper of its orphans."""
    family = [pid]
    for parent in family:
        try:
            for thread in os.listdir(f"/proc/{parent}/task"):  # noqa: PTH208
                with open(f"/proc/{parent}/task/{thread}/children", "rb") as children:  # noqa: PTH123
                    family += [int(child) for child in children.read().split()]
        except OSError:  # it has ended meanwhile, or this kernel does not tell
            pass
    return family[1:]


def _ending(reason: BaseException | None) -> str:
    """How a process has ended."""
    number = getattr(reason, "signal", None)
    if number:
        try:
            return f"was killed by {signal.Signals(number).name}"
        except ValueError:
            return f"was killed by signal {number}"
    return f"ended with exit code {getattr(reason, 'exitCode', None) or 0}"
