"""Ends in the middle of a storm of updates: ``kill -9``, and in good order."""

from __future__ import annotations

import random
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from attrs import define, field, frozen
from websockets.exceptions import ConnectionClosed

from tests.harness import Client, Server
from tests.robustness.people import PASSWORD, add_people

SAVED_WITHIN: Final = 1.0
"""Seconds after its confirmation within which a setting is on the disk."""

OWNED: Final = (
    ("brightness", "contrast"),
    ("sharpness", "saturation"),
    ("gain", "red-gain"),
    ("blue-gain", "jpeg-quality"),
)
"""Which keys which client of the storm changes: 0, 1, 2 ... 100, 0, 1 ..."""

VALUES: Final = 101

PACE: Final = 0.02
"""
Seconds between two changes of a client.

A value comes again after two seconds at the earliest: what is found after the
kill tells when it was set.
"""

GOING_AWAY: Final = 1001


@frozen
class Change:
    """
    One value that was sent.

    :ivar confirmed: when that was confirmed; ``None``: it was not.
    """

    value: int
    confirmed: float | None


@define
class Writer:
    """
    One client of the storm, in a thread of its own.

    :ivar history: of each key: the value it had, then what was sent, in order.
    :ivar closed: the close code that ended it; 1006: there was none.
    :ivar error: what else ended it.
    """

    client: Client
    history: dict[str, list[Change]]
    closed: int | None = None
    error: BaseException | None = None
    _thread: threading.Thread | None = None

    @classmethod
    def start(
        cls, server: Server, token: str, keys: tuple[str, ...], now: Mapping[str, int]
    ) -> Writer:
        """Log in and begin."""
        client = server.client(max_queue=None)
        assert client.ask({"token": token})["authenticated"]
        long_ago = float("-inf")
        writer = cls(client, {key: [Change(now[key], long_ago)] for key in keys})
        writer._thread = threading.Thread(target=writer._run, daemon=True)
        writer._thread.start()
        return writer

    def join(self) -> None:
        """
        Wait for its end.

        :raises AssertionError: it was not the connection's end.
        """
        assert self._thread is not None
        self._thread.join(10)
        assert not self._thread.is_alive(), "a client of the storm does not end"
        assert self.error is None, f"a client of the storm failed: {self.error!r}"

    def _run(self) -> None:
        try:
            for number in range(1_000_000):
                self._change(number)
                time.sleep(PACE)
        except ConnectionClosed as closed:
            self.closed = closed.rcvd.code if closed.rcvd else 1006
        except BaseException as error:  # noqa: BLE001 - told by join()
            self.error = error

    def _change(self, number: int) -> None:
        wanted = {key: (past[-1].value + 1) % VALUES for key, past in self.history.items()}
        for key, value in wanted.items():
            self.history[key].append(Change(value, None))
        self.client.send({**wanted, "id": number})
        while (answer := self.client.receive()).get("id") != number:
            pass
        assert {key: answer.get(key) for key in wanted} == wanted, answer
        confirmed = time.monotonic()
        for key, value in wanted.items():
            self.history[key][-1] = Change(value, confirmed)


@define
class Storm:
    """Clients that change settings all the time, and what they were told."""

    writers: list[Writer] = field(factory=list)

    @classmethod
    def start(cls, server: Server, token: str) -> Storm:
        """Begin, from the values that there are."""
        with server.client() as client:
            client.ask({"token": token})
            now = client.get()
        return cls([Writer.start(server, token, keys, now) for keys in OWNED])

    def join(self) -> list[int | None]:
        """Wait for the ends of all clients; their close codes."""
        for writer in self.writers:
            writer.join()
        return [writer.closed for writer in self.writers]

    def confirmed(self) -> int:
        """How many changes were confirmed."""
        return sum(
            change.confirmed is not None
            for writer in self.writers
            for past in writer.history.values()
            for change in past[1:]
        )

    def check(self, found: Mapping[str, Any], sure: float) -> float:
        """
        Compare what is there after the restart with what was confirmed.

        Each key must have the last value that was confirmed before a moment,
        or one of those after it.

        :param sure: the moment.
        :return: when the oldest change that was lost had been confirmed.
        """
        lost = float("inf")
        for writer in self.writers:
            for key, past in writer.history.items():
                last = max(
                    number
                    for number, change in enumerate(past)
                    if change.confirmed is not None and change.confirmed <= sure
                )
                late = past[last:]
                assert len(late) < VALUES, f"{key}: too many changes to tell them apart"
                values = [change.value for change in late]
                assert found[key] in values, (
                    f"{key} is {found[key]}; confirmed in time was {values[0]}, then {values[1:]}"
                )
                for change in late[values.index(found[key]) + 1 :]:
                    if change.confirmed is not None:
                        lost = min(lost, change.confirmed)
        return lost


def kills(folder: Path, count: int, seed: int = 1) -> Iterator[str]:
    """
    Kill the server so many times in the middle of a storm, and start it again.

    Each time the database is sound, what was confirmed more than a second
    before is there, tokens work, and users are those that were added.
    """
    draw = random.Random(seed)
    confirmed = 0
    oldest = 0.0
    slowest = 0.0
    users = ["admin", "storm-operator", "storm-viewer"]
    with Server(folder) as server:
        tokens = add_people(server)
        admin = tokens["administrator"]
        for number in range(count):
            storm = Storm.start(server, tokens["operator"])
            # What must be on the disk before its answer, at any moment of the storm.
            time.sleep(draw.uniform(0.0, 1.3))
            fresh = server.login("storm-viewer", PASSWORD)
            users.append(f"user-{number}")
            role = draw.choice(["viewer", "operator"])
            answer = server.request(
                "POST",
                "/api/users",
                {"name": users[-1], "role": role, "password": PASSWORD},
                token=admin,
            )
            assert answer.status == 201, answer
            time.sleep(draw.uniform(0.0, 0.7))
            killed = time.monotonic()
            server.kill()
            codes = storm.join()
            assert codes == [1006] * len(codes), codes
            _check_file(server.data_dir, folder / "copy")
            began = time.monotonic()
            server.start()
            slowest = max(slowest, time.monotonic() - began)
            for token in (admin, fresh):
                with server.client() as client:
                    assert client.ask({"token": token})["authenticated"], "a token is lost"
                    found = client.get()
            oldest = max(oldest, killed - storm.check(found, killed - SAVED_WITHIN))
            confirmed += storm.confirmed()
            assert _users(server, admin) == sorted(users)
        answer = server.request("POST", "/api/login", {"username": users[-1], "password": PASSWORD})
        assert answer.status == 200, answer
    yield f"{count} times kill -9 (seed {seed}), {confirmed} changes confirmed"
    yield f"the oldest confirmed change that was lost was {1000 * oldest:.0f} ms old"
    yield f"back within {slowest:.1f} s"


def restarts(folder: Path, count: int, seed: int = 1) -> Iterator[str]:
    """
    End the server so many times with SIGTERM in the middle of a storm.

    Each client gets 1001; everything that was confirmed is there, whenever
    that was; tokens work; nothing is recording.
    """
    draw = random.Random(seed)
    confirmed = 0
    slowest = 0.0
    with Server(folder) as server:
        tokens = add_people(server)
        for _ in range(count):
            storm = Storm.start(server, tokens["operator"])
            with server.client() as recorder:
                recorder.ask({"token": tokens["operator"]})
                assert recorder.ask({"record": True})["record"] is True
            time.sleep(draw.uniform(0.0, 0.7))
            began = time.monotonic()
            server.terminate()
            slowest = max(slowest, time.monotonic() - began)
            codes = storm.join()
            assert codes == [GOING_AWAY] * len(codes), codes
            server.start()
            with server.client() as client:
                assert client.ask({"token": tokens["viewer"]})["authenticated"], "a token is lost"
                found = client.get()
            storm.check(found, float("inf"))
            assert found["record"] is False
            assert found["snap"] is False
            confirmed += storm.confirmed()
    yield f"{count} times SIGTERM (seed {seed}), {confirmed} changes confirmed, none lost"
    yield f"ended within {slowest:.1f} s"


def _check_file(data_dir: Path, copy: Path) -> None:
    """Look into a copy, so that the server finds the files as the kill left them."""
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    for file in data_dir.glob("rotoclear.db*"):
        shutil.copy(file, copy)
    connection = sqlite3.connect(copy / "rotoclear.db")
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    finally:
        connection.close()


def _users(server: Server, token: str) -> list[str]:
    answer = server.request("GET", "/api/users", token=token)
    return [user["name"] for user in answer.json()["users"]]
