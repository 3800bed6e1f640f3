"""The ring of frames in shared memory, from both ends."""

from __future__ import annotations

import fcntl
import mmap
import os
import select
import socket
import threading
import time
from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.devices import ring
from rotoclear.devices.ring import (
    BadPacket,
    CaptureInfo,
    Failed,
    NoPictures,
    Reader,
    Ready,
    Ring,
    ViewEnded,
)
from rotoclear.devices.ringwriter import SLOTS, Writer
from rotoclear.processes.descriptors import send

SECONDS = 10.0
"""For what happens at once."""


def descriptors() -> int:
    """How many this process has."""
    return len(os.listdir("/proc/self/fd"))


def info(length: int, sequence: int = 0) -> CaptureInfo:
    height = 1 if length < 10_000 else 100
    return CaptureInfo(
        sequence=sequence,
        timestamp=7,
        format="grey",
        width=length // height,
        height=height,
        stride=length // height,
        length=length,
    )


class RingCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.before = descriptors()
        self.writer = Writer()

    def tearDown(self) -> None:
        self.writer.close()

    def reader(self) -> Reader:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.writer.add(theirs)
        reader = Reader(ours)
        self.addCleanup(reader.close)
        return reader

    def write(self, data: bytes, sequence: int = 0) -> None:
        self.writer.write(memoryview(data), info(len(data), sequence))

    def late(self, reader: Reader) -> None:
        with self.assertRaises(TimeoutError):
            reader.next(0)


class Pictures(RingCase):
    def test_each_comes_to_each_viewer_once_and_in_order(self) -> None:
        readers = [self.reader(), self.reader()]
        for sequence in range(SLOTS):
            self.write(b"%d" % sequence * 100, sequence)
        for reader in readers:
            for sequence in range(SLOTS):
                picture = reader.next(SECONDS)
                self.assertEqual(picture.data, b"%d" % sequence * 100)
                self.assertEqual(
                    (picture.sequence, picture.timestamp, picture.format), (sequence, 7, "grey")
                )
                self.assertEqual((picture.width, picture.height, picture.stride), (100, 1, 100))
            self.late(reader)

    def test_one_who_comes_later_sees_what_comes_then(self) -> None:
        self.reader()
        self.write(b"first")
        late = self.reader()
        self.late(late)
        self.write(b"second")
        self.assertEqual(late.next(SECONDS).data, b"second")

    def test_a_picture_stays_as_it_was_when_its_slot_is_written_again(self) -> None:
        reader = self.reader()
        self.write(b"first")
        picture = reader.next(SECONDS)
        for _ in range(SLOTS):
            self.write(b"other")
        self.assertEqual(picture.data, b"first")

    def test_larger_ones_get_a_larger_ring(self) -> None:
        reader = self.reader()
        self.write(b"small")
        self.write(b"L" * 1_000_000)
        self.write(b"small again")
        self.assertEqual(reader.next(SECONDS).data, b"small")
        self.assertEqual(reader.next(SECONDS).data, b"L" * 1_000_000)
        self.assertEqual(reader.next(SECONDS).data, b"small again")

    def test_a_ring_may_be_forgotten_at_any_time(self) -> None:
        reader = self.reader()
        self.write(b"before")
        self.writer.forget()
        self.write(b"after")
        self.assertEqual(reader.next(SECONDS).data, b"before")
        self.assertEqual(reader.next(SECONDS).data, b"after")

    def test_that_there_are_none_is_told_and_may_change(self) -> None:
        reader = self.reader()
        self.writer.fail("too hot")
        with self.assertRaisesRegex(NoPictures, "too hot"):
            reader.next(SECONDS)
        self.write(b"cool")
        self.assertEqual(reader.next(SECONDS).data, b"cool")

    def test_one_who_comes_while_there_are_none_is_told_why(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.writer.add(theirs, "too hot")
        reader = Reader(ours)
        self.addCleanup(reader.close)
        with self.assertRaisesRegex(NoPictures, "too hot"):
            reader.next(SECONDS)

    def test_only_what_is_used_costs_memory(self) -> None:
        self.reader()
        self.write(b"x" * 5_000_000)
        memory: Any = self.writer._memory
        rings = os.stat(memory.descriptor)
        self.assertGreater(rings.st_size, SLOTS * 5_000_000)
        self.assertLess(rings.st_blocks * 512, 6_000_000)


class Slow(RingCase):
    def test_who_is_late_gets_the_newest(self) -> None:
        reader = self.reader()
        for sequence in range(SLOTS + 3):
            self.write(b"%d" % sequence, sequence)
        self.assertEqual(reader.next(SECONDS).sequence, SLOTS + 2)
        self.late(reader)

    def test_who_never_reads_holds_up_nobody(self) -> None:
        self.reader()
        quick = self.reader()
        for sequence in range(2_000):
            self.write(b"x" * 100, sequence)
            self.assertEqual(quick.next(SECONDS).sequence, sequence)
        self.assertEqual(self.writer.look(), 2)

    def test_who_reads_again_sees_what_comes_then(self) -> None:
        reader = self.reader()
        for sequence in range(2_000):
            self.write(b"x", sequence)
        self.late(reader)
        self.write(b"y", 2_000)
        self.assertEqual(reader.next(SECONDS).sequence, 2_000)

    def test_one_that_is_overwritten_while_it_is_copied_is_not_taken(self) -> None:
        reader = self.reader()
        self.write(b"first", 1)

        def overwrite() -> None:
            # The reader has looked at the generation and not copied yet.
            self.patch(ring, "fence", lambda: None)
            for sequence in range(2, SLOTS + 2):
                self.write(b"other", sequence)

        self.patch(ring, "fence", overwrite)
        picture = reader.next(SECONDS)
        self.assertEqual((picture.data, picture.sequence), (b"other", SLOTS + 1))

    def test_one_that_is_being_written_is_not_taken(self) -> None:
        reader = self.reader()
        self.write(b"first", 1)
        memory: Any = self.writer._memory
        memory._generations[0] += 1
        self.late(reader)

    def test_none_is_ever_torn(self) -> None:
        """A writer that never waits against a reader: whatever is returned is whole."""
        reader = self.reader()
        enough = threading.Event()

        def write() -> None:
            sequence = 0
            while not enough.is_set():
                sequence += 1
                self.write(bytes([sequence % 251]) * 200_000, sequence)

        thread = threading.Thread(target=write)
        thread.start()
        try:
            for _ in range(300):
                picture = reader.next(SECONDS)
                self.assertEqual(picture.data, bytes([picture.sequence % 251]) * 200_000)
        finally:
            enough.set()
            thread.join()


class Ends(RingCase):
    def test_who_hangs_up_is_no_viewer_any_more(self) -> None:
        reader, other = self.reader(), self.reader()
        self.assertEqual(self.writer.look(), 2)
        reader.close()
        self.assertEqual(self.writer.look(), 1)
        other.close()
        self.write(b"nobody sees it")
        self.assertEqual(len(self.writer), 0)

    def test_who_says_something_is_no_viewer_any_more(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.writer.add(theirs)
        ours.send(b"hello")
        self.assertEqual(self.writer.look(), 0)
        with self.assertRaises(ConnectionResetError):
            ours.recv(10)
        ours.close()

    def test_the_writer_ends_it(self) -> None:
        reader = self.reader()
        self.write(b"last")
        self.writer.close()
        self.assertEqual(reader.next(SECONDS).data, b"last")
        with self.assertRaises(ViewEnded):
            reader.next(SECONDS)

    def test_a_reader_may_be_closed_from_another_thread_while_it_waits(self) -> None:
        reader = self.reader()
        waits = threading.Event()
        ended = []

        def wait() -> None:
            waits.set()
            try:
                reader.next(60)
            except ViewEnded:
                ended.append(True)

        thread = threading.Thread(target=wait)
        thread.start()
        waits.wait(SECONDS)
        reader.close()
        thread.join(SECONDS)
        self.assertEqual(ended, [True])
        with self.assertRaises(ViewEnded):
            reader.next(0)
        reader.close()

    def test_nothing_is_left_open(self) -> None:
        for size in (10, 100_000, 10):
            readers = [self.reader(), self.reader()]
            for _ in range(3):
                self.write(b"x" * size)
            readers[0].next(SECONDS)
            self.writer.forget()
            self.write(b"x")
            self.writer.close()
            for reader in readers:
                reader.close()
        self.assertEqual(descriptors(), self.before)


class Memory(RingCase):
    def test_a_viewer_can_neither_write_to_it_nor_shrink_it(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.addCleanup(ours.close)
        self.writer.add(theirs)
        self.write(b"x")
        _, (descriptor,), _, _ = socket.recv_fds(ours, 1000, 1)
        self.addCleanup(os.close, descriptor)
        with self.assertRaises(PermissionError):
            mmap.mmap(descriptor, 4096)
        with self.assertRaises(OSError):
            os.write(descriptor, b"x")
        with self.assertRaises(OSError):
            os.truncate(f"/proc/self/fd/{descriptor}", 0)


READY = Ready(
    slot=0,
    generation=0,
    sequence=0,
    timestamp=0,
    format="grey",
    width=10,
    height=10,
    stride=10,
    length=100,
)


class Hostile(SynchronousTestCase):
    """A driver's process that was taken over must not harm who looks at its pictures."""

    def setUp(self) -> None:
        self.before = descriptors()
        self.theirs, ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.reader = Reader(ours)
        self.opened: list[int] = []

    def tearDown(self) -> None:
        self.reader.close()
        self.theirs.close()
        for descriptor in self.opened:
            os.close(descriptor)
        self.assertEqual(descriptors(), self.before)

    def memory(self, size: int, seals: int = fcntl.F_SEAL_SHRINK) -> int:
        memory = os.memfd_create("test", os.MFD_ALLOW_SEALING)
        self.opened.append(memory)
        os.ftruncate(memory, size)
        if seals:
            fcntl.fcntl(memory, fcntl.F_ADD_SEALS, seals)
        return memory

    def say(self, packet: object, *given: int) -> None:
        data = packet if isinstance(packet, bytes) else msgspec.msgpack.encode(packet)
        send(self.theirs, data, given)

    def ring(self) -> None:
        self.say(Ring(2, 4096), self.memory(3 * 4096))

    def refused(self) -> None:
        with self.assertRaises(BadPacket):
            self.reader.next(SECONDS)
        with self.assertRaises(ViewEnded):
            self.reader.next(SECONDS)

    def test_one_that_keeps_to_it(self) -> None:
        self.ring()
        self.say(READY)
        self.assertEqual(self.reader.next(SECONDS).data, bytes(100))

    def test_what_is_no_packet(self) -> None:
        self.say(b"\xc1")
        self.refused()

    def test_what_is_too_long(self) -> None:
        self.theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        self.say(msgspec.msgpack.encode(Failed("x" * 100)) + b"\0" * 100_000)
        self.refused()

    def test_a_reason_that_is_too_long(self) -> None:
        self.say(Failed("x" * 2_001))
        self.refused()

    def test_a_frame_before_there_is_memory(self) -> None:
        self.say(READY)
        self.refused()

    def test_memory_without_a_descriptor(self) -> None:
        self.say(Ring(2, 4096))
        self.refused()

    def test_descriptors_that_nobody_wants(self) -> None:
        self.say(READY, *[self.memory(1) for _ in range(3)])
        self.refused()

    def test_more_descriptors_than_one(self) -> None:
        self.say(Ring(2, 4096), *[self.memory(3 * 4096) for _ in range(20)])
        self.refused()

    def test_memory_that_is_too_small(self) -> None:
        self.say(Ring(2, 4096), self.memory(3 * 4096 - 1))
        self.refused()

    def test_memory_that_could_be_taken_away(self) -> None:
        self.say(Ring(2, 4096), self.memory(3 * 4096, seals=0))
        self.refused()

    def test_what_is_no_memory(self) -> None:
        for path in ("/dev/null", "/proc/self/stat", "/dev/zero"):
            with self.subTest(path), open(path, "rb") as file:
                self.say(Ring(2, 4096), file.fileno())
                with self.assertRaises(BadPacket):
                    self.reader.next(SECONDS)
            self.tearDown()
            self.opened.clear()
            self.setUp()

    def test_frames_that_are_not_in_the_memory_or_not_what_they_say(self) -> None:
        for changes in (
            {"slot": 2},
            {"slot": -1},
            {"length": 4097, "width": 4097, "height": 1, "stride": 4097},
            {"length": 99},
            {"length": 101},
            {"length": 0},
            {"length": -1},
            {"format": "h264"},
            {"width": 11},
            {"width": 0},
            {"height": 1 << 40},
            {"stride": 5},
            {"stride": 11},
            {"format": "mjpeg"},
            {"generation": -1},
            {"generation": 1 << 63},
            {"sequence": "1"},
        ):
            with self.subTest(str(changes)):
                self.ring()
                self.say({"is": "ready"} | msgspec.to_builtins(READY) | changes)
                with self.assertRaises(BadPacket, msg=str(changes)):
                    self.reader.next(SECONDS)
            self.tearDown()
            self.opened.clear()
            self.setUp()

    def test_a_generation_that_never_fits(self) -> None:
        self.ring()
        for _ in range(20):
            self.say(msgspec.structs.replace(READY, generation=2))
        with self.assertRaises(TimeoutError):
            self.reader.next(0.01)

    def test_a_flood(self) -> None:
        """A wait ends, whatever comes."""
        self.ring()
        enough = threading.Event()

        def flood() -> None:
            self.theirs.setblocking(False)
            packet = msgspec.msgpack.encode(msgspec.structs.replace(READY, generation=2))
            while not enough.is_set():
                try:
                    self.theirs.send(packet)
                except BlockingIOError:
                    select.select([], [self.theirs], [], 0.1)

        thread = threading.Thread(target=flood)
        thread.start()
        try:
            begun = time.monotonic()
            with self.assertRaises(TimeoutError):
                self.reader.next(0.1)
            self.assertLess(time.monotonic() - begun, SECONDS)
        finally:
            enough.set()
            thread.join()
