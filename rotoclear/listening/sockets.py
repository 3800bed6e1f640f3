"""
Listening sockets, opened before there is a running reactor.

twistd becomes a daemon after the service is made, and Twisted's own endpoints
listen later still, where a failure is a line in a log that nobody reads.
Plain sockets survive the fork, so they are bound here, at once, and handed to the reactor
when it is about to run.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import stat
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path

from twisted.python.systemd import ListenFDs

from rotoclear.listening.descriptions import ListenError, Systemd, Tcp, Unix

NOTSENT_LOWAT = 16_384
"""Bytes not sent yet that the kernel takes per connection: what is newer waits with us."""

ENVIRON = Path("/proc/self/environ")


def bind_tcp(where: Tcp) -> socket.socket:
    """
    Listen at a TCP port.

    :raises ListenError: why not.
    """
    family = socket.AF_INET6 if ":" in where.interface else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tune(listening)
        address = socket.getaddrinfo(
            where.interface, where.port, family, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST
        )[0][4]
        listening.bind(address)
        listening.listen(where.backlog)
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        raise ListenError(_tcp_reason(where, error)) from None
    return listening


def tune(listening: socket.socket) -> None:
    """Have the TCP connections that are accepted here send small messages at once."""
    # Linux hands both options on to the sockets that accept(2) returns.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, NOTSENT_LOWAT)


def bind_unix(where: Unix) -> socket.socket:
    """
    Listen at a UNIX socket, in place of one that a dead server left behind.

    :raises ListenError: why not.
    """
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _alone_in(where.path.parent):
            _clear(where.path)
            listening.bind(str(where.path))
            # Nobody can connect before listen(2): no moment with another mode.
            where.path.chmod(where.mode)
            listening.listen(where.backlog)
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        raise ListenError(_unix_reason(where.path, error)) from None
    except ListenError:
        listening.close()
        raise
    return listening


def handed_over(environ: MutableMapping[str, str], started_with: Path = ENVIRON) -> ListenFDs:
    """
    The sockets that systemd has handed over to this process; blocking.

    Twisted takes the names for them out of the environment as soon as its own
    endpoints are imported, by whomever. The kernel remembers what the process
    was started with, proc(5).
    """
    inherited = ListenFDs.fromEnvironment(environ)
    if inherited.inheritedDescriptors():
        return inherited
    try:
        content = os.fsdecode(started_with.read_bytes())
    except OSError:
        return inherited
    return ListenFDs.fromEnvironment(
        dict(entry.split("=", 1) for entry in content.split("\0") if "=" in entry)
    )


def take_systemd(where: Systemd, inherited: ListenFDs) -> socket.socket:
    """
    A socket that systemd listens at for us, sd_listen_fds(3).

    :raises ListenError: systemd has not handed over that one.
    """
    numbers = inherited.inheritedDescriptors()
    names = inherited.inheritedNamedDescriptors()
    if not numbers:
        raise ListenError("systemd has handed over no socket (LISTEN_FDS)")
    if where.name is not None:
        if where.name not in names:
            known = ", ".join(sorted(names))
            raise ListenError(f"systemd has handed over no socket of that name, but {known}")
        number = names[where.name]
    else:
        index = where.index or 0
        if index >= len(numbers):
            raise ListenError(f"systemd has handed over {len(numbers)} sockets, numbered from 0")
        number = numbers[index]
    try:
        listening = socket.socket(fileno=number)
    except OSError as error:
        raise ListenError(f"descriptor {number} is no socket: {error.strerror}") from None
    if not listening.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        listening.close()
        raise ListenError("systemd has handed over a socket that does not listen (Accept=yes?)")
    listening.set_inheritable(False)
    listening.setblocking(False)
    if listening.family in (socket.AF_INET, socket.AF_INET6):
        tune(listening)
    return listening


def _clear(path: Path) -> None:
    """Remove the socket of a dead server; refuse anything else."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise ListenError(f"{path} is there already, and is no socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)  # a full backlog would have us wait; it means "alive", too
        if probe.connect_ex(str(path)) != errno.ECONNREFUSED:
            raise ListenError(f"another server is listening at {path}")
    path.unlink()


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep two servers that start at once from removing each other's socket."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except PermissionError:  # a folder that may be written, not listed
        yield
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _tcp_reason(where: Tcp, error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {where.port} is in use already"
        case errno.EADDRNOTAVAIL:
            return f"this machine does not have the address {where.interface}"
        case errno.EACCES if where.port < 1024:
            return f"no permission for port {where.port}: those under 1024 need privileges"
        case _:
            return f"cannot listen: {error.strerror}"


def _unix_reason(path: Path, error: OSError) -> str:
    match error.errno:
        case errno.ENOENT | errno.ENOTDIR:
            return f"there is no folder {path.parent}"
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return f"the folder {path.parent} cannot be written: {error.strerror}"
        case _:
            return f"cannot listen: {error.strerror}"
