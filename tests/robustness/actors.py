"""Who comes to a server in :mod:`tests.robustness.endurance`, and what they do there."""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from rotoclear.control.client import RefusedByServer, call
from rotoclear.state.keys import PIP_MODES
from tests.harness import Client, Server
from tests.robustness.people import PASSWORD
from tests.robustness.vitals import until

PACE: Final = 0.05
"""Seconds between two turns of a slider."""

KEPT: Final = 3
"""Films that are left there."""


class House:
    """
    A server, and what is known of the round.

    :ivar times: milliseconds that changes took to be confirmed.
    :ivar done: what has been done, counted.
    """

    def __init__(self, server: Server, tokens: Mapping[str, str]) -> None:
        self.server = server
        self.tokens = tokens
        self.times: list[float] = []
        self.done: Counter[str] = Counter()
        self._deadline = 0.0

    def begin(self, deadline: float) -> None:
        """A round begins, and ends then."""
        self.times, self.done, self._deadline = [], Counter(), deadline

    def end(self) -> None:
        """The round is over."""
        self._deadline = 0.0

    def open(self, pause: float = 0.0) -> bool:
        """Whether the round goes on, after a pause."""
        left = self._deadline - time.monotonic()
        if pause and left > 0:
            time.sleep(min(pause, left))
        return time.monotonic() < self._deadline

    def client(self, role: str | None = "operator") -> Client:
        """A connection of somebody of that role."""
        client = self.server.client(max_queue=None)
        if role is not None:
            assert client.ask({"token": self.tokens[role]})["authenticated"]
        return client

    def get(self, path: str, role: str | None = "operator") -> Any:
        """An HTTP request, and its answer."""
        return self.server.request("GET", path, token=role and self.tokens[role])

    def simulate(self, action: str, target: str, **arguments: object) -> None:
        """As ``rotoclear simulate``; what makes no sense just now is not done."""
        request = {"action": action, "target": target, "arguments": arguments}
        with contextlib.suppress(RefusedByServer):
            self.call("simulate", request)

    def call(self, do: str, arguments: Mapping[str, object] | None = None) -> dict[str, Any]:
        """Ask over the control socket."""
        return call(self.server.data_dir / "control.sock", do, arguments)


def slider(house: House, draw: random.Random) -> None:
    """Somebody drags a slider, and waits for each confirmation."""
    with house.client() as client:
        value = 0
        while house.open(PACE):
            value = (value + draw.randint(1, 99)) % 101
            began = time.monotonic()
            answer = client.ask({"jpeg-quality": value})
            house.times.append(1000 * (time.monotonic() - began))
            assert answer == {"jpeg-quality": value, "info": ["jpeg-quality"]}, answer
            house.done["changes"] += 1


def painter(house: House, draw: random.Random) -> None:
    """Image settings, which go through the drivers that others ill-treat meanwhile."""
    with house.client() as client:
        while house.open(4 * PACE):
            key = draw.choice(("brightness", "contrast", "saturation", "gain", "cam2-light"))
            value: object = draw.randint(0, 100) if key != "cam2-light" else draw.random() < 0.5
            answer = client.ask({key: value})
            assert answer.get("info") == [key] or answer["error"] in (
                "Not available",
                "Device error",
            ), answer
            house.done["image settings"] += 1


def passers_by(house: House, draw: random.Random) -> None:
    """Who comes, looks at everything and goes, politely or not."""
    while house.open(PACE):
        with house.client(draw.choice((None, "viewer", "operator"))) as client:
            assert len(client.get()) > 20
            if draw.random() < 0.3:
                client.socket.socket.shutdown(socket.SHUT_RDWR)
        house.done["visits"] += 1


def readers(house: House, draw: random.Random) -> None:
    """HTTP of all kinds."""
    paths = (
        "/api/status",
        "/api/health",
        "/api/keys",
        "/api/state",
        "/api/openapi.json",
        "/api/asyncapi.json",
        "/api/recordings",
        "/api/snapshots?limit=5",
        "/metrics",
        "/",
        "/nothing",
    )
    while house.open(2 * PACE):
        answer = house.get(draw.choice(paths))
        assert answer.status in (200, 404), answer
        house.done["requests"] += 1


def people(house: House, draw: random.Random) -> None:
    """Who logs in and out; some do not know their password."""
    while house.open(0.5):
        if draw.random() < 0.2:
            wrong = {"username": f"nobody {draw.random()}", "password": "wrong password"}
            assert house.server.request("POST", "/api/login", wrong).status == 401
            continue
        token = house.server.login("storm-viewer", PASSWORD)
        assert house.server.request("POST", "/api/logout", token=token).status == 204
        house.done["logins"] += 1


def viewers(house: House, draw: random.Random) -> None:
    """Who looks at the live picture in every way there is."""
    while house.open(0.2):
        match draw.choice(("live", "stream", "snapshot")):
            case "live":
                _live(house, draw.randint(1, 15))
            case "stream":
                _stream(house, draw.randint(10, 200) * 1024)
            case "snapshot":
                answer = house.get(f"/api/snapshot?quality={draw.randint(1, 100)}")
                assert answer.status in (200, 409, 502, 503), answer
        house.done["looks"] += 1


def _live(house: House, pictures: int) -> None:
    with Client(house.server.url.replace("/v1", "/live"), max_queue=None) as client:
        client.send({"token": house.tokens["viewer"]})
        while pictures and house.open():
            try:
                if isinstance(client.socket.recv(timeout=0.5), bytes):
                    pictures -= 1
            except TimeoutError:  # the camera is away
                pass


def _stream(house: House, size: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", house.server.port, timeout=0.5)
    with contextlib.closing(connection), contextlib.suppress(TimeoutError):
        headers = {"Authorization": f"Bearer {house.tokens['viewer']}"}
        connection.request("GET", "/api/stream", headers=headers)
        answer = connection.getresponse()
        while size > 0 and house.open() and (piece := answer.read1(65_536)):
            size -= len(piece)


def director(house: House, draw: random.Random) -> None:
    """Who records, takes pictures, fetches and deletes."""
    with house.client() as client:
        while house.open(0.5):
            resolution = draw.choice(("640x480", "1280x720"))
            client.ask({"resolution": resolution, "fps": draw.choice((5, 10, 15))})
            client.ask({"pip-mode": draw.choice(PIP_MODES), "cam1-sensor": draw.choice((1, 2))})
            if "info" in client.ask({"record": True}):
                house.done["films"] += 1
            house.open(draw.uniform(0.5, 3))
            if draw.random() < 0.3:
                client.ask({"record": "pause"})
                client.ask({"record": "pause_release"})
            client.ask({"main-camera": draw.choice((1, 2))})
            if "info" in client.ask({"snap": True}):
                house.done["pictures"] += 1
            house.open(draw.uniform(0.1, 1))
            client.ask({"record": False})
            _fetch(house, draw)
            _delete(house, "recordings")
            _delete(house, "snapshots")


def _fetch(house: House, draw: random.Random) -> None:
    for row in house.get("/api/recordings?limit=1").json()["recordings"]:
        if row["available"]:
            header = {"Range": f"bytes={draw.randint(0, 9999)}-"}
            # Its stick may have been pulled by now, or be pulled in the middle.
            with contextlib.suppress(ConnectionError, http.client.IncompleteRead):
                answer = house.server.request(
                    "GET", row["url"], token=house.tokens["operator"], headers=header
                )
                assert answer.status in (200, 206, 404, 409, 416, 502), answer
                house.done["downloads"] += 1


def _delete(house: House, kind: str) -> None:
    for row in house.get(f"/api/{kind}?limit=100").json()[kind][KEPT:]:
        answer = house.server.request("DELETE", row["url"], token=house.tokens["operator"])
        assert answer.status in (200, 204, 404, 409, 502), answer


def hands(house: House, draw: random.Random) -> None:
    """Cables and sticks are pulled, and plugged in again."""
    while house.open(draw.uniform(0.2, 1.5)):
        target = draw.choice(("1", "2", "2", "light1", "light2", "storage"))
        house.simulate("unplug", target)
        house.open(draw.uniform(0.1, 0.6))
        house.simulate("plug", target)
        house.done["plugs"] += 1


def gremlins(house: House, draw: random.Random) -> None:
    """Drivers hang, crash, flood and lie; the engine is killed now and then."""
    while house.open(draw.uniform(1, 3)):
        match draw.choice(("kill", "hang", "spew", "freeze", "corrupt", "latency", "engine")):
            case "kill":
                drivers = house.call("status")["devices"]["drivers"]
                _kill(draw.choice([driver["pid"] for driver in drivers if driver["pid"]]))
            case "engine" if draw.random() < 0.1:
                body = house.get("/api/status", "administrator").json()
                _kill(body["engine"]["pid"])
            case "engine":
                continue
            case "latency":
                house.simulate("latency", "1", milliseconds=draw.randint(1, 300))
            case fault:
                house.simulate(fault, draw.choice(("1", "2")))
        house.done["faults"] += 1
        house.open(draw.uniform(0.2, 1))
        for target in ("1", "2"):
            house.simulate("clear", target)


def _kill(pid: int | None) -> None:
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def keeper(house: House, draw: random.Random) -> None:
    """Backups, as a timer makes them."""
    while house.open(draw.uniform(1, 4)):
        name = house.call("backup")["file"]
        (house.server.data_dir / name).unlink()
        house.done["backups"] += 1


def vandals(house: House, draw: random.Random) -> None:
    """Clients that send rubbish, too much, or read nothing."""
    while house.open(4 * PACE):
        with contextlib.suppress(ConnectionClosed, OSError):
            draw.choice((_rubbish, _flood, _silent, _half))(house, draw)
        house.done["offences"] += 1


def _rubbish(house: House, draw: random.Random) -> None:
    with connect(house.server.url, max_queue=None) as socket_:
        for _ in range(5):
            socket_.send(draw.choice((b"\0\1", "{", "[]", '{"a": NaN}', "x" * 70_000)))
            socket_.recv(timeout=5)


def _flood(house: House, draw: random.Random) -> None:
    with connect(house.server.url, max_queue=None) as socket_:
        for _ in range(500):
            socket_.send('{"get": ["fps"]}')


def _silent(house: House, draw: random.Random) -> None:
    with socket.create_connection(("127.0.0.1", house.server.port), 5) as raw:
        raw.sendall(
            b"GET /api/v1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            + 50
            * b'\x81\x8c\0\0\0\0{"get": "*"}'
        )
        house.open(draw.uniform(0.1, 2))


def _half(house: House, draw: random.Random) -> None:
    request = b"POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
    with socket.create_connection(("127.0.0.1", house.server.port), 5) as raw:
        raw.sendall(request[: draw.randint(1, len(request))])
        house.open(0.1)


def rest(house: House) -> None:
    """
    Put everything back, and wait until it is so.

    :raises AssertionError: it does not come back.
    """
    for target in ("1", "2", "light1", "light2", "storage"):
        house.simulate("clear", target)
        house.simulate("plug", target)
    with house.client() as client:
        client.ask({"record": False})
        keys = {"cam1-exists": True, "cam2-exists": True, "storage-exists": True, "record": False}

        def back() -> bool:
            # Also a driver that is being started again had to be told.
            for target in ("1", "2", "light1", "light2", "storage"):
                house.simulate("plug", target)
            drivers = house.call("status")["devices"]["drivers"]
            running = all(row["state"] in ("running", "idle", "disabled") for row in drivers)
            return running and client.get(*keys) == keys

        until(back, "devices are back after a round", limit=60.0)


ACTORS: Final[Mapping[str, Callable[[House, random.Random], None]]] = {
    "slider": slider,
    "painter": painter,
    "passers-by": passers_by,
    "readers": readers,
    "people": people,
    "viewers": viewers,
    "director": director,
    "hands": hands,
    "gremlins": gremlins,
    "vandals": vandals,
    "keeper": keeper,
}
