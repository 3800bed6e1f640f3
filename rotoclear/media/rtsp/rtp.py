"""H.264 in RTP packets (RFC 3550, 5.1; RFC 6184), non-interleaved mode."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

CLOCK: Final = 90_000
"""Ticks a second, as for all video (RFC 6184, 8.1)."""

MTU: Final = 1400
"""Bytes of an RTP packet: it fits into any network's, with IPv6 and UDP around it."""

PAYLOAD_TYPE: Final = 96
"""The first of the dynamic ones (RFC 3551, 6)."""

HEADER: Final = struct.Struct("!BBHII")
"""Version, marker and type, sequence number, time, source."""

VERSION: Final = 0x80
MARKER: Final = 0x80

_MOST: Final = MTU - HEADER.size
_FU_A: Final = 28
_FIRST: Final = 0x80
_LAST: Final = 0x40


def ticks(nanoseconds: int) -> int:
    """Nanoseconds in ticks of the clock; no error adds up."""
    return nanoseconds * CLOCK // 10**9


def payloads(units: Sequence[bytes], most: int = _MOST) -> list[bytes]:
    """
    What the packets of one access unit carry: whole NAL units, and parts of large ones (FU-A).

    :param most: bytes that one may have.
    """
    found: list[bytes] = []
    for unit in units:
        if len(unit) <= most:
            found.append(unit)
        else:
            found += _parts(unit, most - 2)
    return found


def _parts(unit: bytes, size: int) -> list[bytes]:
    """Its header goes into the two bytes before each part (RFC 6184, 5.8)."""
    indicator, kind = unit[0] & 0xE0 | _FU_A, unit[0] & 0x1F
    starts = range(1, len(unit), size)
    parts = []
    for start in starts:
        edge = (_FIRST if start == 1 else 0) | (_LAST if start == starts[-1] else 0)
        parts.append(bytes((indicator, kind | edge)) + unit[start : start + size])
    return parts
