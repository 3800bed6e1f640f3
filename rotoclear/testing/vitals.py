"""What a process holds, and which processes there are: as /proc has it (proc(5))."""

from __future__ import annotations

import ctypes
import gc
import os
from pathlib import Path
from typing import Final

from rotoclear.testing.bench import Vitals


def vitals(pid: int) -> Vitals:
    """
    Of a process.

    :raises OSError: it has ended, or is not ours.
    """
    folder = Path("/proc") / str(pid)
    pages = int((folder / "statm").read_text().split()[1])
    return Vitals(
        descriptors=len(os.listdir(folder / "fd")),  # noqa: PTH208 - names are enough
        threads=len(os.listdir(folder / "task")),  # noqa: PTH208
        memory=pages * os.sysconf("SC_PAGE_SIZE"),
    )


KEPT: Final = ("Anonymous:", "Swap:", "Pss_Shmem:")
"""Of ``smaps_rollup``: a process's own. Pages of files come and go as the system likes."""


def kept(pid: int) -> int:
    """
    Bytes of memory that a process alone has, be they swapped out.

    :raises OSError: it has ended, or is not ours.
    """
    folder = Path("/proc") / str(pid)
    try:
        lines = (folder / "smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, PermissionError):
        # A kernel without it, or one that may not be looked into: less exact.
        lines = (folder / "status").read_text().splitlines()
        names: tuple[str, ...] = ("RssAnon:", "VmSwap:", "RssShmem:")
    else:
        names = KEPT
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(names))


def give_back() -> None:
    """
    Let this process keep nothing that is free.

    Else what a driver keeps would be taken from what others have left, and not be seen.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's alone
    if trim is not None:
        trim(0)


def marked(mark: str) -> list[int]:
    """The processes that were started with this in their environment, and still run."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() not in (folder / "environ").read_bytes().split(b"\0"):
                continue
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state not in "ZX":
            found.append(int(folder.name))
    return found
