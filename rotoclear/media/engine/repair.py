"""
What a crash has left of a fragmented MP4, made playable.

ISO/IEC 14496-12: a file is a row of boxes. What was written last may be torn:
players stop there or refuse all of it. A fragment is a ``moof`` and the
``mdat`` behind it; everything behind the last whole one goes.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO, Final

_HEAD: Final = struct.Struct(">I4s")
_LARGE: Final = struct.Struct(">Q")


def whole(file: BinaryIO) -> int:
    """
    How many bytes of it are whole boxes, and playable; 0 if nothing is.

    A film needs its ``moov``, and pictures behind it.
    """
    end = file.seek(0, os.SEEK_END)
    position = good = 0
    begun = playable = False
    while position + _HEAD.size <= end:
        file.seek(position)
        length, kind = _HEAD.unpack(file.read(_HEAD.size))
        smallest = _HEAD.size
        if length == 1:
            large = file.read(_LARGE.size)
            if len(large) < _LARGE.size:
                break
            (length,) = _LARGE.unpack(large)
            smallest += _LARGE.size
        if length < smallest or position + length > end:
            break
        position += length
        if kind == b"moov":
            begun = True
        elif kind == b"mdat":
            playable = True
        if kind != b"moof":  # it counts only with its pictures
            good = position
    return good if begun and playable else 0


def cut(path: Path) -> int:
    """
    Cut a film behind its last whole fragment, and have that on the disk; blocking.

    :return: the bytes that are left; 0: nothing can be played, and nothing was cut.
    :raises OSError: it cannot be read or written.
    """
    with path.open("r+b") as file:
        length = whole(file)
        if length and length < file.seek(0, os.SEEK_END):
            file.truncate(length)
            file.flush()
        os.fsync(file.fileno())
    return length
