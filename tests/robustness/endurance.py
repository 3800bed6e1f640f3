"""
Hours of everything at once: nothing may grow.

It goes in rounds. In each, all sorts of clients do what they do, devices come and go and
fail, films are made; then everybody leaves but the watchers, and it is looked at what
the processes hold. A sample is a line of ``samples.jsonl``: a soak that was interrupted
goes on in the same folder, with another process, and is judged as one.
"""

from __future__ import annotations

import json
import random
import statistics
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from tests.harness import Client, Server
from tests.robustness.actors import ACTORS, House, rest
from tests.robustness.people import add_people
from tests.robustness.vitals import MIB, anonymous, descriptors, threads, until

WATCHERS: Final = 8
"""Clients that stay for all of a process's life."""

ROUND: Final = 30.0
"""Seconds of a round in the long form."""

WARM: Final = 0.2
"""The share of each process's rounds in which its pools and caches may still fill."""

GROWTH: Final = {"memory": 8 * MIB, "descriptors": 2.5, "threads": 2.5}
"""By how much the last third of the rounds may be above the first one, in the server."""

PIXELS: Final = 48 * MIB
"""Likewise, memory of a process that handles pictures: they are large, and pooled."""

HOUR: Final = 3600.0

CONFIG: Final = """
[login]
token-idle = 86400
"""


def endurance(folder: Path, minutes: int, seed: int = 1) -> Iterator[str]:
    """
    Go on until it has been so many minutes, with those of earlier calls in this folder.

    :return: lines for people: slopes in the end.
    """
    yield from soak(folder, 60.0 * minutes, ROUND, seed)


def soak(
    folder: Path, seconds: float, length: float, seed: int = 1, slack: float = 1.0
) -> Iterator[str]:
    """
    Rounds of that length until it has been so many seconds, in all.

    :param slack: as of :func:`judge`: a process that has just begun has its pools to fill.
    :raises AssertionError: something was not served, or has grown.
    """
    file = folder / "samples.jsonl"
    samples = [json.loads(line) for line in _lines(file)]
    spent = sum(sample["took"] for sample in samples)
    run = 1 + max((sample["run"] for sample in samples), default=0)
    if samples:
        yield f"goes on after {spent:.0f} s and {len(samples)} rounds"
    draw = random.Random(f"{seed} {run}")
    with Server(folder / "server", CONFIG) as server, ExitStack() as stack:
        tokens = _people(server, folder)
        house = House(server, tokens)
        for number in range(WATCHERS):
            stack.enter_context(Watcher(server.client(), None if number % 2 else tokens["viewer"]))
        while spent < seconds:
            began = time.monotonic()
            served = _round(house, draw, min(length, max(1.0, seconds - spent)))
            sample = {"run": run, **_look(server), **served}
            sample["took"] = time.monotonic() - began
            spent += sample["took"]
            samples.append(sample)
            with file.open("a") as out:
                out.write(json.dumps(sample) + "\n")
            if len(samples) % 10 == 0:
                yield f"{spent:6.0f} s: {_told(sample)}"
    yield f"{spent:.0f} s, {len(samples)} rounds: {_told(samples[-1])}"
    counts: dict[str, int] = defaultdict(int)
    for sample in samples:
        for name, count in sample["done"].items():
            counts[name] += count
    yield "done: " + ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
    yield from judge(samples, slack)


class Watcher:
    """A client that reads whatever comes, until the end; a context manager."""

    def __init__(self, client: Client, token: str | None) -> None:
        self._client = client
        if token is not None:
            assert client.ask({"token": token})["authenticated"]
        self._leaving = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self.failure: BaseException | None = None

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._leaving = True
        self._client.close()
        self._thread.join()
        if kind is None and self.failure is not None:
            raise AssertionError("a watcher was hung up on") from self.failure

    def _read(self) -> None:
        try:
            for message in self._client.socket:
                assert json.loads(message).keys().isdisjoint({"error"}), message
        except BaseException as error:  # noqa: BLE001 - told when it leaves
            if not self._leaving:
                self.failure = error
        else:
            if not self._leaving:
                self.failure = EOFError("the connection has ended")


def _round(house: House, draw: random.Random, length: float) -> dict[str, Any]:
    """Let everybody do what they do for so long; what was done, and how fast it was answered."""
    house.begin(time.monotonic() + length)
    with ThreadPoolExecutor(len(ACTORS)) as pool:
        seeds = {name: draw.getrandbits(64) for name in ACTORS}
        running = {
            name: pool.submit(actor, house, random.Random(seeds[name]))
            for name, actor in ACTORS.items()
        }
        for name, future in running.items():
            try:
                future.result()
            except Exception as error:
                house.end()
                raise AssertionError(f"{name}: {error}") from error
    rest(house)
    times = sorted(house.times)
    return {
        "done": dict(house.done),
        "p50": round(_quantile(times, 0.5), 3),
        "p99": round(_quantile(times, 0.99), 3),
    }


def _look(server: Server) -> dict[str, Any]:
    """What the processes hold, once they have put away what is over."""
    least = 1 << 30
    since = time.monotonic()

    def settled() -> bool:
        nonlocal least, since
        now = descriptors(server.pid)
        if now < least:
            least, since = now, time.monotonic()
        return time.monotonic() - since > 1.0

    until(settled, "its descriptors settle", limit=60.0)
    found: dict[str, Any] = {}
    for name, pid in {"server": server.pid, **_children(server.pid)}.items():
        try:
            found[name] = {
                "pid": pid,
                "memory": anonymous(pid),
                "descriptors": least if name == "server" else descriptors(pid),
                "threads": threads(pid),
            }
        except OSError:  # it has just ended
            continue
    database = sum(path.stat().st_size for path in server.data_dir.glob("rotoclear.db*"))
    return {"processes": found, "database": database}


def _children(pid: int) -> dict[str, int]:
    """The engine and the drivers, by name."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            words = (path / "cmdline").read_bytes().decode().split("\0")
        except (OSError, IndexError):
            continue
        if parent == pid and "-m" in words:
            after = words[words.index("-m") + 1 :]
            found[_name(after)] = int(path.name)
    return found


def _name(words: Sequence[str]) -> str:
    """What a process is called here, by the words behind its ``-m``."""
    module = words[0].removeprefix("rotoclear.")
    return f"driver {words[2]}" if module == "devices.host" else module


def judge(samples: Sequence[Mapping[str, Any]], slack: float = 1.0) -> Iterator[str]:
    """
    The slope of each figure; a process that was started anew is another one.

    :param slack: how many times :data:`GROWTH` it may be.
    :raises AssertionError: one of them has grown.
    """
    grown = []
    names = dict.fromkeys(name for sample in samples for name in sample["processes"])
    for name in names:
        for what in ("memory", "descriptors", "threads"):
            lives = _lives(samples, name, what)
            slope = _slope(lives)
            if slope is None:
                continue
            scale, unit = (MIB, "MiB") if what == "memory" else (1, "")
            longest = max(lives, key=len)
            first, last = _thirds(longest)
            line = (
                f"{name}: {what} {slope * HOUR / scale:+.2f} {unit}/h".replace(" /h", "/h")
                + f" ({first / scale:.1f} -> {last / scale:.1f} in its longest life)"
            )
            if name == "server" or slope:
                yield line
            bound = PIXELS if what == "memory" and name != "server" else GROWTH[what]
            if last - first > bound * slack:
                grown.append(line)
    for what in ("p50", "p99"):
        lives = [_series(samples, lambda sample, what=what: sample[what])]  # type: ignore[misc]
        first, last = _thirds(lives[0])
        yield f"answers: {what} {first:.2f} -> {last:.2f} ms"
    first, last = _thirds(_series(samples, lambda sample: sample["database"]))
    yield f"database {first / MIB:.2f} -> {last / MIB:.2f} MiB"
    assert not grown, "; ".join(grown)


Points = list[tuple[float, float]]


def _series(
    samples: Iterable[Mapping[str, Any]], figure: Callable[[Mapping[str, Any]], float | None]
) -> Points:
    """Seconds of the whole soak, and the figure then."""
    points, at = [], 0.0
    for sample in samples:
        at += sample["took"]
        value = figure(sample)
        if value is not None:
            points.append((at, value))
    return points


def _lives(samples: Sequence[Mapping[str, Any]], name: str, what: str) -> list[Points]:
    """A figure of each process of that name, without its first rounds."""
    pids = dict.fromkeys(
        (sample["run"], sample["processes"][name]["pid"])
        for sample in samples
        if name in sample["processes"]
    )
    lives = []
    for life in pids:

        def figure(sample: Mapping[str, Any], life: tuple[int, int] = life) -> float | None:
            process = sample["processes"].get(name)
            if process is None or (sample["run"], process["pid"]) != life:
                return None
            return float(process[what])

        points = _series(samples, figure)
        lives.append(points[int(len(points) * WARM) :])
    return [points for points in lives if len(points) >= 2]


def _slope(lives: Sequence[Points]) -> float | None:
    """By how much it grows in a second: the median of all pairs' (Theil and Sen)."""
    slopes = [
        (b[1] - a[1]) / (b[0] - a[0])
        for points in lives
        for number, a in enumerate(points)
        for b in points[number + 1 :]
    ]
    return statistics.median(slopes) if slopes else None


def _thirds(points: Points) -> tuple[float, float]:
    """The medians of its first and its last third."""
    values = [value for _, value in points]
    share = max(1, len(values) // 3)
    return statistics.median(values[:share]), statistics.median(values[-share:])


def _quantile(times: Sequence[float], share: float) -> float:
    return times[int(share * (len(times) - 1))] if times else 0.0


def _told(sample: Mapping[str, Any]) -> str:
    server = sample["processes"]["server"]
    return (
        f"{server['memory'] / MIB:.1f} MiB, {server['descriptors']} descriptors, "
        f"{server['threads']} threads, answers p50 {sample['p50']:.1f} ms, "
        f"p99 {sample['p99']:.1f} ms"
    )


def _people(server: Server, folder: Path) -> dict[str, str]:
    """Tokens by role; they outlive a restart, and so does the file with them."""
    file = folder / "tokens.json"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(json.dumps(add_people(server)))
    tokens: dict[str, str] = json.loads(file.read_text())
    return tokens


def _lines(file: Path) -> list[str]:
    """Whole lines only: the last one may have been cut off."""
    return file.read_text().split("\n")[:-1] if file.exists() else []
