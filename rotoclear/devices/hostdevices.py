"""The open devices in a driver's process."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, Final, NamedTuple

from rotoclear.devices import wire
from rotoclear.devices.hostio import Channel, refusal
from rotoclear.devices.streaming import Streaming
from rotoclear.interfaces import DeviceGone

BUSY: Final = 1.5
"""
Seconds for which a camera that starts or stops by itself is believed to be well.

That can take longer than a probe may, and no probe can be made meanwhile. One
that hangs is found out by the probes after that.
"""


class Viewing(NamedTuple):
    """A :class:`~rotoclear.devices.wire.Stream` with its socket."""

    request: int
    connection: socket.socket


class Opened(threading.Thread):
    """
    One device: opens it, makes all calls to it, one after another, and closes it.

    :param lost: called when it has said by itself that it is gone.
    """

    def __init__(
        self, driver: Any, opening: wire.Open, channel: Channel, lost: Callable[[], None]
    ) -> None:
        super().__init__(name=f"device {opening.identity}", daemon=True)
        self._driver = driver
        self._opening = opening
        self._channel = channel
        self._lost = lost
        self._tasks: SimpleQueue[wire.Call | wire.Close | Viewing | None] = SimpleQueue()
        self._device: Any = None
        self._streaming: Streaming | None = None
        self._gone = ""

    def ask(self, task: wire.Call | wire.Close | Viewing) -> None:
        """Do this when its turn comes."""
        if isinstance(task, wire.Call) and task.method == "probe":
            streaming = self._streaming
            if streaming is not None and 0 < streaming.busy < BUSY:
                self._channel.send(wire.Answer(task.request))
                return
        self._tasks.put(task)

    def run(self) -> None:
        self._answer(self._opening.request, self._open)
        while True:
            match self._next():
                case None:
                    pass
                case wire.Close(request):
                    self._answer(request, self._close)
                    return
                case Viewing(request, connection):
                    self._answer(request, self._view, connection)
                case wire.Call() as task:
                    self._answer(task.request, self._call, task)
            self._settle()

    def _next(self) -> wire.Call | wire.Close | Viewing | None:
        streaming = self._streaming
        try:
            return self._tasks.get(timeout=None if streaming is None else streaming.patience())
        except Empty:
            return None

    def _settle(self) -> None:
        if self._streaming is None:
            return
        self._streaming.settle()
        if self._streaming.gone and not self._gone:
            self._gone = self._streaming.gone
            self._lost()

    def _open(self) -> object:
        self._device = self._driver.open(self._opening.identity)
        return self._device.describe()

    def _call(self, task: wire.Call) -> object:
        self._there()
        if task.method == "capture":
            return self._stream().capture()
        if task.method == "select" and self._streaming is not None:
            self._streaming.halt()
        result = getattr(self._device, task.method)(*task.arguments)
        return result if task.method in wire.RESULTS else None

    def _view(self, connection: socket.socket) -> None:
        try:
            self._there()
            streaming = self._stream()
        except BaseException:
            connection.close()
            raise
        streaming.add(connection)

    def _there(self) -> None:
        if self._device is None:
            raise DeviceGone("It was not opened")
        if self._gone:
            raise DeviceGone(self._gone)

    def _stream(self) -> Streaming:
        if self._streaming is None:
            self._streaming = Streaming(
                self._opening.identity,
                self._device,
                lambda: self._tasks.put(None),
                logging.getLogger(str(self._driver.name)),
            )
        return self._streaming

    def _close(self) -> None:
        if self._streaming is not None:
            self._streaming.close()
        if self._device is not None:
            self._device.close()

    def _answer(self, request: int, do: Callable[..., object], *arguments: object) -> None:
        try:
            self._channel.send(wire.Answer(request, do(*arguments)))
        except BaseException as error:  # noqa: BLE001 - SystemExit would end the thread unseen
            self._channel.send(refusal(request, error))
