"""Whether a driver lets go of what it takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from rotoclear.testing.bench import Bench, Vitals
from rotoclear.testing.fault import Fault
from rotoclear.testing.report import Report

WARM: Final = 4
"""Rounds before the first look: caches fill up."""

FEW: Final = 5
"""Descriptors or threads more, in all rounds, that are no leak yet."""

MEMORY: Final = 4_000_000
"""Bytes more, in all rounds, that are no leak yet."""

AGAIN: Final = 2
"""How often more growth is looked for: an allocator fills its pools once, a leak goes on."""

SETTLE: Final = 1.0
"""Seconds that threads have to end."""


def leaks(bench: Bench, one_round: Callable[[], None], rounds: int, report: Report) -> None:
    """
    Do something again and again, and see whether the process grows.

    :raises Fault: it does.
    """
    for _ in range(WARM):
        one_round()
    before, memory = _settled(bench, None), bench.kept()
    for _ in range(rounds):
        one_round()
    after = _settled(bench, before)
    growth = [bench.kept() - memory]
    _look("descriptor", after.descriptors - before.descriptors, rounds, bench)
    _look("thread", after.threads - before.threads, rounds, bench)
    while growth[-1] > MEMORY:
        if len(growth) > AGAIN:
            raise Fault(
                f"The memory it takes grows by {growth[-1] // 1_000_000} MB in {rounds} times of "
                "opening and closing, and goes on growing.",
                where="ICamera.read",
                asks="a frame's data need only stay until the next read(): nothing is kept longer",
                mend="hand out the buffer itself, or drop the frames before; look for lists and "
                "caches that only grow",
            )
        memory = bench.kept()
        for _ in range(rounds):
            one_round()
        growth.append(bench.kept() - memory)
    report.figure("driver", f"growth of memory in {rounds} rounds, kB", max(0, growth[-1] // 1000))


def _look(what: str, more: int, rounds: int, bench: Bench) -> None:
    if more < FEW:
        return
    if what == "descriptor":
        raise Fault(
            f"It has {more} descriptors more after {rounds} times of opening and closing.",
            where="ICamera.close",
            asks="let go of the hardware: every descriptor that open() or start() opened is closed",
            mend="close it in close() and stop(), and also where open() raises half-way",
        )
    names = sorted(thread.name for thread in threading.enumerate())[-5:]
    raise Fault(
        f"It has {more} threads more after {rounds} times of opening and closing"
        + (f" ({', '.join(names)})." if bench.where == "in this process" else "."),
        where="ICamera.stop and close",
        asks="take no more pictures, let go of the hardware: a thread that start() or open() "
        "began ends there",
        mend="tell the thread to end in stop() or close(), and join it",
    )


def _settled(bench: Bench, before: Vitals | None) -> Vitals:
    """What it holds when what is about to end has ended."""
    deadline = time.monotonic() + SETTLE
    while True:
        now = bench.vitals()
        if before is None or time.monotonic() > deadline:
            return now
        if now.descriptors <= before.descriptors and now.threads <= before.threads:
            return now
        time.sleep(0.02)
