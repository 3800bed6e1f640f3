"""Access units in Annex B form (ITU-T H.264, B.1), taken apart."""

from __future__ import annotations

import base64
from typing import Final

from attrs import frozen

SPS: Final = 7
PPS: Final = 8
_DELIMITER: Final = 9
_FILLER: Final = 12

_START: Final = b"\0\0\1"


def split(data: bytes) -> list[bytes]:
    """
    The NAL units, without start codes; delimiters and filling are left out.

    RTP marks itself where an access unit ends (RFC 6184, 5.1).
    """
    units = []
    start = data.find(_START)
    while start >= 0:
        start += len(_START)
        following = data.find(_START, start)
        # A zero before a start code belongs to it: no unit ends in one (7.4.1).
        unit = data[start : len(data) if following < 0 else following].rstrip(b"\0")
        if unit and unit[0] & 0x1F not in (_DELIMITER, _FILLER):
            units.append(unit)
        start = following
    return units


@frozen
class Parameters:
    """What a decoder has to know first."""

    sps: bytes
    pps: bytes

    @property
    def profile(self) -> str:
        """``profile-level-id`` (RFC 6184, 8.1): six hexadecimal digits."""
        return self.sps[1:4].hex()

    @property
    def sprop(self) -> str:
        """``sprop-parameter-sets``."""
        return ",".join(base64.b64encode(unit).decode() for unit in (self.sps, self.pps))


def parameters_in(units: list[bytes]) -> Parameters | None:
    """Those that an access unit brings, if it brings both."""
    found = {unit[0] & 0x1F: unit for unit in reversed(units)}
    if SPS in found and PPS in found and len(found[SPS]) >= 4:
        return Parameters(found[SPS], found[PPS])
    return None
