"""How many bytes a picture has."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.devices.shapes import BadFrame, checked, lengths
from rotoclear.interfaces import Frame

GREY = Frame(data=b"x" * 48, format="grey", width=8, height=6, timestamp=5, sequence=1)


def changed(**changes: Any) -> Frame:
    return evolve(GREY, **changes)


class Lengths(SynchronousTestCase):
    def test_lines_that_lie_close_together(self) -> None:
        for name, bytes_of_8x6 in (
            ("yuyv", 96),
            ("uyvy", 96),
            ("nv12", 72),
            ("i420", 72),
            ("rgb24", 144),
            ("bgr24", 144),
            ("grey", 48),
        ):
            least, most, stride = lengths(name, 8, 6, 0)
            self.assertEqual((least, most), (bytes_of_8x6, bytes_of_8x6), name)
            self.assertEqual(stride * 6 * (3 if name in ("nv12", "i420") else 2) // 2, most)

    def test_the_last_line_may_end_early(self) -> None:
        self.assertEqual(lengths("grey", 8, 6, 10), (58, 60, 10))
        self.assertEqual(lengths("nv12", 8, 6, 10), (88, 90, 10))
        self.assertEqual(lengths("i420", 8, 6, 10), (89, 90, 10))

    def test_a_jpeg_has_no_stride(self) -> None:
        self.assertEqual(lengths("mjpeg", 8, 6, 5)[2], 0)

    def test_what_there_is_not(self) -> None:
        for name, width, height, stride in (
            ("h264", 8, 6, 0),
            ("grey", 0, 6, 0),
            ("grey", 8, 100_000, 0),
            ("yuyv", 8, 6, 15),
            ("i420", 8, 6, 9),
            ("rgb24", 90_000, 90_000, 0),
            ("grey", 8, 6, 1 << 60),
        ):
            with self.assertRaises(BadFrame, msg=name):
                lengths(name, width, height, stride)


class Frames(SynchronousTestCase):
    def refused(self, frame: Any) -> None:
        with self.assertRaises(BadFrame):
            checked(frame)

    def test_a_good_one(self) -> None:
        data, stride = checked(GREY)
        self.assertEqual((bytes(data), stride), (b"x" * 48, 8))

    def test_what_follows_the_last_line_is_left_out(self) -> None:
        data, _ = checked(evolve(GREY, data=b"x" * 48 + b"padding"))
        self.assertEqual(bytes(data), b"x" * 48)

    def test_too_few_bytes(self) -> None:
        self.refused(evolve(GREY, data=b"x" * 47))
        self.refused(evolve(GREY, data=b""))

    def test_a_jpeg_begins_as_one(self) -> None:
        jpeg = b"\xff\xd8\xff\xdb and so on"
        data, stride = checked(evolve(GREY, data=jpeg, format="mjpeg", stride=0))
        self.assertEqual((bytes(data), stride), (jpeg, 0))
        self.refused(evolve(GREY, format="mjpeg"))

    def test_nonsense(self) -> None:
        for nonsense in (
            5,
            b"x" * 48,
            changed(data=None),
            changed(data="text"),
            changed(data=memoryview(b"x" * 96)[::2]),
            changed(format=None),
            changed(format=["grey"]),
            changed(width="8"),
            changed(width=True),
            changed(height=-6),
            changed(timestamp=1.5),
            changed(sequence=None),
            changed(sequence=1 << 64),
            changed(stride=-8),
        ):
            self.refused(nonsense)
