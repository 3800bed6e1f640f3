"""The engine's recording, with a real encoder, real processes that write, and real files."""

from __future__ import annotations

import contextlib
import fcntl
import os
import queue
import resource
import shlex
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from rotoclear.media.engine import wire
from rotoclear.media.engine.encode import Encoded, available
from rotoclear.media.engine.recording import WAITING, Recording
from rotoclear.media.files.measure import measure
from tests.media.counted import FRAME, RATE, counted, numbers, times

LIMIT = 20.0
"""Seconds, on a machine that has much else to do."""

PLAN = wire.Plan(preset="ultrafast", reserve=1)


class Studio:
    """
    A recording, and somebody who asks for things and writes down what comes of it.

    :ivar said: everything but answers.
    """

    def __init__(self, volume: Path) -> None:
        self.volume = volume
        self.said: list[wire.FromEngine] = []
        self.streamed: list[tuple[Encoded, int]] = []
        self._answers: queue.SimpleQueue[tuple[int, str]] = queue.SimpleQueue()
        self._next = 0
        self._number = 0
        self.recording = Recording(
            self, lambda encoded, taken: self.streamed.append((encoded, taken))
        )
        self.recording.start()

    # a Reporter

    def answer(self, request: int, result: object = None) -> None:
        self._answers.put((request, ""))

    def refuse(self, request: int, message: str) -> None:
        self._answers.put((request, message))

    def send(self, message: wire.FromEngine) -> None:
        self.said.append(message)

    # asking

    def order(self, make: Callable[[int], wire.ToEngine]) -> int:
        self._next += 1
        self.recording.order(make(self._next))
        return self._next

    def answered(self, request: int) -> str:
        """Wait for the answer; what it was refused with, or nothing."""
        number, refusal = self._answers.get(timeout=LIMIT)
        assert number == request
        return refusal

    def record(self, plan: wire.Plan = PLAN) -> None:
        """Begin, and give it pictures until it has begun."""
        request = self.order(lambda number: wire.Record(number, str(self.volume), plan, "a title"))
        while self._answers.empty():
            self.shoot(1)
            time.sleep(0.02)
        assert self.answered(request) == ""

    def shoot(self, count: int, **options: Any) -> None:
        """The camera takes so many pictures, no faster than films can be begun with them."""
        for _ in range(count):
            self.recording.put(counted(self._number, **options))
            self._number += 1
            self.settle()
            while (take := self.recording._takes.current) is not None and not take.file:
                time.sleep(0.002)

    def skip(self, count: int) -> None:
        """Pictures that nobody ever sees."""
        self._number += count

    @property
    def taken(self) -> int:
        return self._number

    def settle(self) -> None:
        """Wait until everything so far is done."""
        done = threading.Event()
        self.recording._told(done, None)  # type: ignore[arg-type]  # of no film: done and forgotten
        while not self.recording._orders.empty():
            time.sleep(0.0005)

    def stop(self) -> None:
        assert self.answered(self.order(wire.Stop)) == ""

    def pause(self) -> None:
        assert self.answered(self.order(wire.Pause)) == ""

    def heard(self, kind: type, count: int = 1) -> list[Any]:
        """Wait until so many of these were said."""
        end = time.monotonic() + LIMIT
        while len(found := [one for one in self.said if isinstance(one, kind)]) < count:
            assert time.monotonic() < end, self.said
            time.sleep(0.01)
        return found

    def films(self) -> list[Path]:
        """In the order in which they were begun."""
        return [self.volume / opened.file for opened in self.heard(wire.Opened, 0)]

    def writer(self) -> int:
        """The process that writes now."""
        take = self.recording._takes.current
        assert take is not None
        return take.film.pid


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    # Here pictures are counted, on a machine that may be busy with something else for long.
    monkeypatch.setattr("rotoclear.media.engine.recording.STALE", float("inf"))
    studio = Studio(tmp_path)
    yield studio
    if studio.recording.state != "off":
        studio.stop()


def test_every_picture_once(studio: Studio) -> None:
    studio.record()
    studio.shoot(90)
    studio.stop()
    (film,) = studio.films()
    assert numbers(film) == list(range(studio.taken))
    shown = times(film)
    assert shown[-1] == pytest.approx((studio.taken - 1) / 30, abs=0.001)
    (closed,) = studio.heard(wire.Closed)
    assert closed.frames == studio.taken
    assert closed.ended == ""
    assert closed.size == film.stat().st_size
    (hashed,) = studio.heard(wire.Hashed)
    assert len(hashed.sha256) == 64


def test_what_is_paused_is_left_out(studio: Studio) -> None:
    """Exactly that, and its time with it."""
    studio.record()
    studio.shoot(10)
    studio.pause()
    before = studio.taken
    studio.skip(300)
    after = studio.taken
    request = studio.order(wire.Resume)
    studio.shoot(20)
    assert studio.answered(request) == ""
    studio.stop()
    (film,) = studio.films()
    assert numbers(film) == [*range(before), *range(after, studio.taken)]
    assert times(film) == pytest.approx([n / 30 for n in range(before + 20)], abs=0.001)


def test_segments_without_a_gap(studio: Studio) -> None:
    studio.record(wire.Plan(preset="ultrafast", reserve=1, segment_seconds=1))
    studio.shoot(120)
    studio.stop()
    studio.heard(wire.Hashed, 4)
    films = studio.films()
    assert len(films) >= 4
    found = [numbers(film) for film in films]
    assert [*chain(*found)] == list(range(studio.taken))
    assert len(found[1]) == 30
    assert times(films[1])[0] == 0
    assert len({film.name for film in films}) == len(films)


def test_segments_by_size(studio: Studio) -> None:
    studio.record(wire.Plan(preset="ultrafast", reserve=1, segment_bytes=5_000))
    studio.shoot(60)
    studio.stop()
    studio.heard(wire.Hashed, 2)
    assert [*chain(*map(numbers, studio.films()))] == list(range(studio.taken))


def test_another_size_is_another_film(studio: Studio) -> None:
    studio.record()
    studio.shoot(5)
    first = studio.taken
    studio.shoot(5, size=(640, 480))
    studio.stop()
    studio.heard(wire.Hashed, 2)
    one, two = studio.films()
    assert numbers(one) == list(range(first))
    assert numbers(two) == list(range(first, studio.taken))


def test_lost_pictures_leave_a_gap(studio: Studio) -> None:
    studio.record()
    studio.shoot(5)
    studio.skip(15)
    studio.shoot(5)
    studio.stop()
    shown = times(studio.films()[0])
    assert shown[-1] == pytest.approx((studio.taken - 1) / 30, abs=0.001)


def test_a_clock_that_jumps(studio: Studio) -> None:
    """Neither an hour forth nor one back shows in the film."""
    studio.record()
    begun = studio.taken
    hour = 3600 * 10**9
    for time_of in (hour, hour + FRAME, -hour, -hour + FRAME, hour):
        studio.shoot(1, time=time_of)
    studio.stop()
    (film,) = studio.films()
    assert numbers(film) == list(range(studio.taken))
    assert times(film)[begun - 1 :] == pytest.approx(
        [(begun - 1 + n) / 30 for n in range(6)], abs=0.002
    )


def test_orders_that_make_no_sense(studio: Studio) -> None:
    assert "no running" in studio.answered(studio.order(wire.Pause))
    assert "no paused" in studio.answered(studio.order(wire.Resume))
    assert studio.answered(studio.order(wire.Stop)) == ""
    studio.record()
    again = studio.order(lambda number: wire.Record(number, str(studio.volume), PLAN))
    assert "is running" in studio.answered(again)
    assert "no paused" in studio.answered(studio.order(wire.Resume))


def test_no_pictures(studio: Studio) -> None:
    """Refused before a client has waited its two seconds, and nothing is left of it."""
    request = studio.order(lambda number: wire.Record(number, str(studio.volume), PLAN))
    began = time.monotonic()
    assert "no pictures" in studio.answered(request)
    assert time.monotonic() - began < 1.9
    assert studio.recording.state == "off"
    assert not list(studio.volume.iterdir())


def test_a_volume_that_does_not_answer(studio: Studio) -> None:
    """Refused in time, and said whose fault it is."""
    end = time.monotonic() + LIMIT
    while (spare := studio.recording._takes.spare) is None:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert spare._started.wait(LIMIT)
    writer = spare.pid
    os.kill(writer, signal.SIGSTOP)
    request = studio.order(lambda number: wire.Record(number, str(studio.volume), PLAN))
    studio.recording.put(counted(0))
    assert studio.answered(request) == "The film did not begin in time"
    os.kill(writer, signal.SIGCONT)
    studio.heard(wire.Closed)


def test_a_process_that_is_late_is_kept_for_the_next_film(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine where it takes longer to start than anybody waits, too; nothing is left."""
    halting = tmp_path / "halting"
    halting.write_text(f'#!/bin/sh\nkill -STOP $$\nexec {shlex.quote(sys.executable)} "$@"\n')
    halting.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(halting))
    monkeypatch.setattr("rotoclear.media.engine.recording.PATIENCE", 0.3)
    volume = tmp_path / "volume"
    volume.mkdir()
    studio = Studio(volume)
    end = time.monotonic() + LIMIT
    while (process := studio.recording._takes.spare) is None:
        assert time.monotonic() < end
        time.sleep(0.01)
    for number in (1000, 1001):
        request = studio.order(lambda number: wire.Record(number, str(volume), PLAN))
        studio.recording.put(counted(number))
        assert studio.answered(request) == "The film did not begin in time"
    monkeypatch.undo()
    os.kill(process.pid, signal.SIGCONT)
    assert process._started.wait(LIMIT)
    studio.record()
    assert studio.writer() == process.pid
    studio.stop()
    (film,) = studio.films()
    assert numbers(film) == list(range(studio.taken))
    assert [path for path in volume.rglob("*") if path.is_file()] == [film]
    # Another one may have been begun meanwhile, and be halted for ever.
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str(halting).encode() in (path / "cmdline").read_bytes():
                os.kill(int(path.name), signal.SIGCONT)


def test_a_camera_that_falls_silent(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    studio.record()
    monkeypatch.setattr("rotoclear.media.engine.recording.SILENCE", 0.5)
    (ended,) = studio.heard(wire.Ended)
    assert "no pictures" in ended.reason
    (closed,) = studio.heard(wire.Closed)
    assert closed.frames == studio.taken


def test_unknown_encoder(studio: Studio) -> None:
    plan = wire.Plan(encoder="h264_none")
    request = studio.order(lambda number: wire.Record(number, str(studio.volume), plan))
    studio.shoot(1)
    assert "h264_none cannot be used" in studio.answered(request)
    assert studio.recording.state == "off"


def test_the_encoders_there_are() -> None:
    assert "libx264" in available()
    assert all("264" in name for name in available())


def test_volume_that_is_not_there(studio: Studio) -> None:
    """No folder is made where a stick was."""
    studio.volume = studio.volume / "stick"
    request = studio.order(lambda number: wire.Record(number, str(studio.volume), PLAN))
    studio.shoot(1)
    assert studio.answered(request) == "The volume is gone"
    assert not studio.volume.exists()


def test_full(studio: Studio) -> None:
    """It ends, says why, and what there is of it plays."""
    studio.record()
    limit = 60_000
    resource.prlimit(studio.writer(), resource.RLIMIT_FSIZE, (limit, limit))
    while studio.recording.state == "on":
        studio.shoot(1)
    (ended,) = studio.heard(wire.Ended)
    assert ended.reason == "The volume is full"
    (closed,) = studio.heard(wire.Closed)
    assert closed.ended == "The volume is full"
    (film,) = studio.films()
    found = numbers(film)
    assert found == list(range(len(found)))
    assert len(found) > 10
    assert closed.size == film.stat().st_size <= limit


def test_little_room(studio: Studio) -> None:
    """It ends before the volume is full: nothing is torn."""
    reserve = os.statvfs(studio.volume).f_blocks * os.statvfs(studio.volume).f_frsize
    studio.record(wire.Plan(preset="ultrafast", reserve=reserve))
    (ended,) = studio.heard(wire.Ended)
    assert ended.reason == "The volume is full"
    studio.heard(wire.Closed)
    assert numbers(studio.films()[0]) == list(range(studio.taken))


def test_what_writes_is_killed(studio: Studio) -> None:
    studio.record()
    os.kill(studio.writer(), signal.SIGKILL)
    (ended,) = studio.heard(wire.Ended)
    assert "What writes the film has ended" in ended.reason
    (torn,) = studio.heard(wire.Torn)
    assert studio.volume / torn.file == studio.films()[0]
    studio.record()
    studio.shoot(3)
    studio.stop()
    studio.heard(wire.Hashed)
    assert studio.heard(wire.Torn) == [torn]


def test_the_spare_one_is_killed(studio: Studio) -> None:
    end = time.monotonic() + LIMIT
    while studio.recording._takes.spare is None:
        assert time.monotonic() < end
        time.sleep(0.01)
    dead = studio.recording._takes.spare
    os.kill(dead.pid, signal.SIGKILL)
    while studio.recording._takes.spare is dead:
        assert time.monotonic() < end
        time.sleep(0.01)
    studio.record()
    studio.stop()
    assert studio.films()


def test_the_file_is_locked_while_it_is_written(studio: Studio) -> None:
    studio.record()
    (part,) = studio.volume.rglob("*.part")
    with part.open("rb") as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    studio.stop()


def test_a_writer_closes_the_film_when_the_engine_has_gone(studio: Studio) -> None:
    studio.record()
    studio.shoot(30)
    take = studio.recording._takes.current
    assert take is not None
    end = time.monotonic() + LIMIT
    while take.film._waiting:
        assert time.monotonic() < end
        time.sleep(0.002)
    take.film._connection.shutdown(socket.SHUT_WR)
    assert take.film._process.wait(LIMIT) == 0
    # Whole, but without its name: who knows whether the server has heard of it?
    (film,) = studio.volume.rglob("*.part")
    assert film.with_suffix("") == studio.films()[0]
    assert numbers(film)[:30] == list(range(30))
    with film.open("rb") as file:
        assert measure(file).closed


def test_stream_while_it_records_and_does_not(studio: Studio) -> None:
    """One encoder for both; it begins with a keyframe, and a joiner gets one."""
    studio.recording.order(wire.Stream(True, PLAN))
    studio.settle()
    studio.shoot(5)
    studio.recording.order(wire.Keyframe())
    studio.shoot(5)
    assert [unit.key for unit, _ in studio.streamed] == [True, *[False] * 4, True, *[False] * 4]
    assert [taken for _, taken in studio.streamed] == [n * FRAME for n in range(10)]
    studio.record()
    before = studio.taken
    studio.pause()
    studio.shoot(10)
    request = studio.order(wire.Resume)
    studio.shoot(5)
    assert studio.answered(request) == ""
    studio.stop()
    assert len(studio.streamed) == studio.taken
    found = numbers(studio.films()[0])
    assert found == [*range(10, before), *range(before + 10, before + 15)]
    studio.recording.order(wire.Stream(False, PLAN))
    studio.settle()
    studio.shoot(3)
    assert len(studio.streamed) == studio.taken - 3


def test_it_tells_how_far_it_has_come(studio: Studio) -> None:
    """What is paused does not count."""
    assert studio.recording.progress is None
    studio.record()
    studio.shoot(30)
    first = studio.recording.progress
    assert first is not None
    assert first.duration == pytest.approx(studio.taken / RATE, abs=0.001)
    taken = studio.taken
    studio.pause()
    studio.shoot(30)
    assert studio.recording.progress == first
    request = studio.order(wire.Resume)
    studio.shoot(15)
    assert studio.answered(request) == ""
    then = studio.recording.progress
    assert then is not None
    assert (then.file, then.duration) == (first.file, pytest.approx((taken + 15) / RATE, abs=0.001))
    assert then.size > first.size
    studio.stop()
    assert studio.recording.progress is None


def test_a_slow_encoder_drops_what_it_cannot_take(studio: Studio) -> None:
    """Pictures are never kept without bound."""
    studio.record()
    for number in range(200):
        studio.recording.put(counted(number + 1000, time=(studio.taken + number) * FRAME))
    assert studio.recording.dropped > 100
    studio.settle()
    studio.stop()
    found = numbers(studio.films()[0])
    assert found == sorted(set(found))


def test_what_has_waited_for_too_long_is_dropped(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else more than a second would be lost with an engine that is killed."""
    studio.record()
    before = studio.taken
    monkeypatch.setattr("rotoclear.media.engine.recording.STALE", LIMIT)
    now = time.monotonic()
    for number, age in enumerate((0, LIMIT, LIMIT - 5, LIMIT + 5, 0)):
        studio.recording.put(evolve(counted(before + number), since=now - age))
    studio.stop()
    kept = [before + number for number in (0, 2, 4)]
    assert numbers(studio.films()[0]) == [*range(before), *kept]
    assert studio.recording.dropped == 2


def test_it_ends_though_the_encoder_is_behind(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks is answered in time; what was not encoded by then is left out."""
    monkeypatch.setattr("rotoclear.media.engine.recording.HURRY", 0.0)
    studio.record()
    before = studio.taken
    encode = studio.recording._encoding.encode

    def slow(*arguments: Any, **options: Any) -> Any:
        time.sleep(0.1)
        return encode(*arguments, **options)

    monkeypatch.setattr(studio.recording._encoding, "encode", slow)
    for number in range(WAITING):
        studio.recording.put(counted(before + number))
    studio.stop()
    found = numbers(studio.films()[0])
    assert found == sorted(set(found))
    assert len(found) + studio.recording.dropped == before + WAITING
    assert studio.recording.dropped >= WAITING - 4
