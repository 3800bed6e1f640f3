"""A child process that says in JSON lines what happens to it."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self


class TimedOut(AssertionError):
    """What was waited for has not come; the text says what came instead."""


class ScriptEnded(AssertionError):
    """The process ended before it said what was waited for."""


class Script:
    """
    A process whose stdout is read line by line; a context manager that kills it.

    Lines that are JSON are decoded, others are texts. stderr goes to the same
    list as ``{"stderr": line}``.

    :param limit: seconds that one wait may take.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        limit: float = 20.0,
    ) -> None:
        self.limit = limit
        self.seen: list[Any] = []
        self._lines: queue.Queue[Any] = queue.Queue()
        self._process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self._readers = [
            threading.Thread(target=self._read_stdout, daemon=True),
            threading.Thread(target=self._read_stderr, daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def finish(self) -> None:
        """Close its stdin, by which it should see that it is to end, and let it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self.wait()

    def kill(self) -> None:
        """End it, however it feels about it."""
        self._process.kill()
        self._process.wait()
        for reader in self._readers:
            reader.join()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()

    def wait(self) -> int:
        """Wait for its own end; return its exit status."""
        try:
            status = self._process.wait(self.limit)
        except subprocess.TimeoutExpired:
            raise TimedOut(f"It has not ended; it said {self._told()}") from None
        for reader in self._readers:
            reader.join()
        while not self._lines.empty():
            self.seen.append(self._lines.get())
        return status

    def send(self, message: object) -> None:
        """Write a JSON line to its stdin."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message) + "\n")

    def until(self, fits: Callable[[Any], bool]) -> Any:
        """
        The next line that fits; all lines are kept in ``seen``.

        :raises TimedOut: it has not come.
        :raises ScriptEnded: it cannot come any more.
        """
        deadline = time.monotonic() + self.limit
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise TimedOut(f"In {self.limit} s it said only {self._told()}") from None
            if line is _END:
                self._lines.put(_END)
                raise ScriptEnded(f"It ended; it said {self._told()}")
            self.seen.append(line)
            if fits(line):
                return line

    def _told(self) -> str:
        return "\n".join(map(str, self.seen[-50:])) or "nothing"

    def _read_stdout(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                self._lines.put(json.loads(line))
            except ValueError:
                self._lines.put(line.rstrip("\n"))
        self._lines.put(_END)

    def _read_stderr(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._lines.put({"stderr": line.rstrip("\n")})


_END = object()
