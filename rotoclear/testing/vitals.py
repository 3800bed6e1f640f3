"""What a process holds, and which processes there are: as /proc has it (proc(5))."""

from __future__ import annotations

import os
from pathlib import Path

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
