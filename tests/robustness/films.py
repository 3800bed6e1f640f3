"""Recordings that are cut off: ``kill -9`` of the engine, a camera's driver, the server, or all."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from attrs import define, field
from websockets.exceptions import ConnectionClosed

from rotoclear.media.files.measure import measure
from tests.harness import Client, Server
from tests.media.examined import Examined, examine
from tests.media.processes import ENGINE, WRITER, processes
from tests.robustness.vitals import until

LOST: Final = 1.0
"""Seconds of a recording that may be missing at its end."""

ON_ITS_WAY: Final = 0.5
"""Seconds that a picture may take from the camera into the film, on a machine that is busy."""

VICTIMS: Final = ("engine", "driver", "server", "everything")
"""What is killed; a driver is that of the active camera, or of the other one."""

LIMIT: Final = 30.0
"""Seconds within which everything is looked after, on a machine that has much else to do."""

CONFIG: Final = """\
[recording]
preset = "ultrafast"
segment-minutes = 0.05
"""
"""
A new file every three seconds: some are cut off at a border.

Any sooner there would be no process ready that writes the next one.
"""


@define
class Operator:
    """
    Records, and does in the middle of it whatever comes to its mind, in a thread.

    :ivar since: when the recording that runs was confirmed; ``None``: it does not run.
    :ivar periods: those before: from its confirmation until the pause was asked for.
    :ivar snaps: pictures that were confirmed.
    :ivar error: what ended it, if that was not the connection's end.
    """

    client: Client
    draw: random.Random
    since: float | None = None
    periods: list[tuple[float, float]] = field(factory=list)
    snaps: int = 0
    error: BaseException | None = None
    _enough: threading.Event = field(factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to record, and go on in the background."""
        answer = self.client.ask({"record": True})
        assert answer.get("info") == ["record"], answer
        self.since = time.monotonic()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """
        Do no more.

        :raises AssertionError: it has failed, and the connection was not the reason.
        """
        self._enough.set()
        assert self._thread is not None
        self._thread.join(LIMIT)
        assert not self._thread.is_alive(), "the operator waits for ever"
        if self.error is not None:
            raise AssertionError(f"the operator failed: {self.error!r}")

    def must_have(self, killed: float) -> float | None:
        """The last moment that must be in a film; ``None``: none must be."""
        sure = killed - LOST
        # What is on its way from the camera when it is paused is left out.
        periods = [(begin, end - ON_ITS_WAY) for begin, end in self.periods]
        if self.since is not None:
            periods.append((self.since, killed))
        ends = [min(end, sure) for begin, end in periods if begin <= min(end, sure)]
        return max(ends, default=None)

    def _run(self) -> None:
        try:
            while not self._enough.wait(self.draw.uniform(0.0, 0.3)):
                self._step()
        except ConnectionClosed:
            pass
        except BaseException as error:  # noqa: BLE001 - told by stop()
            self.error = error

    def _step(self) -> None:
        step = self.draw.choice(["snap", "snap", "pause", "pause", "head", "nothing"])
        if step == "snap":
            self.snaps += "info" in self.client.ask({"snap": True})
        elif step == "head":
            self.client.ask({"main-camera": self.draw.choice([1, 2])})
        elif step == "pause" and self.since is not None:
            since, self.since = self.since, None
            self.periods.append((since, time.monotonic()))
            self.client.ask({"record": "pause"})
        elif step == "pause" and "info" in self.client.ask({"record": "pause_release"}):
            self.since = time.monotonic()


@define
class Figures:
    """What was seen, by the victim."""

    lost: dict[str, list[float]] = field(factory=lambda: defaultdict(list))
    states: dict[str, dict[str, int]] = field(factory=lambda: defaultdict(lambda: defaultdict(int)))
    pictures: int = 0
    snaps: int = 0

    def lines(self) -> Iterator[str]:
        """For people."""
        for victim, states in self.states.items():
            lost = self.lost[victim]
            films = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
            yield (
                f"{victim}: {films}; at most {max(lost, default=0.0):.2f} s lost "
                f"in {len(lost)} that were running"
            )
        yield f"{self.pictures} pictures decoded twice, {self.snaps} snapshots"


def cuts(
    folder: Path, count: int, seed: int = 1, victims: Sequence[str] = VICTIMS
) -> Iterator[str]:
    """
    Kill each of them so many times while somebody records, pauses and takes pictures.

    Each time all but the last second is in films that two decoders find nothing wrong
    with; they are listed, with fields that are true, and nothing else is on the volume.
    """
    draw = random.Random(seed)
    figures = Figures()
    with Server(folder, CONFIG) as server:
        studio = _Studio(server, draw, figures)
        for number in range(count):
            for victim in victims:
                try:
                    studio.suffer(victim)
                except AssertionError as error:
                    raise AssertionError(f"seed {seed}, {number}, {victim}: {error}") from error
    yield from figures.lines()


class _Studio:
    """A server, and what is on its stick."""

    def __init__(self, server: Server, draw: random.Random, figures: Figures) -> None:
        self._server = server
        self._draw = draw
        self._figures = figures
        self._token = server.login()
        self._stick = server.data_dir / "simulated-stick"
        with server.client("admin") as client:
            assert "error" not in client.ask({"resolution": "640x480", "fps": 30})

    def suffer(self, victim: str) -> None:
        """Once, from the beginning of a recording until all of it is gone again."""
        server = self._server
        began = time.time()
        client = self._client()
        self._ready(client)
        operator = Operator(client, random.Random(self._draw.random()))
        operator.start()
        time.sleep(self._draw.uniform(0.0, 4.5))
        killed = self._kill(victim)
        operator.stop()
        client.close()
        if not server.running:
            server.start()
        with self._client() as client:
            self._end(client, went_on=victim in ("engine", "driver"))
            rows = self._listed("recordings")
            films = self._examined(rows, began)
            self._nothing_is_lost(victim, operator, killed, films)
            pictures = self._listed("snapshots")
            assert len(pictures) >= operator.snaps, "a snapshot that was confirmed is lost"
            self._figures.snaps += len(pictures)
            for row in rows:
                self._figures.states[victim][row["state"]] += 1
            if victim == "engine" and len(films) > 1:
                chained = {row["continues"] for row in rows} - {""}
                assert chained <= {row["id"] for row in rows}, rows
            for row in (*rows, *pictures):
                assert server.request("DELETE", row["url"], token=self._token).status == 204
            left = [path for path in self._stick.rglob("*.mp4*") if path.is_file()]
            assert not left, f"films that are not listed: {left}"

    def _client(self) -> Client:
        client = self._server.client(max_queue=None)
        assert client.ask({"token": self._token})["authenticated"]
        client.limit = LIMIT
        return client

    def _ready(self, client: Client) -> None:
        """Everything is as it was before."""
        until(lambda: self._engine()["state"] == "running", "the engine runs", LIMIT)
        for key in ("cam1-exists", "cam2-exists", "storage-exists"):
            until(lambda key=key: client.get(key)[key], key, LIMIT)  # type: ignore[misc]
        # The first picture of a camera takes its time, on a machine that is busy.
        until(lambda: "info" in client.ask({"snap": True}), "there are pictures", LIMIT)
        for row in self._rows("snapshots"):
            self._server.request("DELETE", row["url"], token=self._token)

    def _engine(self) -> dict[str, Any]:
        status = self._server.request("GET", "/api/status", token=self._token)
        engine: dict[str, Any] = status.json()["engine"]
        return engine

    def _kill(self, victim: str) -> float:
        """Kill it; return when."""
        server = self._server
        match victim:
            case "engine":
                pids = processes(server, ENGINE)
            case "driver":
                pids = processes(server, f"simulated_head_{self._draw.choice([1, 2])}")
            case "server":
                pids = [server.pid]
            case _:
                pids = [*processes(server, WRITER), *processes(server, ENGINE), server.pid]
                pids += processes(server, "rotoclear.devices.host")
        killed = time.monotonic()
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if server.pid in pids:
            server.kill()
        return killed

    def _end(self, client: Client, *, went_on: bool) -> None:
        """End the recording, if it went on; nothing else may have begun one."""
        if went_on:
            until(lambda: self._engine()["state"] == "running", "the engine is back", LIMIT)
            # It goes on by itself, if it does, as soon as there is an engine.
            until(lambda: "error" not in client.ask({"record": False}), "it ends", LIMIT)
        assert client.get("record") == {"record": False}

    def _rows(self, kind: str) -> list[dict[str, Any]]:
        answer = self._server.request("GET", f"/api/{kind}?limit=500", token=self._token)
        rows: list[dict[str, Any]] = answer.json()[kind]
        return rows

    def _listed(self, kind: str) -> list[dict[str, Any]]:
        """The rows, when all that there is to know is known."""

        def settled() -> bool:
            parts = [*self._stick.rglob("*.part")] if kind == "recordings" else []
            rows = self._rows(kind)
            return not parts and all(
                row["state"] == "damaged"
                or (row["state"] in ("complete", "recovered") and row["sha256"])
                for row in rows
            )

        until(settled, f"all {kind} are looked after", LIMIT)
        return self._rows(kind)

    def _examined(self, rows: list[dict[str, Any]], began: float) -> list[Examined]:
        films = []
        for row in rows:
            if row["state"] == "damaged":
                assert not (self._stick / row["file"]).exists(), f"it could be kept: {row}"
                continue
            path = self._stick / row["file"]
            film = examine(path)
            content = path.read_bytes()
            with path.open("rb") as file:
                closed = measure(file).closed
            told = {
                "size": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
                "width": film.width,
                "height": film.height,
                "state": "complete" if closed else "recovered",
                "available": True,
            }
            assert {name: row[name] for name in told} == told, row
            assert abs(row["duration"] - film.times[-1] - 1 / 30) < 0.1, (row, film.times[-1])
            assert row["camera"] in (0, 1, 2), row
            moment = time.mktime(time.strptime(row["began"][:19], "%Y-%m-%dT%H:%M:%S"))
            assert abs(moment - time.timezone - began) < 60, row
            films.append(film)
            self._figures.pictures += len(film.marks)
        return films

    def _nothing_is_lost(
        self, victim: str, operator: Operator, killed: float, films: list[Examined]
    ) -> None:
        needed = operator.must_have(killed)
        # Of those that go on behind it, only what was before.
        before = [
            mark.time / 1000
            for film in films
            for mark in film.marks
            if mark.time / 1000 <= killed + 0.001
        ]
        last = max(before, default=0.0)
        if needed is not None:
            assert last >= needed, f"{needed - last:.2f} s more than {LOST} s are lost"
        if operator.since is not None and before:
            # What was paused is not lost.
            self._figures.lost[victim].append(killed - max(last, operator.since))
