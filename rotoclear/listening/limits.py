"""The limit of open files: one for each connection, and some for ourselves."""

from __future__ import annotations

import resource
from typing import Protocol

ENOUGH = 65_536
"""Open files that no server of this size reaches."""


class _Limits(Protocol):
    """What is needed of `resource`."""

    RLIMIT_NOFILE: int

    def getrlimit(self, kind: int, /) -> tuple[int, int]: ...
    def setrlimit(self, kind: int, limits: tuple[int, int], /) -> None: ...


def raise_open_files(limits: _Limits = resource, enough: int = ENOUGH) -> int:
    """
    Raise the soft limit of open files to the hard one, to ``enough`` at most.

    It is never lowered.

    :return: the limit that holds now.
    """
    soft, hard = limits.getrlimit(limits.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return enough
    wanted = enough if hard == resource.RLIM_INFINITY else min(hard, enough)
    if wanted <= soft:
        return soft
    try:
        limits.setrlimit(limits.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):  # the system's own limit (fs.nr_open) is lower still
        return soft
    return wanted
