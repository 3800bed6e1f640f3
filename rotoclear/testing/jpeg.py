"""The size of a JPEG (ITU-T T.81, annex B)."""

from __future__ import annotations

from typing import Final

_FRAMES: Final = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
"""Markers of a frame header: SOF0 and its like."""

_ALONE: Final = {0x01, *range(0xD0, 0xD9)}
"""Markers without a length."""


def size_of(data: bytes) -> tuple[int, int] | None:
    """Its width and height in pixels, or ``None`` if that cannot be read."""
    position = 2
    while position + 9 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF:
            position += 1
        elif marker in _ALONE:
            position += 2
        elif marker in _FRAMES:
            height = int.from_bytes(data[position + 5 : position + 7])
            width = int.from_bytes(data[position + 7 : position + 9])
            return width, height
        else:
            position += 2 + int.from_bytes(data[position + 2 : position + 4])
    return None
