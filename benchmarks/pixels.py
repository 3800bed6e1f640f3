"""One run of the picture engine: a film, viewers, and clients that change something meanwhile."""

from __future__ import annotations

import http.client
import io
import json
import time
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np

from benchmarks.cases import Pixels
from benchmarks.measuring import Figures, generator
from benchmarks.process import children, resident, usage
from benchmarks.servers import Running
from rotoclear.pixels.marks import read_luma
from tests.harness import Client
from tests.robustness.viewer import Viewer

WARM_UP = 3.0
"""Seconds of the recording before anything is measured; what is lost in them counts."""

LIMIT = 60.0

PARTS = ("server", "engine", "writer", "heads")
"""Whose processor time and memory is told."""


class House:
    """The server, as its users see it."""

    def __init__(self, server: Running) -> None:
        self._server = server
        assert server.login is not None
        self.token: str = self._request("POST", "/api/login", json.loads(server.login))["token"]
        self.client = Client(f"ws://127.0.0.1:{server.port}/api/v1", limit=LIMIT, max_queue=None)
        self.client.ask({"token": self.token})

    def set(self, **values: object) -> None:
        """
        Set keys, with ``_`` for ``-``.

        :raises RuntimeError: not all were taken.
        """
        wanted = {name.replace("_", "-"): value for name, value in values.items()}
        answer = self.client.ask(wanted)
        if sorted(answer.get("info", [])) != sorted(wanted):
            raise RuntimeError(f"{wanted} cannot be set: {answer}")

    def ticket(self, path: str) -> str:
        """For an ``<img>``."""
        ticket: str = self._request("POST", "/api/tickets", {"path": path})["ticket"]
        return ticket

    def engine(self) -> dict[str, Any]:
        """What the status says of it."""
        found: dict[str, Any] = self._request("GET", "/api/status")["engine"]
        return found

    def film(self) -> bytes:
        """The newest."""
        (row, *_) = self._request("GET", "/api/recordings")["recordings"]
        return self._raw("GET", row["url"])

    def _request(self, method: str, path: str, body: object = None) -> Any:
        return json.loads(self._raw(method, path, body))

    def _raw(self, method: str, path: str, body: object = None) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=LIMIT)
        headers = {"Content-Type": "application/json"}
        if hasattr(self, "token"):
            headers["Authorization"] = f"Bearer {self.token}"
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse().read()
        connection.close()
        return answer


def _parts(server: int) -> dict[str, list[int]]:
    """The processes of a server, by what they are."""
    parts: dict[str, list[int]] = {part: [] for part in PARTS}
    parts["server"] = [server]
    for pid in children(server):
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        if b"rotoclear.media.engine\0" in command:
            parts["engine"].append(pid)
            parts["writer"] += children(pid)
        elif b"simulated_head" in command:
            parts["heads"].append(pid)
    return parts


def measure_pixels(case: Pixels, seconds: float, server: Running) -> Figures:
    """Record, look at it and change something all at once."""
    house = House(server)
    house.set(resolution=case.size, fps=case.rate, pip_mode=case.pip)
    with ExitStack() as stack:
        address = f"127.0.0.1:{server.port}"
        viewers = [stack.enter_context(Viewer(address, house.token)) for _ in range(case.viewers)]
        dropped = house.engine()["dropped"]
        if case.records:
            house.set(record=True)
        load = stack.enter_context(
            generator(server, 50, "-t", str(seconds), "-k", "jpeg-quality", "-r", "20")
        )
        time.sleep(WARM_UP)
        load.prepare()
        parts, before = _parts(server.pid), house.engine()
        seen = [viewer.pictures for viewer in viewers]
        spent = {pid: usage(pid) for pids in parts.values() for pid in pids}
        began = time.monotonic()
        figures = load.run()
        took = time.monotonic() - began
        after = house.engine()
        for part, pids in parts.items():
            used = sum((usage(pid) - spent[pid]).running for pid in pids)
            figures[f"{part}_percent"] = used / took * 100
            figures[f"{part}_mib"] = sum(map(resident, pids)) / 1024
        figures["fps"] = (after["frames"] - before["frames"]) / took
        figures["dropped"] = after["dropped"] - dropped
        figures["viewer_fps"] = min(
            ((viewer.pictures - old) / took for viewer, old in zip(viewers, seen, strict=True)),
            default=0.0,
        )
        if case.records:
            house.set(record=False)
    house.client.close()
    figures |= _looked_at(house.film()) if case.records else {"pictures": 0, "missing": 0}
    return figures


def _looked_at(film: bytes) -> Figures:
    """How many pictures a film has, and how many of those the camera took it has not."""
    with av.open(io.BytesIO(film)) as container:
        container.streams.video[0].thread_type = "AUTO"
        counts = []
        for frame in container.decode(video=0):
            plane = frame.planes[0]
            luma = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
            counts.append(read_luma(luma[: frame.height, : frame.width]).count)
    wrong = sum(abs(later - earlier - 1) for earlier, later in pairwise(counts))
    return {"pictures": len(counts), "missing": wrong}
