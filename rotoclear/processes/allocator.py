"""How this process keeps memory that it does not need at the moment."""

from __future__ import annotations

import ctypes
from typing import Final

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
"""mallopt(3)."""

LARGEST: Final = 32 << 20
"""Bytes of the largest block that is kept: more the GNU C library does not allow."""

KEPT: Final = 128 << 20
"""Bytes that may be free in a pool before they are given back to the system."""


def keep_large_blocks() -> None:
    """
    Use blocks of megabytes again, rather than give each back to the system and ask for another.

    The system clears what it hands out, page by page: with two cameras that is a tenth of a
    core for nothing. Where there is no ``mallopt`` nothing is done.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, LARGEST)
        mallopt(_M_TRIM_THRESHOLD, KEPT)
