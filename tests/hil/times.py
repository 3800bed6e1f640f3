"""
How long things took, to be printed at the end of the tests.

The machine is some twenty times slower than what it runs on, so these are no
figures of the server's; they tell when something begins to take much longer.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

_seen: dict[str, list[float]] = {}


def note(what: str, seconds: float) -> None:
    """It took so long."""
    _seen.setdefault(what, []).append(seconds)


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Note how long the block takes, if it succeeds."""
    began = time.monotonic()
    yield
    note(what, time.monotonic() - began)


def table() -> list[str]:
    """A line for each thing: how often, and the least, the middle and the most seconds."""
    if not _seen:
        return []
    width = max(map(len, _seen))
    lines = [f"{'':{width}}  times    least   middle     most  (seconds)"]
    for what, seconds in _seen.items():
        ordered = sorted(seconds)
        least, middle, most = ordered[0], ordered[len(ordered) // 2], ordered[-1]
        lines.append(f"{what:{width}}  {len(ordered):5}  {least:7.2f}  {middle:7.2f}  {most:7.2f}")
    return lines
