"""Where a camera's frames go in its driver's process; see :mod:`rotoclear.devices.ring`."""

from __future__ import annotations

import fcntl
import mmap
import os
import select
import socket
from errno import EAGAIN, ENOBUFS, ENOMEM, ETOOMANYREFS
from typing import Final

import msgspec

from rotoclear.devices.ring import PAGE, CaptureInfo, Failed, Packet, Ready, Ring, fence
from rotoclear.processes.descriptors import send

SLOTS: Final = 6
"""Frames that are kept: how far a viewer may be behind."""

QUEUE: Final = 16_384
"""Bytes of packets, in the kernel's reckoning, that wait for a viewer: a dozen or two."""

_SMALLEST: Final = 1 << 16
_SEALS: Final = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
_NOT_NOW: Final = (EAGAIN, ENOBUFS, ENOMEM, ETOOMANYREFS)

_encode: Final = msgspec.msgpack.Encoder().encode


class _Memory:
    """
    The shared memory.

    :param length: bytes of a frame that must fit.
    :ivar descriptor: of the same memory, for reading only.
    :raises OSError: there is none left.
    """

    def __init__(self, length: int) -> None:
        # Pages that are not touched cost nothing, so there is room to grow.
        self.slot_size = max(_SMALLEST, 1 << (length - 1).bit_length())
        size = PAGE + SLOTS * self.slot_size
        memory = os.memfd_create("rotoclear-frames", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(memory, size)
            fcntl.fcntl(memory, fcntl.F_ADD_SEALS, _SEALS)
            self._map = mmap.mmap(memory, size)
            # A descriptor of its own: a duplicate could be written to.
            self.descriptor = os.open(f"/proc/self/fd/{memory}", os.O_RDONLY | os.O_CLOEXEC)
        finally:
            os.close(memory)
        self._bytes = memoryview(self._map)
        self._generations = self._bytes[:PAGE].cast("Q")
        self._slot = 0

    def write(self, data: memoryview) -> tuple[int, int]:
        """Put a frame into the oldest slot; return the slot and its generation."""
        slot = self._slot
        self._slot = (slot + 1) % SLOTS
        start = PAGE + slot * self.slot_size
        self._generations[slot] += 1
        fence()
        self._bytes[start : start + len(data)] = data
        fence()
        self._generations[slot] += 1
        return slot, self._generations[slot]

    def close(self) -> None:
        self._generations.release()
        self._bytes.release()
        self._map.close()
        os.close(self.descriptor)


class _Viewer:
    """
    One viewer, from the writer's side.

    :ivar ring: it knows the memory that is there now.
    """

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.ring = False


class Writer:
    """
    Writes one camera's frames for all its viewers. For one thread at a time.

    There is memory only from the first frame on until :meth:`forget`.
    """

    def __init__(self) -> None:
        self._viewers: dict[int, _Viewer] = {}
        self._memory: _Memory | None = None
        self._poll = select.poll()

    def __len__(self) -> int:
        """How many viewers there are."""
        return len(self._viewers)

    def add(self, connection: socket.socket, failure: str = "") -> None:
        """
        One more viewer, at the other end of this socket, which is closed with it.

        :param failure: why there are no pictures right now.
        """
        connection.setblocking(False)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, QUEUE)
        viewer = self._viewers[connection.fileno()] = _Viewer(connection)
        self._poll.register(connection, select.POLLIN)
        if failure:
            self._send(viewer, Failed(failure))

    def look(self) -> int:
        """See who has hung up; return how many viewers are left."""
        for descriptor, _ in self._poll.poll(0):
            self._drop(descriptor)
        return len(self._viewers)

    def write(self, data: memoryview, info: CaptureInfo) -> None:
        """
        Show a frame to the viewers.

        :param data: ``info.length`` bytes.
        :raises OSError: there is no memory for it.
        """
        memory = self._memory
        if memory is None or memory.slot_size < info.length:
            self.forget()
            memory = self._memory = _Memory(info.length)
        slot, generation = memory.write(data)
        ready = Ready(
            slot,
            generation,
            info.sequence,
            info.timestamp,
            info.format,
            info.width,
            info.height,
            info.stride,
            info.length,
        )
        ring = Ring(SLOTS, memory.slot_size)
        for viewer in list(self._viewers.values()):
            if not viewer.ring:
                viewer.ring = self._send(viewer, ring, memory.descriptor)
            if viewer.ring:
                self._send(viewer, ready)

    def fail(self, reason: str) -> None:
        """Tell all viewers that there are no pictures now."""
        for viewer in list(self._viewers.values()):
            self._send(viewer, Failed(reason))

    def forget(self) -> None:
        """Let go of the memory; the next frame gets another. Viewers keep what they have."""
        memory, self._memory = self._memory, None
        if memory is not None:
            memory.close()
        for viewer in self._viewers.values():
            viewer.ring = False

    def close(self) -> None:
        """Hang up on all viewers and let go of the memory."""
        for descriptor in list(self._viewers):
            self._drop(descriptor)
        self.forget()

    def _send(self, viewer: _Viewer, packet: Packet, *descriptors: int) -> bool:
        """Say something; return whether it fitted. Who has hung up is no viewer any more."""
        try:
            send(viewer.connection, _encode(packet), descriptors)
        except OSError as error:
            if error.errno not in _NOT_NOW:
                self._drop(viewer.connection.fileno())
            return False
        return True

    def _drop(self, descriptor: int) -> None:
        self._poll.unregister(descriptor)
        self._viewers.pop(descriptor).connection.close()
