"""
A camera's frames on their way to its viewers: a ring in shared memory.

The driver's process writes each frame once, however many look at it
(:mod:`~rotoclear.devices.ringwriter`), and nobody who is slow holds it up. A
viewer (:class:`Reader`) has a socket of packets, ``AF_UNIX`` and
``SOCK_SEQPACKET``, over which it is told where each frame lies:

* :class:`Ring`: the memory, with its descriptor; again when frames have
  outgrown it.
* :class:`Ready`: a frame is there.
* :class:`Failed`: the camera gives no pictures now; it is tried again.

Nothing goes the other way. A viewer that closes its end, or says anything,
is none any more; when the device or its process goes, the viewer reads the
socket's end. A packet that does not fit into the socket is dropped: its frame
is lost to that viewer.

**The memory** is a sealed memfd: it can be neither shrunk nor grown, so that no
viewer is hit by a SIGBUS. It begins with a page of *generations*, a 64-bit
number for each slot in the machine's byte order; the slots follow. A generation
is odd while its slot is written and then two more than it was: who copies a
slot and finds the generation of its packet before and after it has the frame
that the packet is about (a seqlock). Pages that no frame has reached cost
nothing.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import select
import socket
import threading
import time
from typing import Annotated, Final

import msgspec
from attrs import frozen
from msgspec import Meta, Struct

from rotoclear.devices import shapes
from rotoclear.processes.descriptors import close_all, receive

MAX_SLOTS: Final = 64
"""How many a viewer believes."""

MAX_PACKET: Final = 16_384
"""Bytes of the longest packet."""

MAX_QUEUE: Final = 1_000
"""Packets that are looked at for the newest frame."""

LATE: Final = "No picture came in time"

PAGE: Final = mmap.PAGESIZE
"""Bytes before the first slot."""

_Count = Annotated[int, Meta(ge=0, le=shapes.MAX_COUNT)]
_Side = Annotated[int, Meta(ge=1, le=shapes.MAX_SIDE)]
_Length = Annotated[int, Meta(ge=1, le=shapes.MAX_LENGTH)]


class _Packet(Struct, tag_field="is", frozen=True):
    """Common to all packets: told apart by the name of their struct."""


class Ring(_Packet, frozen=True, tag="ring"):
    """The memory whose descriptor comes with this packet: so many slots of so many bytes."""

    slots: Annotated[int, Meta(ge=1, le=MAX_SLOTS)]
    slot_size: _Length


class Ready(_Packet, frozen=True, tag="ready"):
    """
    A frame is there.

    :ivar slot: where, counted from 0.
    :ivar generation: of the slot while this frame is in it.
    :ivar stride: bytes from line to line, of the first plane; 0 for ``mjpeg``.
    :ivar length: bytes of the frame.

    The others are those of :class:`~rotoclear.interfaces.Frame`.
    """

    slot: Annotated[int, Meta(ge=0, lt=MAX_SLOTS)]
    generation: _Count
    sequence: _Count
    timestamp: _Count
    format: str
    width: _Side
    height: _Side
    stride: _Count
    length: _Length


class Failed(_Packet, frozen=True, tag="failed"):
    """There are no pictures now, and why, for people; the camera is tried again."""

    reason: Annotated[str, Meta(max_length=2_000)]


Packet = Ring | Ready | Failed


class CaptureInfo(Struct, frozen=True, kw_only=True):
    """What is known of a frame that was taken: :class:`Ready` without its place."""

    sequence: _Count
    timestamp: _Count
    format: str
    width: _Side
    height: _Side
    stride: _Count
    length: _Length


@frozen(kw_only=True)
class Picture:
    """
    A frame, copied out of the ring.

    :ivar format: one of :data:`~rotoclear.interfaces.PIXEL_FORMATS`.
    :ivar stride: bytes from line to line, of the first plane; 0 for ``mjpeg``.
    :ivar timestamp: nanoseconds of ``CLOCK_MONOTONIC`` when it was taken.
    :ivar sequence: counts the frames that were taken; a gap tells of lost ones.
    """

    data: bytes
    format: str
    width: int
    height: int
    stride: int
    timestamp: int
    sequence: int


class RingError(Exception):
    """There is no picture, and waiting longer for this one is no use."""


class NoPictures(RingError):
    """The camera gives none now; it is tried again. ``str()`` says why."""


class ViewEnded(RingError):
    """The device or its driver's process has gone, or the view was closed."""


class BadPacket(RingError):
    """The other side does not keep to this module; nothing more can be understood."""


_decoder: Final[msgspec.msgpack.Decoder[Packet]] = msgspec.msgpack.Decoder(Packet)

_barrier: Final = threading.local()


def fence() -> None:
    """
    Nothing before it is seen by another processor after anything behind it.

    To let go of a lock and take it again is a release and an acquire, which
    no processor swaps; Python has nothing that costs less.
    """
    try:
        lock = _barrier.lock
    except AttributeError:
        lock = _barrier.lock = threading.Lock()
        lock.acquire()
    lock.release()
    lock.acquire()


class Reader:
    """
    A viewer: takes frames, and waits for them.

    It believes nothing: whatever comes, it reads within the memory that it
    was given, and what it returns is as long as its size and format want.

    :param connection: the viewer's end, as ``Device.view()`` returns it. It is
        the reader's from now on.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._poll = select.poll()
        self._poll.register(connection, select.POLLIN)
        self._lock = threading.RLock()
        self._map: mmap.mmap | None = None
        self._ring = Ring(1, 1)

    def fileno(self) -> int:
        """Of the socket: readable when :meth:`next` has something to do."""
        return self._socket.fileno()

    def next(self, timeout: float) -> Picture:
        """
        Wait for the next frame.

        A reader that is so late that the frame was overwritten gets the newest one.

        :param timeout: seconds.
        :raises TimeoutError: none came.
        :raises NoPictures: the camera gives none now. Ask again: it is tried again.
        :raises ViewEnded: none will come.
        :raises BadPacket: the other side is at fault; the view is closed.
        """
        with self._lock:
            return self._next(time.monotonic() + timeout)

    def _next(self, deadline: float) -> Picture:
        for _ in range(MAX_QUEUE):
            ready = self._packet(deadline)
            if ready is None:
                continue
            picture = self._take(ready) or self._take(self._newest(deadline))
            if picture is not None:
                return picture
        raise TimeoutError(LATE)

    def _newest(self, deadline: float) -> Ready | None:
        """The last frame that has been announced, without waiting for one."""
        newest = None
        for _ in range(MAX_QUEUE):
            if not self._poll.poll(0):
                break
            newest = self._packet(deadline) or newest
        return newest

    def close(self) -> None:
        """End the view, from any thread: a :meth:`next` that is waiting ends at once."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # closed already, by either side
        with self._lock:
            if self._socket.fileno() >= 0:
                self._poll.unregister(self._socket)
            self._socket.close()
            self._unmap()

    def _packet(self, deadline: float) -> Ready | None:
        """The next packet, if it is about a frame."""
        if self._socket.fileno() < 0:
            raise ViewEnded("The view was closed")
        while not self._poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            if time.monotonic() >= deadline:
                raise TimeoutError(LATE)
        try:
            data, descriptors, whole = receive(self._socket, MAX_PACKET, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except OSError as error:
            raise ViewEnded(str(error)) from None
        try:
            if not data:
                raise ViewEnded("The device is not there any more")
            return self._understand(data, descriptors, whole)
        except BadPacket:
            self.close()
            raise
        finally:
            close_all(descriptors)

    def _understand(self, data: bytes, descriptors: list[int], whole: bool) -> Ready | None:
        try:
            packet = _decoder.decode(data)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise BadPacket(f"a packet that is not understood: {error}") from None
        if not whole or len(descriptors) != isinstance(packet, Ring):
            raise BadPacket("a packet with too much, or without its descriptor")
        match packet:
            case Ring():
                self._remap(packet, descriptors[0])
                return None
            case Failed(reason):
                raise NoPictures(reason)
        ring = self._ring
        if self._map is None or packet.slot >= ring.slots or packet.length > ring.slot_size:
            raise BadPacket("a frame that is not in the memory")
        try:
            least, most, stride = shapes.lengths(
                packet.format, packet.width, packet.height, packet.stride
            )
        except shapes.BadFrame as error:
            raise BadPacket(str(error)) from None
        if stride != packet.stride or not least <= packet.length <= most:
            raise BadPacket(f"a frame of {packet.length} bytes, not {least} to {most}")
        return packet

    def _remap(self, ring: Ring, descriptor: int) -> None:
        size = PAGE + ring.slots * ring.slot_size
        try:
            # Without that seal the other side could take the memory away again.
            sealed = fcntl.fcntl(descriptor, fcntl.F_GET_SEALS) & fcntl.F_SEAL_SHRINK
            if not sealed or os.fstat(descriptor).st_size < size:
                raise BadPacket("memory that is too small, or can be taken away")
            new = mmap.mmap(descriptor, size, prot=mmap.PROT_READ)
        except (OSError, ValueError) as error:
            raise BadPacket(f"memory that cannot be used: {error}") from None
        self._unmap()
        self._map, self._ring = new, ring

    def _unmap(self) -> None:
        if self._map is not None:
            self._map.close()
            self._map = None

    def _take(self, ready: Ready | None) -> Picture | None:
        """Copy a frame, if it is still there."""
        if ready is None or self._map is None:
            return None
        start = PAGE + ready.slot * self._ring.slot_size
        if self._generation(ready.slot) != ready.generation:
            return None
        fence()
        data = self._map[start : start + ready.length]
        fence()
        if self._generation(ready.slot) != ready.generation:
            return None
        return Picture(
            data=data,
            format=ready.format,
            width=ready.width,
            height=ready.height,
            stride=ready.stride,
            timestamp=ready.timestamp,
            sequence=ready.sequence,
        )

    def _generation(self, slot: int) -> int:
        assert self._map is not None  # noqa: S101 - for mypy
        with memoryview(self._map) as whole, whole[:PAGE] as page, page.cast("Q") as numbers:
            return int(numbers[slot])
