"""
How long a film plays, from its boxes alone: none of its pictures is read.

ISO/IEC 14496-12. A film that was closed has all of its index in the ``moov`` at the
end; one that was not has a ``moov`` with that of the first pictures (and an ``mvex``),
and a ``moof`` for each fragment that follows.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO, Final

from attrs import define, frozen

MAX_INDEX: Final = 256 * 2**20
"""Bytes of an index that are looked at: a day at 60 frames a second has less."""

_HEAD: Final = struct.Struct(">I4s")

_CONTAINERS: Final = frozenset({b"trak", b"mdia", b"minf", b"stbl", b"mvex", b"traf"})


class Unreadable(Exception):
    """It is no film, or a damaged one."""


@frozen
class Measure:
    """
    What a film is.

    :ivar duration: seconds.
    :ivar closed: it has all of its index in one place.
    """

    duration: float
    frames: int
    width: int
    height: int
    closed: bool


@define
class _Sums:
    scale: int = 0
    width: int = 0
    height: int = 0
    usual: int = 0
    frames: int = 0
    ticks: int = 0
    fragmented: bool = False
    pieces: int = 0
    first: int | None = None
    last: int = 0


def measure(file: BinaryIO) -> Measure:
    """
    Look at a film; blocking.

    :raises Unreadable: it has no index, or no pictures.
    """
    sums = _Sums()
    try:
        for kind, position, length in _top(file):
            if kind in (b"moov", b"moof"):
                if length > MAX_INDEX:
                    raise Unreadable("Its index is too large")
                file.seek(position)
                (_fragment if kind == b"moof" else _index)(memoryview(file.read(length)), sums)
    except (struct.error, IndexError):
        raise Unreadable("Its index is damaged") from None
    frames, ticks = sums.frames, sums.ticks
    if sums.fragmented and sums.first is not None:
        frames += sums.pieces
        ticks = sums.last - (0 if sums.frames else sums.first)
    if not sums.scale or not frames:
        raise Unreadable("There are no pictures in it")
    return Measure(ticks / sums.scale, frames, sums.width, sums.height, not sums.fragmented)


def _top(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """The outermost boxes: kind, where what is in them begins, and its length."""
    end = file.seek(0, os.SEEK_END)
    position = 0
    while position + _HEAD.size <= end:
        file.seek(position)
        length, kind = _HEAD.unpack(file.read(_HEAD.size))
        inside = _HEAD.size
        if length == 1:
            (length,) = struct.unpack(">Q", file.read(8))
            inside += 8
        elif length == 0:
            length = end - position
        if length < inside or position + length > end:
            return
        yield kind, position + inside, length - inside
        position += length


def _boxes(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """The boxes in a box, and those in boxes that only hold others."""
    while len(data) >= _HEAD.size:
        length, kind = _HEAD.unpack_from(data)
        if length < _HEAD.size or length > len(data):
            return
        inside = data[_HEAD.size : length]
        if kind in _CONTAINERS:
            yield from _boxes(inside)
        else:
            yield kind, inside
        data = data[length:]


def _index(data: memoryview, sums: _Sums) -> None:
    """A ``moov``; there is one track only."""
    frames = ticks = 0
    sums.fragmented = False
    for kind, box in _boxes(data):
        match kind:
            case b"mdhd":
                (sums.scale,) = struct.unpack_from(">I", box, 20 if box[0] else 12)
            case b"stsd":
                # The first entry (8), its head and index (16), what QuickTime had (16).
                sums.width, sums.height = struct.unpack_from(">HH", box, 8 + 16 + 16)
            case b"stts":
                (count,) = struct.unpack_from(">I", box, 4)
                for number, delta in struct.iter_unpack(">II", box[8 : 8 + 8 * count]):
                    frames += number
                    ticks += number * delta
            case b"trex":
                sums.fragmented = True
                (sums.usual,) = struct.unpack_from(">I", box, 12)
    sums.frames, sums.ticks = frames, ticks


def _fragment(data: memoryview, sums: _Sums) -> None:
    """A ``moof``."""
    usual = sums.usual
    for kind, box in _boxes(data):
        flags = int.from_bytes(box[1:4], "big")
        if kind == b"tfhd" and flags & 0x8:
            # Behind the track's number: the data's offset, the entry's number.
            offset = 8 + (8 if flags & 0x1 else 0) + (4 if flags & 0x2 else 0)
            (usual,) = struct.unpack_from(">I", box, offset)
        elif kind == b"tfdt":
            (time,) = struct.unpack_from(">Q" if box[0] else ">I", box, 4)
            sums.first = time if sums.first is None else sums.first
            sums.last = time
        elif kind == b"trun":
            _run(box, flags, usual, sums)


def _run(box: memoryview, flags: int, usual: int, sums: _Sums) -> None:
    """A ``trun``: so many pictures, perhaps each with its own duration."""
    (count,) = struct.unpack_from(">I", box, 4)
    offset = 8 + (4 if flags & 0x1 else 0) + (4 if flags & 0x4 else 0)
    if flags & 0x100:
        step = 4 * (flags & 0xF00).bit_count()
        sums.last += sum(
            struct.unpack_from(">I", box, offset + step * number)[0] for number in range(count)
        )
    else:
        sums.last += usual * count
    sums.pieces += count
