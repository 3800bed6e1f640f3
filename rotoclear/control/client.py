"""The other end of the control socket, for a command: blocking, nothing of Twisted."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Mapping
from pathlib import Path

from rotoclear.control.wire import MAX_ANSWER, address, encode

TIMEOUT = 30.0
"""Seconds that a server has to answer."""


class ControlError(Exception):
    """The server could not be asked. ``str()`` is one line for people."""


class NotRunning(ControlError):
    """Nobody listens at the socket."""


class NotAllowed(ControlError):
    """The socket is another user's."""


class RefusedByServer(Exception):
    """The server answered, and does not do it. ``str()`` is its reason, in one line."""


def call(
    path: Path, do: str, arguments: Mapping[str, object] | None = None, timeout: float = TIMEOUT
) -> dict[str, object]:
    """
    Ask the server whose socket is at ``path``; its answer, without ``ok``.

    :param timeout: seconds for all of it.
    :raises NotRunning: there is no server.
    :raises NotAllowed: it is not this user's to ask.
    :raises ControlError: it did not answer, or nonsense.
    :raises RefusedByServer: it did not do it.
    """
    deadline = time.monotonic() + timeout
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout)
        try:
            with address(path) as name:
                connection.connect(name)
        except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
            raise NotRunning(f"no server is running on {path.parent}") from None
        except PermissionError:
            raise NotAllowed(f"{path} belongs to another user") from None
        except OSError as error:
            raise ControlError(f"{path}: {error.strerror or error}") from None
        try:
            connection.sendall(encode({**(arguments or {}), "do": do}))
            line = _line(connection, deadline)
        except TimeoutError:
            raise ControlError("the server did not answer in time") from None
        except OSError as error:
            raise ControlError(f"the server hung up: {error.strerror or error}") from None
    return _result(line)


def _line(connection: socket.socket, deadline: float) -> bytes:
    """One line from the server, before the deadline (on the monotonic clock)."""
    received = bytearray()
    while not received.endswith(b"\n"):
        connection.settimeout(max(0.001, deadline - time.monotonic()))
        piece = connection.recv(65_536)
        if not piece:
            raise ControlError("the server hung up without an answer")
        received += piece
        if len(received) > MAX_ANSWER:
            raise ControlError("the server's answer is too long")
    return bytes(received)


def _result(line: bytes) -> dict[str, object]:
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError):
        answer = None
    match answer:
        case {"ok": True}:
            return {name: value for name, value in answer.items() if name != "ok"}
        case {"ok": False, "error": str(reason)}:
            raise RefusedByServer(reason)
        case _:
            raise ControlError("the server's answer makes no sense")
