"""How far a download is: a line in the terminal that is written over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TextIO

from rotoclear.command.text import printable

_STEP: Final = 0.1
"""Seconds between two looks: terminals are slow, too."""

_BAR: Final = 20


class Bar:
    """
    A progress bar for one file.

    :param name: the file's, for people.
    :param seconds: a clock that only runs forward.
    :param width: the terminal's columns right now.
    """

    def __init__(
        self, out: TextIO, name: str, seconds: Callable[[], float], width: Callable[[], int]
    ) -> None:
        self._out = out
        self._name = printable(name)
        self._seconds = seconds
        self._width = width
        self._began: tuple[float, int] | None = None
        self._shown = 0.0

    def update(self, received: int, total: int) -> None:
        """So many bytes of so many are there."""
        now = self._seconds()
        if self._began is None:
            self._began = (now, received)  # what an earlier attempt has brought is not this one's
        elif now - self._shown < _STEP and received < total:
            return
        self._shown = now
        began, before = self._began
        rate = (received - before) / (now - began) if now > began else 0.0
        line = progress_line(self._name, received, total, rate)
        self._out.write(f"\r{line[: max(1, self._width() - 1)]}\x1b[K")
        self._out.flush()

    def end(self) -> None:
        """Leave the line as it is."""
        if self._began is not None:
            self._out.write("\n")
            self._out.flush()


def progress_line(name: str, received: int, total: int, rate: float) -> str:
    """``[#####     ]  25 %  3.1 MB of 12.4 MB  1.2 MB/s  0:08 left  rotoclear-....mp4``"""
    share = min(1.0, received / total) if total else 1.0
    full = int(share * _BAR)
    parts = [
        f"[{'#' * full}{' ' * (_BAR - full)}]",
        f"{int(share * 100):3} %",
        f"{bytes_shown(received)} of {bytes_shown(total)}",
    ]
    if rate > 0:
        parts.append(f"{bytes_shown(int(rate))}/s")
        if received < total:
            parts.append(f"{time_shown((total - received) / rate)} left")
    return "  ".join([*parts, name])  # last: it may be cut off


def bytes_shown(number: int) -> str:
    """``12.4 MB``: powers of 1000, as disks are sold."""
    size = float(number)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 999.5 or unit == "GB":
            break
        size /= 1000
    return f"{number} bytes" if unit == "bytes" else f"{size:.1f} {unit}"


def time_shown(seconds: float) -> str:
    """``0:08``, ``1:02:03``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
