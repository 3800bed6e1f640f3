"""A picture engine that is killed, stopped or crashes: told at once, and soon back."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from websockets.exceptions import ConnectionClosed

from tests.harness import Client, Server
from tests.media.examined import examine
from tests.robustness.bystander import Bystander
from tests.robustness.people import add_people
from tests.robustness.viewer import Viewer
from tests.robustness.vitals import until

TOLD: Final = 1.0
"""Seconds after which ``record`` says that it does not record."""

BACK: Final = 3.0
"""Seconds after which there are pictures again."""

LOST: Final = 1.0
"""Seconds of the film that may be missing before the newest picture that anybody has seen."""

FAULTS: Final[Mapping[str, signal.Signals]] = {
    "kill": signal.SIGKILL,
    "stop": signal.SIGSTOP,
    "crash": signal.SIGSEGV,
}

LIMIT: Final = 30.0

CONFIG: Final = '[recording]\npreset = "ultrafast"\n'


class _Told:
    """What a client is told of ``record``, and when."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._news: list[tuple[float, object]] = []
        self._changed = threading.Condition()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            for text in self._client.socket:
                now, message = time.monotonic(), json.loads(text)
                if "record" in message:
                    with self._changed:
                        self._news.append((now, message["record"]))
                        self._changed.notify_all()
        except ConnectionClosed:
            pass

    def until(self, value: bool) -> float:
        """When the next news of it came, which must be this value."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._news, LIMIT), f"record is not {value}"
            moment, found = self._news.pop(0)
        assert found is value, f"record is told to be {found}, and not {value}"
        return moment


def engines(folder: Path, count: int, seed: int = 1, *, slack: float) -> Iterator[str]:
    """
    Have so many faults of the engine, in the middle of everything.

    While a bystander is served, one records and takes pictures and another one looks
    at the live picture. ``record`` is false as long as there is no engine, and true again
    when there is; both films play, and go on with one another.

    :param slack: seconds more than wanted, for a machine that is busy.
    """
    draw = random.Random(seed)
    times: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    with Server(folder, CONFIG) as server:
        tokens = add_people(server)
        with (
            Bystander(server, tokens["administrator"]) as bystander,
            server.client("admin", max_queue=None) as client,
            server.client("admin", max_queue=None) as watcher,
            Viewer(server.address, tokens["viewer"]) as viewer,
        ):
            client.limit = LIMIT
            wanted = {"resolution": "1280x720", "fps": 30, "pip-mode": "top-left"}
            until(
                lambda: sorted(client.ask(wanted).get("info", [])) == sorted(wanted),
                "the heads deliver what is wanted",
                LIMIT,
            )
            until(lambda: "info" in client.ask({"snap": True}), "there are pictures", LIMIT)
            told = _Told(watcher)
            for number in range(count):
                fault = tuple(FAULTS)[number % len(FAULTS)]
                try:
                    found = _suffer(server, fault, client, told, viewer, bystander, draw, slack)
                except AssertionError as error:
                    raise AssertionError(f"seed {seed}, {number}: {fault}: {error}") from error
                times[fault].append(found)
            seen = bystander.seen()
    for fault, figures in times.items():
        false, true, picture, lost = (max(column) for column in zip(*figures, strict=True))
        yield (
            f"{fault}, {len(figures)} times: record false after {false:.2f} s, true again after "
            f"{true:.2f} s, a live picture after {picture:.2f} s, {lost:.2f} s of what was seen "
            "lost at most"
        )
    yield str(seen)


def _suffer(
    server: Server,
    fault: str,
    client: Client,
    told: _Told,
    viewer: Viewer,
    bystander: Bystander,
    draw: random.Random,
    slack: float,
) -> tuple[float, ...]:
    token = server.login()
    until(lambda: "info" in client.ask({"record": True}), "it records", LIMIT)
    told.until(True)
    began = time.monotonic()
    while time.monotonic() < began + draw.uniform(0.2, 3.0):
        assert client.ask({"snap": True})["info"] == ["snap"]
    viewer.since(time.monotonic(), LIMIT)
    pid = _engine(server, token)["pid"]
    shown, hurt = viewer.shown(), time.monotonic()
    os.kill(pid, FAULTS[fault])
    bystander.is_served()
    false = told.until(False) - hurt
    assert false < TOLD + slack, f"record is false after {false:.2f} s"
    # Nothing is recorded, and nobody is told otherwise; everything else goes on.
    assert "info" in client.ask({"contrast": draw.randrange(101)})
    true = told.until(True) - hurt
    picture = viewer.since(hurt + false, LIMIT) - hurt
    assert max(true, picture) < BACK + slack, f"back after {true:.2f} s, seen {picture:.2f} s"
    assert client.get("record") == {"record": True}
    assert _engine(server, token)["pid"] != pid
    assert client.ask({"snap": True})["info"] == ["snap"]
    assert client.ask({"record": False})["info"] == ["record"]
    told.until(False)
    until(lambda: _closed(server, token), "both films are closed", LIMIT)
    rows = _rows(server, token)
    assert len(rows) == 2, rows
    assert rows[0]["continues"] == rows[1]["id"], rows
    stick = server.data_dir / "simulated-stick"
    second, first = (examine(stick / row["file"]) for row in rows)
    # No slack: a machine that is too busy for all pictures may have fewer, but not older ones.
    lost = shown - first.last
    assert lost < LOST, f"{lost:.2f} s are lost"
    assert second.first > hurt
    for row in rows:
        assert server.request("DELETE", row["url"], token=token).status == 204
    return false, true, picture, lost


def _engine(server: Server, token: str) -> dict[str, Any]:
    engine: dict[str, Any] = server.request("GET", "/api/status", token=token).json()["engine"]
    return engine


def _rows(server: Server, token: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = server.request("GET", "/api/recordings", token=token).json()[
        "recordings"
    ]
    return rows


def _closed(server: Server, token: str) -> bool:
    return all(row["state"] not in ("recording", "interrupted") for row in _rows(server, token))
