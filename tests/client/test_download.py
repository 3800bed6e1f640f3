"""Downloads from a server in memory that is as bad as the test wants it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from rotoclear.client.backoff import Backoff
from rotoclear.client.catalogue import Entry, page_of
from rotoclear.client.download import FRUITLESS, PIECE, Download, Progress
from rotoclear.client.errors import (
    ConnectionFailed,
    Corrupted,
    Disconnected,
    LoginRefused,
    NotAvailable,
    PermissionDenied,
    Refused,
    TooManyAttempts,
)
from rotoclear.client.http import Http, problem

DATA = bytes(range(256)) * 4096  # a MiB
SHA256 = hashlib.sha256(DATA).hexdigest()

ENTRY = Entry(
    kind="recordings",
    id="20261124T093005Z-45e2ab2e",
    began=datetime(2026, 11, 24, tzinfo=UTC),
    size=len(DATA),
    file="2026/11/24/rotoclear-20261124-093005.mp4",
    sha256=SHA256,
)


class Answer:
    def __init__(self, status: int, headers: Mapping[str, str], body: bytes, cut: int | None):
        self.status = status
        self.headers = headers
        self._body = body
        self._cut = cut

    async def chunks(self) -> AsyncIterator[bytes]:
        body = self._body if self._cut is None else self._body[: self._cut]
        for at in range(0, len(body), 10_000):
            yield body[at : at + 10_000]
        if self._cut is not None:
            raise Disconnected("It broke")

    def close(self) -> None:
        pass


class Shelf:
    """
    The server.

    :ivar cuts: after how many bytes each answer breaks off; ``None``: not at all;
        ``-1``: there is none.
    """

    def __init__(self, data: bytes = DATA, *, cuts: list[int | None] | None = None) -> None:
        self.data = data
        self.cuts = cuts or []
        self.asked: list[Mapping[str, str]] = []
        self.tag = '"one"'
        self.slept: list[float] = []

    async def exchange(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> Answer:
        assert (method, path) == ("GET", ENTRY.path)
        assert headers["Authorization"] == "Bearer t-1"
        self.asked.append(headers)
        cut = self.cuts.pop(0) if self.cuts else None
        if cut == -1:
            raise ConnectionFailed("Nobody there")
        digest = base64.b64encode(hashlib.sha256(self.data).digest()).decode()
        told = {"etag": self.tag, "repr-digest": f"sha-256=:{digest}:"}
        begin = 0
        if "Range" in headers and headers.get("If-Range", self.tag) == self.tag:
            begin = int(headers["Range"].removeprefix("bytes=").removesuffix("-"))
            size = len(self.data)
            if begin >= size:
                return Answer(416, {"content-range": f"bytes */{size}"}, b"{}", None)
            told["content-range"] = f"bytes {begin}-{size - 1}/{size}"
        rest = self.data[begin:]
        told["content-length"] = str(len(rest))
        return Answer(206 if begin else 200, told, rest, cut)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def in_thread(self, function: Callable[..., Any], *arguments: Any) -> Awaitable[Any]:
        async def call() -> Any:
            return function(*arguments)

        return call()


def play(work: Coroutine[Any, Any, Path]) -> Path:
    """Run what never really waits."""
    try:
        work.send(None)
    except StopIteration as done:
        path: Path = done.value
        return path
    raise AssertionError("it waits")


def fetch(shelf: Shelf, target: Path, entry: Entry = ENTRY, **options: Any) -> Path:
    download = Download(
        shelf,
        Http(shelf, lambda: "t-1"),
        entry,
        target,
        backoff=Backoff(lambda: 1.0),
        **{"overwrite": False, "progress": None, "retry": True, **options},
    )
    return play(download.run())


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "film.mp4"


@pytest.fixture
def part(target: Path) -> Path:
    return target.with_name(f"film.mp4.{ENTRY.id}.part")


def test_whole(target: Path, part: Path) -> None:
    told: list[Progress] = []
    assert fetch(Shelf(), target, progress=told.append) == target
    assert target.read_bytes() == DATA
    assert not part.exists()
    assert told[0] == Progress(0, len(DATA))
    assert told[-1] == Progress(len(DATA), len(DATA))
    assert all(b.received - a.received <= PIECE + 10_000 for a, b in pairwise(told))


def test_goes_on_after_a_loss(target: Path) -> None:
    shelf = Shelf(cuts=[300_000, -1, 500_000])
    fetch(shelf, target)
    assert target.read_bytes() == DATA
    assert [asked.get("Range") for asked in shelf.asked] == [
        None,
        "bytes=300000-",
        "bytes=300000-",
        "bytes=800000-",
    ]
    assert shelf.asked[1]["If-Range"] == '"one"'
    # A while longer when nothing came, from the beginning when something did.
    assert shelf.slept == [1.0, 2.0, 1.0]


def test_goes_on_after_the_program_has_ended(target: Path, part: Path) -> None:
    with pytest.raises(Disconnected):
        fetch(Shelf(cuts=[700_000]), target, retry=False)
    assert part.stat().st_size == 700_000
    assert not target.exists()
    shelf = Shelf()
    fetch(shelf, target)
    assert shelf.asked[0]["Range"] == "bytes=700000-"
    assert target.read_bytes() == DATA


def test_everything_was_here_already(target: Path, part: Path) -> None:
    part.write_bytes(DATA)
    fetch(Shelf(), target)
    assert target.read_bytes() == DATA


@pytest.mark.parametrize("left", [b"x" * 5000, b"x" * (len(DATA) + 5), b"x" * len(DATA)])
def test_what_is_left_of_something_else_is_thrown_away(
    target: Path, part: Path, left: bytes
) -> None:
    part.write_bytes(left)
    fetch(Shelf(), target)
    assert target.read_bytes() == DATA


def test_file_changes_under_way(target: Path) -> None:
    shelf = Shelf(cuts=[300_000])
    exchange = shelf.exchange

    async def changing(*arguments: Any) -> Answer:
        if shelf.asked:
            shelf.data, shelf.tag = DATA[::-1], '"two"'
        return await exchange(*arguments)

    shelf.exchange = changing  # type: ignore[method-assign]
    fetch(shelf, target, evolve(ENTRY, sha256=""))
    assert target.read_bytes() == DATA[::-1]


def test_wrong_bytes_are_thrown_away(target: Path, part: Path) -> None:
    shelf = Shelf()
    exchange = shelf.exchange

    async def spoilt(*arguments: Any) -> Answer:
        answer = await exchange(*arguments)
        answer._body = b"!" + answer._body[1:]
        return answer

    shelf.exchange = spoilt  # type: ignore[method-assign]
    with pytest.raises(Corrupted):
        fetch(shelf, target)
    assert not target.exists()
    assert not part.exists()


def test_gives_up_in_the_end(target: Path) -> None:
    shelf = Shelf(cuts=[-1] * 100)
    with pytest.raises(ConnectionFailed):
        fetch(shelf, target)
    assert len(shelf.asked) == FRUITLESS


def test_nothing_is_replaced_unless_asked(target: Path) -> None:
    target.write_bytes(b"mine")
    with pytest.raises(FileExistsError, match=r"film\.mp4 is there already"):
        fetch(Shelf(), target)
    assert target.read_bytes() == b"mine"
    fetch(Shelf(), target, overwrite=True)
    assert target.read_bytes() == DATA


def test_nothing_is_replaced_that_has_come_meanwhile(target: Path, part: Path) -> None:
    with pytest.raises(FileExistsError):
        fetch(Shelf(), target, progress=lambda _: target.write_bytes(b"mine") and None)
    assert target.read_bytes() == b"mine"
    assert part.read_bytes() == DATA


def test_another_part_than_was_asked_for(target: Path, part: Path) -> None:
    part.write_bytes(DATA[:1000])
    shelf = Shelf()
    exchange = shelf.exchange

    async def wrong(*arguments: Any) -> Answer:
        answer = await exchange(*arguments)
        return Answer(206, {**answer.headers, "content-range": "bytes 5-9/10"}, b"12345", None)

    shelf.exchange = wrong  # type: ignore[method-assign]
    with pytest.raises(ConnectionFailed, match="another part"):
        fetch(shelf, target, retry=False)
    assert part.read_bytes() == DATA[:1000]


# -- names and errors ----------------------------------------------------------


@pytest.mark.parametrize(
    "file", ["../../etc/passwd\0", "a/..", "", "/", "x/.hidden", "a\\b.mp4", "x" * 300, "a\nb.mp4"]
)
def test_names_are_plain(file: str) -> None:
    assert evolve(ENTRY, file=file).name == f"{ENTRY.id}.mp4"
    assert ENTRY.name == "rotoclear-20261124-093005.mp4"


def test_list_that_makes_no_sense() -> None:
    row = {"id": ENTRY.id, "began": "2026-11-24T09:30:05.475Z"}
    assert page_of("recordings", {"recordings": [row], "total": 1, "next": None}).total == 1
    for wrong in (
        None,
        [],
        {},
        {"recordings": 1, "total": 1, "next": None},
        {"recordings": [{**row, "id": "../x"}], "total": 1, "next": None},
        {"recordings": [{**row, "began": "yesterday"}], "total": 1, "next": None},
    ):
        with pytest.raises(ValueError, match="makes no sense"):
            page_of("recordings", wrong)


def test_problems() -> None:
    body = b'{"error": "%s", "message": "It says why"}'
    for status, error, kind in (
        (401, b"Not logged in", LoginRefused),
        (403, b"Permission denied", PermissionDenied),
        (403, b"Invalid credentials", PermissionDenied),
        (409, b"Not available", NotAvailable),
        (418, b"I am a teapot", Refused),
    ):
        found = problem(status, {}, body % error)
        assert type(found) is kind
        assert str(found) == "It says why"
    many = problem(429, {"retry-after": "240"}, body % b"Too many attempts")
    assert isinstance(many, TooManyAttempts)
    assert many.retry_after == 240
    assert isinstance(problem(502, {}, b"<html>"), ConnectionFailed)
