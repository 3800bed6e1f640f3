"""RTCP, as far as one sender needs it (RFC 3550, 6)."""

from __future__ import annotations

import struct
from typing import Final

_SENDER_REPORT: Final = 200
_DESCRIPTION: Final = 202
_BYE: Final = 203
_KINDS: Final = range(200, 208)

_EPOCH: Final = 2_208_988_800
"""Seconds from 1900, where NTP's time begins, to 1970."""

_NAME: Final = b"rotoclear"


def report(ssrc: int, wall: float, ticks: int, packets: int, octets: int) -> bytes:
    """
    A sender report and the source's name.

    :param wall: now, seconds since 1970.
    :param ticks: the same moment by the clock of the RTP packets.
    :param octets: of payload that were sent.
    """
    moment = round((wall + _EPOCH) * 2**32) & (2**64 - 1)
    sender = struct.pack(
        "!BBHIQIII",
        0x80,
        _SENDER_REPORT,
        6,
        ssrc,
        moment,
        ticks & 0xFFFFFFFF,
        packets & 0xFFFFFFFF,
        octets & 0xFFFFFFFF,
    )
    # CNAME, and at least one zero behind it up to the next word (6.5).
    item = bytes((1, len(_NAME))) + _NAME
    item += bytes(4 - len(item) % 4)
    return sender + struct.pack("!BBHI", 0x81, _DESCRIPTION, 1 + len(item) // 4, ssrc) + item


def bye(ssrc: int) -> bytes:
    """The source has ended."""
    return struct.pack("!BBHI", 0x81, _BYE, 1, ssrc)


def is_rtcp(data: bytes) -> bool:
    """Whether this may be a report of a receiver: a sign that it is there."""
    return len(data) >= 8 and data[0] >> 6 == 2 and data[1] in _KINDS
