"""What the server's children do about their parent."""

from __future__ import annotations

import ctypes
import os
import signal
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36
"""prctl(2)."""


def die_with_parent(parent: int) -> None:
    """
    Have the kernel kill this process when the one that started it ends, however it ends.

    The end of a socket says so, too, but somebody may hold the interpreter.

    :param parent: its process id; who has another parent by now ends at once.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def keep_offspring() -> None:
    """
    Have what this process starts stay its offspring, even as a daemon.

    So whoever ends this process finds it.
    """
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
