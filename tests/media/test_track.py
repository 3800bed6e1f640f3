"""The film of one head: of an encoder of its own, or the recorder's, and always one film."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import av
import numpy as np
import pytest

from rotoclear.media.engine import wire
from rotoclear.media.engine.encode import Encoded
from rotoclear.media.engine.pictures import Picture
from rotoclear.media.engine.recording import Recording
from rotoclear.media.engine.track import WAITING, Track
from tests.media.counted import FRAME, counted, number_of

LIMIT = 20.0
"""Seconds."""

PLAN = wire.Plan(preset="ultrafast")


class Reporter:
    """Nobody wants to know."""

    def answer(self, request: int, result: object = None) -> None: ...
    def refuse(self, request: int, message: str) -> None: ...
    def send(self, message: wire.FromEngine) -> None: ...


class Studio:
    """Head 1, whose pictures go where the pictures' thread would have them go."""

    def __init__(self) -> None:
        self.sent: list[tuple[Encoded, int]] = []
        self.complaints: list[str] = []
        self.viewed: list[Encoded] = []
        self.track = Track(1, lambda: self.recording.wants(), self._send, self.complaints.append)
        self.recording = Recording(
            Reporter(), lambda encoded, _: self.viewed.append(encoded), {1: self.track}
        )
        self.alone = True
        self.taken = 0
        self.track.start()
        self.recording.start()

    def _send(self, encoded: Encoded, taken: int) -> None:
        self.sent.append((encoded, taken))

    def shoot(self, count: int) -> None:
        for _ in range(count):
            picture = counted(self.taken)
            picture = Picture(picture.planes, picture.time, picture.rate, 1 if self.alone else 0)
            had = len(self.sent) + len(self.viewed)
            wanted = self.recording.wants()
            if self.track.wants(self.alone):
                self.track.put(picture)
            if wanted:
                self.recording.put(picture)
            self.taken += 1
            self.until(lambda had=had: len(self.sent) + len(self.viewed) > had)

    def until(self, what: Callable[..., object]) -> None:
        end = time.monotonic() + LIMIT
        while not what():
            assert time.monotonic() < end, "it never came"
            time.sleep(0.001)

    def view(self, on: bool) -> None:
        """Somebody looks at the view's film, or nobody."""
        self.recording.order(wire.Stream(on, PLAN))
        self.until(lambda: self.recording.wants() is on)

    def watch(self, on: bool = True, plan: wire.Plan = PLAN) -> None:
        self.track.order(wire.Stream(on, plan, 1))

    def seen(self) -> list[int]:
        """The numbers of the pictures that one decoder makes of all that was sent."""
        decoder: Any = av.CodecContext.create("h264", "r")
        packets = [av.Packet(encoded.data) for encoded, _ in self.sent]
        frames = [frame for packet in packets for frame in decoder.decode(packet)]
        frames += decoder.decode(None)
        return [number_of(frame.to_ndarray(format="gray")) for frame in frames]


@pytest.fixture
def studio() -> Studio:
    return Studio()


def test_an_encoder_of_its_own(studio: Studio) -> None:
    """Nobody else wants any film: its own one begins with a keyframe, and a joiner gets one."""
    studio.watch()
    studio.shoot(3)
    studio.track.order(wire.Keyframe(1))
    studio.shoot(3)
    assert studio.seen() == list(range(6))
    assert [encoded.key for encoded, _ in studio.sent] == [True, False, False, True, False, False]
    assert [taken for _, taken in studio.sent] == [n * FRAME for n in range(6)]
    studio.watch(False)
    assert not studio.track.wants(True)


def test_the_recorders_while_it_shows_nothing_else(studio: Studio) -> None:
    """From one encoder to the other and back: one film, nothing missing, nothing twice."""
    studio.watch()
    studio.shoot(5)
    studio.view(True)
    studio.shoot(5)
    assert [encoded.data for encoded, _ in studio.sent[5:]] == [e.data for e in studio.viewed]
    studio.alone = False  # there is another picture in it now
    studio.shoot(3)
    studio.until(lambda: len(studio.sent) == 13)
    assert len(studio.viewed) == 8
    studio.alone = True
    studio.shoot(2)
    studio.view(False)
    studio.shoot(3)
    studio.until(lambda: len(studio.sent) == studio.taken)
    assert studio.seen() == list(range(18))
    keys = [number for number, (encoded, _) in enumerate(studio.sent) if encoded.key]
    assert keys == [0, 5, 10, 13, 15]


def test_a_joiner_of_the_recorders(studio: Studio) -> None:
    studio.view(True)
    studio.shoot(2)
    studio.watch()
    studio.shoot(2)
    studio.track.order(wire.Keyframe(1))
    studio.shoot(2)
    assert [encoded.key for encoded, _ in studio.sent] == [True, False, True, False]
    assert studio.seen() == [2, 3, 4, 5]


def test_pictures_that_come_too_quickly(studio: Studio) -> None:
    """They are dropped and counted: nobody waits for it."""
    studio.watch()
    with studio.track._lock:  # as long as it cannot work
        for number in range(WAITING + 6):
            studio.track.put(counted(number))
    assert studio.track.dropped >= 4


def test_an_encoder_that_does_not_exist(studio: Studio) -> None:
    studio.watch(plan=wire.Plan(encoder="h264_none"))
    assert studio.track.wants(True)
    studio.track.put(counted(0))
    studio.until(lambda: studio.complaints)
    assert "h264_none" in studio.complaints[0]
    studio.watch()
    studio.shoot(2)
    assert studio.seen() == [0, 1]


def test_sizes_change(studio: Studio) -> None:
    """With the view's: the film goes on, from a keyframe."""
    studio.watch()
    studio.shoot(2)
    small = np.zeros((180, 160), np.uint8)
    studio.track.put(Picture(small, 10 * FRAME, 30, 1))
    studio.until(lambda: len(studio.sent) == 3)
    assert studio.sent[2][0].key
