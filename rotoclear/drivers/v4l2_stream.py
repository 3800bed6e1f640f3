"""
Pictures out of a camera, through buffers that it and we have in common.

https://docs.kernel.org/userspace-api/media/v4l/mmap.html
"""

from __future__ import annotations

import time
from typing import Final

from rotoclear.drivers.v4l2_errors import GONE, reason, told
from rotoclear.drivers.v4l2_formats import FORMATS, length_of
from rotoclear.drivers.v4l2_node import Buffer, Format, Node, View
from rotoclear.interfaces import DeviceFailure, Frame

BUFFERS: Final = 4
"""One is with whoever looks at the picture, the others fill up meanwhile."""

_LEAST: Final = 2

_ERROR: Final = 0x40  # V4L2_BUF_FLAG_ERROR
_TIMESTAMP_MASK, _MONOTONIC = 0xE000, 0x2000  # V4L2_BUF_FLAG_TIMESTAMP_...


class Stream:
    """
    A camera that takes pictures.

    :param format: what it was set to.
    :raises DeviceGone: it is not there any more.
    :raises DeviceFailure: it takes none; nothing of it is left behind.
    """

    def __init__(self, node: Node, format: Format) -> None:  # noqa: A002
        self._node = node
        self._format = format
        self._least = length_of(format.code, format.height, format.stride)
        self._memory: list[View] = []
        self._shown: Buffer | None = None
        self._view: memoryview | None = None
        self._last = -1
        try:
            with told("Taking pictures"):
                count = node.request(BUFFERS)
                if count < _LEAST:
                    raise DeviceFailure("Taking pictures: the camera has no buffers for us")  # noqa: TRY301
                for index in range(count):
                    self._memory.append(node.map(index))
                for index in range(count):
                    node.queue(index)
                node.stream_on()
        except DeviceFailure:
            self._release()
            raise

    def stop(self) -> None:
        """Take no more. The camera may be gone."""
        try:
            self._node.stream_off()
        except OSError:
            pass  # gone, or in a state that its driver ends when the buffers go
        self._release()

    def _release(self) -> None:
        if self._view is not None:
            self._view.release()
            self._view = None
        for memory in self._memory:
            try:
                memory.close()
            except BufferError:
                pass  # someone still looks at it; it goes when they are done
        self._memory.clear()
        try:
            self._node.request(0)
        except OSError as error:
            if error.errno in GONE:
                return
            try:
                self._node.reopen()
            except OSError:
                pass  # the next start says what is wrong

    def read(self, timeout: float) -> Frame | None:
        """As :meth:`rotoclear.interfaces.ICamera.read`."""
        deadline = time.monotonic() + timeout
        with told("Waiting for a picture"):
            self._give_back()
            while True:
                ready = self._node.wait(deadline - time.monotonic())
                newest = self._newest() if ready else None
                if newest is not None:
                    return self._frame(newest)
                if time.monotonic() >= deadline:
                    return None

    def _give_back(self) -> None:
        if self._shown is None:
            return
        shown, self._shown = self._shown, None
        if self._view is not None:
            self._view.release()
            self._view = None
        self._node.queue(shown.index)

    def _newest(self) -> Buffer | None:
        """Of all that are full the last good one; the others go back."""
        newest = None
        taken = False
        while True:
            buffer = self._dequeue()
            if buffer is None:
                break
            taken = True
            if buffer.flags & _ERROR or not buffer.used or buffer.used < self._least:
                self._node.queue(buffer.index)  # a gap in the sequence tells of it
                continue
            if newest is not None:
                self._node.queue(newest.index)
            newest = buffer
        if not taken:
            # poll(2) had something to say, and it was not a picture.
            self._node.capability()
            raise DeviceFailure("Waiting for a picture: the camera has stopped")
        return newest

    def _dequeue(self) -> Buffer | None:
        try:
            return self._node.dequeue()
        except OSError as error:
            if error.errno in GONE:
                raise
            # After an unplug some drivers say EIO or EINVAL here, but ENODEV to this.
            self._node.capability()
            raise DeviceFailure(f"Waiting for a picture: {reason(error)}") from error

    def _frame(self, buffer: Buffer) -> Frame:
        self._shown = buffer
        self._view = memoryview(self._memory[buffer.index])[: buffer.used]  # type: ignore[arg-type]
        # Some drivers do not count.
        self._last = max(buffer.sequence, self._last + 1)
        monotonic = buffer.flags & _TIMESTAMP_MASK == _MONOTONIC and buffer.time > 0
        now = time.monotonic_ns()  # some drivers stamp a little ahead
        format_ = FORMATS[self._format.code]
        return Frame(
            data=self._view,
            format=format_,
            width=self._format.width,
            height=self._format.height,
            timestamp=min(buffer.time, now) if monotonic else now,
            sequence=self._last,
            stride=0 if format_ == "mjpeg" else self._format.stride,
        )
