"""
When a camera takes pictures: while it has viewers, or one picture is asked for.

All is done in the camera's own thread but for reading, which has one more
(:class:`_Reading`) that lives from ``start`` to ``stop``.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from rotoclear.devices.hostio import explained
from rotoclear.devices.ring import CaptureInfo
from rotoclear.devices.ringwriter import Writer
from rotoclear.devices.shapes import BadFrame, checked
from rotoclear.interfaces import DeviceFailure, DeviceGone

READ: Final = 0.1
"""Seconds that one ``read`` may wait: how soon it is seen that nobody looks any more."""

CAPTURE: Final = 1.5
"""Seconds within which a picture must come, ``start`` and all: the server waits two."""

RETRY: Final = (0.5, 1.0)
"""Seconds until a camera that gives no pictures is tried again: at first, and later."""

STEADY: Final = 10.0
"""Seconds of pictures after which a failure is a new one."""

_PAUSE: Final = 0.01
"""Seconds for which a driver is left alone that does not wait as it should."""


class _Reading(threading.Thread):
    """
    Reads from a camera that has started.

    :param delivered: called with each frame's bytes and the rest of it.
    :param turned: called after each ``read``.
    :param over: called when it has ended by itself.
    :ivar error: what has ended it, if it was not told to.
    """

    def __init__(
        self,
        camera: Any,
        delivered: Callable[[memoryview, CaptureInfo], None],
        turned: Callable[[], None],
        over: Callable[[], None],
    ) -> None:
        super().__init__(name="pictures", daemon=True)
        self._camera = camera
        self._delivered = delivered
        self._turned = turned
        self._over = over
        self._enough = threading.Event()
        self.began = time.monotonic()
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            while not self._enough.is_set():
                self._read()
                self._turned()
        except BaseException as error:  # noqa: BLE001 - SystemExit would end the thread unseen
            self.error = error
            self._over()

    def _read(self) -> None:
        begun = time.monotonic()
        frame = self._camera.read(READ)
        if frame is not None:
            data, stride = checked(frame)
            info = CaptureInfo(
                sequence=frame.sequence,
                timestamp=frame.timestamp,
                format=frame.format,
                width=frame.width,
                height=frame.height,
                stride=stride,
                length=len(data),
            )
            self._delivered(data, info)
        elif time.monotonic() - begun < READ / 2:
            self._enough.wait(_PAUSE)

    def finish(self) -> None:
        """Return when no ``read`` is under way any more."""
        self._enough.set()
        self.join()


class Streaming:
    """
    See the module.

    :param identity: of the camera.
    :param wake: called from any thread: :meth:`settle` has something to do.
    :param log: told of failures, each once.
    :ivar gone: why the camera is not there any more, once it has said so.
    """

    def __init__(
        self, identity: str, camera: Any, wake: Callable[[], None], log: logging.Logger
    ) -> None:
        self._identity = identity
        self._camera = camera
        self._wake = wake
        self._log = log
        self.gone = ""
        self._reading: _Reading | None = None
        self._busy: float | None = None
        self._failures = 0
        self._failure = ""
        self._logged = ""
        self._retry = 0.0
        # What both threads touch.
        self._lock = threading.Lock()
        self._writer = Writer()
        self._left = False
        self._captured: CaptureInfo | None = None
        self._capturing = threading.Event()
        self._capturing.set()

    @property
    def busy(self) -> float:
        """Seconds since it began to start or stop by itself, or 0; from any thread."""
        since = self._busy
        return 0.0 if since is None else time.monotonic() - since

    def patience(self) -> float | None:
        """Seconds until :meth:`settle` has something to do; ``None``: until it is woken."""
        if self._reading is not None or not len(self._writer) or self.gone:
            return None
        return max(0.0, self._retry - time.monotonic())

    # -- the camera's thread -----------------------------------------------------

    def add(self, connection: socket.socket) -> None:
        """One more viewer. The camera is started by :meth:`settle`."""
        if self.gone:
            connection.close()
            raise DeviceGone(self.gone)
        with self._lock:
            self._writer.add(connection, self._failure)
            self._left = False

    def capture(self) -> CaptureInfo:
        """
        Take one picture.

        :raises DeviceFailure: none came.
        """
        deadline = time.monotonic() + CAPTURE
        self.collect()
        if self.gone:
            raise DeviceGone(self.gone)
        with self._lock:
            self._captured = None
            self._capturing.clear()
        try:
            if self._reading is None:
                self._start()
            self._capturing.wait(max(0.0, deadline - time.monotonic()))
        finally:
            self._capturing.set()
        reading, captured = self._reading, self._captured
        if captured is not None:
            return captured
        if reading is not None and reading.error is not None:
            raise reading.error
        raise DeviceFailure(f"No picture came within {CAPTURE} seconds")

    def halt(self) -> None:
        """Take no pictures until :meth:`settle`: for ``select``."""
        self.collect()
        self._stop()
        self._retry = 0.0

    def close(self) -> None:
        """Take none any more, and hang up on all viewers."""
        self._stop()
        with self._lock:
            self._writer.close()

    def collect(self) -> None:
        """See what has become of the reading."""
        reading = self._reading
        if reading is not None and reading.error is not None:
            self._stop()
            if time.monotonic() - reading.began >= STEADY:
                self._failures, self._logged = 0, ""
            self._failed(reading.error)

    def settle(self) -> None:
        """Start or stop the camera as there are viewers or not. Raises nothing."""
        self._busy = time.monotonic()
        try:
            self.collect()
            with self._lock:
                viewers = self._writer.look()
                if not viewers:
                    self._writer.forget()
            if not viewers:
                self._stop()
                self._failures, self._failure = 0, ""
            elif self._reading is None and not self.gone and time.monotonic() >= self._retry:
                try:
                    self._start()
                except BaseException as error:  # noqa: BLE001 - SystemExit is a fault here, too
                    self._failed(error)
        finally:
            self._busy = None

    def _start(self) -> None:
        self._camera.start()
        with self._lock:
            self._writer.forget()
        self._reading = _Reading(self._camera, self._delivered, self._turned, self._over)
        self._reading.start()

    def _stop(self) -> None:
        reading, self._reading = self._reading, None
        if reading is None:
            return
        reading.finish()
        try:
            self._camera.stop()
        except BaseException as error:  # noqa: BLE001 - SystemExit is a fault here, too
            self._tell(f"stop() failed: {explained(error)}", error)

    def _failed(self, error: BaseException) -> None:
        if isinstance(error, DeviceGone):
            self.gone = explained(error) or "It is not there any more"
            with self._lock:
                self._writer.close()
            return
        match error:
            case DeviceFailure():
                reason = explained(error) or "The camera failed and did not say why"
            case BadFrame():
                reason = f"The driver is at fault: {error}"
            case _:
                reason = "The driver is at fault"
        self._tell(reason, error)
        self._failure = reason
        self._retry = time.monotonic() + RETRY[min(self._failures, len(RETRY) - 1)]
        self._failures += 1
        with self._lock:
            self._writer.fail(reason)

    def _tell(self, text: str, error: BaseException) -> None:
        if text == self._logged:
            return
        self._logged = text
        fault = not isinstance(error, DeviceFailure | BadFrame)
        self._log.warning(
            "%s gives no pictures: %s", self._identity, text, exc_info=error if fault else None
        )

    # -- the reading thread --------------------------------------------------------

    def _delivered(self, data: memoryview, info: CaptureInfo) -> None:
        with self._lock:
            if len(self._writer):
                self._failure = ""
                self._writer.write(data, info)
            if not self._capturing.is_set():
                self._captured = info
                self._capturing.set()

    def _turned(self) -> None:
        with self._lock:
            if not self._writer.look() and not self._left and self._capturing.is_set():
                self._left = True
                self._wake()

    def _over(self) -> None:
        self._capturing.set()
        self._wake()
