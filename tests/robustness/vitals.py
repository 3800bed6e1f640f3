"""What the kernel knows of the server's process, and how to wait for it to settle."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

MIB = 2**20


def resident(pid: int) -> int:
    """Bytes of memory that a process has to itself or shares (RSS)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def descriptors(pid: int) -> int:
    """How many files and sockets a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def anonymous(pid: int) -> int:
    """Bytes of memory of its own (``RssAnon``, proc(5)): what a leak adds to."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return 1024 * int(line.split()[1])
    raise ProcessLookupError(pid)


def threads(pid: int) -> int:
    """How many threads a process has."""
    return len(os.listdir(f"/proc/{pid}/task"))


def until(condition: Callable[[], bool], what: str, limit: float = 10.0) -> float:
    """
    Wait for something that cannot be waited for; return the seconds it took.

    :raises AssertionError: it has not come true in time.
    """
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < limit, f"Not within {limit} s: {what}"
        time.sleep(0.01)
    return time.monotonic() - began


class Flat:
    """
    That a process neither grows nor leaks descriptors.

    :param bound: bytes by which its memory may grow from the first look to the last.
    """

    def __init__(self, pid: int, bound: int = 8 * MIB) -> None:
        self._pid = pid
        self._bound = bound
        self._resident = resident(pid)
        self._descriptors = descriptors(pid)

    def check(self) -> str:
        """
        Look again, once it has closed what is closed; return a line for people.

        :raises AssertionError: it has grown, or leaked.
        """
        until(
            lambda: descriptors(self._pid) <= self._descriptors,
            f"no more than the {self._descriptors} descriptors that there were",
        )
        now = resident(self._pid)
        line = f"RSS {self._resident / MIB:.1f} -> {now / MIB:.1f} MiB"
        assert now - self._resident <= self._bound, f"It grew: {line}"
        return f"{line}, descriptors {self._descriptors} -> {descriptors(self._pid)}"
