"""How a driver's process (:mod:`rotoclear.devices.host`) talks to the server."""

from __future__ import annotations

import logging
import os
import socket
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from rotoclear.devices import wire
from rotoclear.interfaces import DeviceFailure, DeviceGone
from rotoclear.processes.descriptors import receive

LOG_BURST: Final = 100
"""Log records that are sent within a second; the rest of it is counted only."""


class Channel:
    """
    The socket to the server, shared by all threads.

    A server that has gone ends the process on the spot.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._lock = threading.Lock()
        self._descriptors: deque[int] = deque()

    def send(self, message: wire.FromHost) -> None:
        """
        Send a message.

        :raises WireError: it cannot be encoded or is too long.
        """
        data = wire.frame(message)
        try:
            with self._lock:
                self._socket.sendall(data)
        except OSError:
            os._exit(0)

    def abandon(self) -> None:
        """
        Have nothing to do with the server any more: this process is a fork.

        It ends as soon as it comes back here.
        """
        self._lock = threading.Lock()  # another thread may have held it
        self._socket.close()

    def messages(self) -> Iterator[wire.ToHost]:
        """What the server says, until it hangs up."""
        reader: wire.Reader[wire.ToHost] = wire.Reader(wire.ToHost)  # type: ignore[arg-type]
        while True:
            try:
                data, descriptors, _ = receive(self._socket, 65_536)
            except OSError:
                return
            if not data:
                return
            self._descriptors += descriptors
            yield from reader.feed(data)

    def connection(self) -> socket.socket | None:
        """The oldest socket that has come and was not taken yet; for the one who reads."""
        if not self._descriptors:
            return None
        descriptor = self._descriptors.popleft()
        try:
            return socket.socket(fileno=descriptor)
        except OSError:
            os.close(descriptor)
            return None


class RecordSender(logging.Handler):
    """Sends the driver's log records to the server's log; not a flood of them."""

    def __init__(self, channel: Channel, now: Callable[[], float]) -> None:
        super().__init__()
        self._channel = channel
        self._now = now
        self._window = now()
        self._sent = 0

    def emit(self, record: logging.LogRecord) -> None:
        now = self._now()
        if now - self._window >= 1:
            dropped = self._sent - LOG_BURST
            self._window, self._sent = now, 0
            if dropped > 0:
                self._send(logging.WARNING, f"{dropped} log records were dropped")
        self._sent += 1
        if self._sent <= LOG_BURST:
            try:
                text = self.format(record)
            except Exception:  # noqa: BLE001 - logging's way: a bad record harms nobody
                text = f"a log record that cannot be formatted: {record.msg!r}"
            self._send(record.levelno, text)

    def _send(self, level: int, text: str) -> None:
        self._channel.send(wire.Record(level, wire.cut(text, wire.MAX_TRACEBACK)))


def refusal(request: int, error: BaseException) -> wire.Refused:
    """What an exception of the driver's comes to."""
    if isinstance(error, DeviceFailure):
        reason = "gone" if isinstance(error, DeviceGone) else "failure"
        return wire.Refused(request, reason, explained(error))  # type: ignore[arg-type]
    return wire.Refused(request, "fault", summary(error), trace(error))


def explained(error: BaseException) -> str:
    """What an exception says of itself; a driver's may do anything when asked."""
    try:
        return wire.cut(str(error))
    except Exception:  # noqa: BLE001
        return ""


def summary(error: BaseException) -> str:
    """An unexpected exception in one line."""
    text = explained(error)
    name = type(error).__name__
    return wire.cut(f"{name}: {text}" if text else name)


def trace(error: BaseException) -> str:
    """Its traceback."""
    text = "".join(traceback.format_exception(error))
    return wire.cut(text[-wire.MAX_TRACEBACK :], wire.MAX_TRACEBACK)
