"""What the kernel says of a process: ``/proc``, see proc(5)."""

from __future__ import annotations

import os
from pathlib import Path

from attrs import frozen

PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024


@frozen
class Usage:
    """
    What the threads of a process have had so far.

    :ivar running: seconds on a CPU.
    :ivar waiting: seconds ready to run, while something else had the CPU.
    """

    running: float
    waiting: float

    def __sub__(self, earlier: Usage) -> Usage:
        return Usage(self.running - earlier.running, self.waiting - earlier.waiting)


def usage(pid: int) -> Usage:
    """Of all its threads, to the nanosecond."""
    running = waiting = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        fields = (thread / "schedstat").read_text().split()
        running += int(fields[0])
        waiting += int(fields[1])
    return Usage(running / 1e9, waiting / 1e9)


def resident(pid: int) -> int:
    """Memory that is there, in KiB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_KIB


def children(pid: int) -> list[int]:
    """The processes that it has started."""
    return [
        int(child)
        for thread in Path(f"/proc/{pid}/task").iterdir()
        for child in (thread / "children").read_text().split()
    ]


def cores() -> tuple[int, int]:
    """A core for the server and one for its clients; the same one if there are no two."""
    available = sorted(os.sched_getaffinity(0))
    return available[0], available[-1] if len(available) < 2 else available[1]


def pinned(core: int) -> list[str]:
    """What stands before a command that is to run on one core."""
    return ["taskset", "--cpu-list", str(core)]
