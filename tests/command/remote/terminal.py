"""A terminal for a command: what it shows, and a keyboard."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path
from typing import Self

from tests.command.running import PROGRAM, environment
from tests.harness import TimedOut


class Terminal:
    """
    The command in a pseudo-terminal; a context manager that kills it.

    :param limit: seconds that one wait may take.
    """

    def __init__(
        self,
        *words: str,
        cwd: Path | None = None,
        columns: int = 80,
        lines: int = 24,
        limit: float = 60.0,
        **environ: str,
    ) -> None:
        self.seen = ""
        self._limit = limit
        self._end, inner = pty.openpty()
        self.resize(columns, lines)
        self._process = subprocess.Popen(
            [*PROGRAM, *words],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            env=environment(TERM="xterm", **environ),
            cwd=cwd,
            start_new_session=True,
        )
        os.close(inner)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._end)

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._end, text.encode())

    def signal(self, number: signal.Signals) -> None:
        """Send the command a signal."""
        self._process.send_signal(number)

    def resize(self, columns: int, lines: int) -> None:
        """Make the window larger or smaller; :meth:`signal` tells the command."""
        fcntl.ioctl(self._end, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def until(self, text: str) -> None:
        """Wait until this is shown, after what was waited for before."""
        deadline = time.monotonic() + self._limit
        while text not in self.seen:
            self._read(deadline, text)
        self.seen = self.seen.partition(text)[2]

    def wait(self) -> int:
        """Wait for its end; return what it exited with."""
        deadline = time.monotonic() + self._limit
        while True:
            try:
                self._read(deadline, "its end")
            except EOFError:
                return self._process.wait(self._limit)

    def _read(self, deadline: float, what: str) -> None:
        ready, _, _ = select.select([self._end], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise TimedOut(f"No {what!r}: {self.seen!r}")
        try:
            read = os.read(self._end, 65536)
        except OSError:  # EIO: nobody has the other end open any more
            read = b""
        if not read:
            raise EOFError(f"It ended; it showed {self.seen!r}")
        self.seen += read.decode(errors="replace")
