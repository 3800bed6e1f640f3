"""
A client that does nothing wrong, while others do.

It runs in a process of its own, so that a busy test does not slow it down:
``python -m tests.robustness.bystander URL TOKEN``. All the time it changes a
key, waits for the confirmation, for the broadcast on a second connection and
for the answer to a query; what is missing or wrong ends it with a traceback,
and so the test.
"""

from __future__ import annotations

import itertools
import json
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any, Self

from attrs import frozen

from tests.harness import Client, Script, Server
from tests.harness.server import ROOT

KEY = "jpeg-quality"
"""What it changes; nobody else should."""

PACE = 0.05
"""Seconds between two rounds."""


@frozen
class Seen:
    """
    How it was served.

    :ivar rounds: how often it got its answers and its broadcast.
    :ivar median: milliseconds that each of the three took.
    :ivar slowest: the longest one.
    """

    rounds: int
    median: float
    slowest: float

    def __str__(self) -> str:
        return (
            f"bystander: {self.rounds} rounds, median {self.median:.1f} ms, "
            f"slowest {self.slowest:.1f} ms"
        )


class Bystander:
    """The process; a context manager."""

    def __init__(self, server: Server, token: str) -> None:
        command = [sys.executable, "-m", "tests.robustness.bystander", server.url, token]
        self._script = Script(command, cwd=ROOT)

    def __enter__(self) -> Self:
        self._script.__enter__()
        self.is_served()
        self.seen()
        return self

    def __exit__(self, *_: object) -> None:
        self._script.kill()

    def is_served(self) -> None:
        """
        Return when it has been through a round that began after this call.

        To be called while others do their worst.

        :raises AssertionError: it has not been answered.
        """
        self._ask("round")

    def seen(self) -> Seen:
        """How it has been served since the last call of this."""
        return Seen(**self._ask("seen"))

    def _ask(self, what: str) -> Mapping[str, Any]:
        self._script.send(what)
        answer: Mapping[str, Any] = self._script.until(
            lambda line: isinstance(line, dict) and what in line
        )[what]
        return answer


class _Rounds:
    """Inside the process."""

    def __init__(self, setter: Client, watcher: Client) -> None:
        self._setter = setter
        self._watcher = watcher
        self._value = 0
        self._begun = 0
        self._done = 0
        self._times: list[float] = []
        self._changed = threading.Condition()

    def run(self) -> None:
        while True:
            self._round()
            time.sleep(PACE)

    def _round(self) -> None:
        with self._changed:
            self._begun += 1
        self._value = (self._value + 1) % 101
        wanted = {KEY: self._value}
        times = [time.monotonic()]
        answer = self._setter.ask(wanted)
        assert answer == {**wanted, "info": [KEY]}, answer
        times.append(time.monotonic())
        self._watcher.until(wanted)
        times.append(time.monotonic())
        answer = self._setter.get(KEY)
        assert answer == wanted, answer
        times.append(time.monotonic())
        with self._changed:
            self._times += [1000 * (b - a) for a, b in itertools.pairwise(times)]
            self._done += 1
            self._changed.notify_all()

    def command(self, what: str) -> object:
        with self._changed:
            if what == "round":
                wanted = self._begun + 1
                self._changed.wait_for(lambda: self._done >= wanted)
                return {}
            times, self._times = sorted(self._times), []
            return {
                "rounds": len(times) // 3,
                "median": times[len(times) // 2] if times else 0.0,
                "slowest": times[-1] if times else 0.0,
            }


def _main(url: str, token: str) -> None:
    setter, watcher = Client(url, limit=5.0), Client(url, limit=5.0)
    for client in (setter, watcher):
        answer = client.ask({"token": token})
        assert answer["authenticated"], answer
    rounds = _Rounds(setter, watcher)

    def listen() -> None:
        for line in sys.stdin:
            what = json.loads(line)
            print(json.dumps({what: rounds.command(what)}), flush=True)

    threading.Thread(target=listen, daemon=True).start()
    rounds.run()


if __name__ == "__main__":
    _main(*sys.argv[1:])
