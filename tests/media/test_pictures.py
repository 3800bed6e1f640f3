"""Frames of two heads become pictures of the view."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from rotoclear.devices.ring import Picture as Frame
from rotoclear.media.engine.pictures import WAITING, Picture, Pictures
from rotoclear.media.engine.timeline import Timeline
from rotoclear.media.engine.wire import Software, View

LIMIT = 10.0
"""Seconds."""

GREY = {1: 60, 2: 200}
"""How bright each head's picture is."""


class Sink:
    """Wants every picture, or none."""

    def __init__(self) -> None:
        self.on = True
        self.pictures: list[Picture] = []

    def wants(self) -> bool:
        return self.on

    def put(self, picture: Picture) -> None:
        self.pictures.append(picture)

    def greys(self) -> list[int]:
        """Which head each is of."""
        return [
            min(GREY, key=lambda head: abs(GREY[head] - int(one.planes[100, 10])))
            for one in self.pictures
        ]


class Head(Sink):
    """Wants every picture of one head, or none; ``alone`` is what it was told of each."""

    def __init__(self) -> None:
        super().__init__()
        self.on = False
        self.alone: list[bool] = []

    def wants(self, alone: bool) -> bool:  # type: ignore[override]
        self.alone.append(alone)
        return self.on


class Hall:
    def __init__(self) -> None:
        self.complaints: list[str] = []
        self.pictures = Pictures(self.complaints.append)
        self.sink = Sink()
        self.pictures.add(self.sink)
        self.head = Head()
        self.pictures.add_head(2, self.head)
        self.pictures.show(view(1))
        self.pictures.start()
        self.sequence = 0

    def frame(self, head: int, **changes: Any) -> None:
        """One of that head has come, and what is to be done about it is done."""
        self.sequence += 1
        fields: dict[str, Any] = {
            "data": np.full((120 * 160,), GREY[head], np.uint8).tobytes(),
            "format": "grey",
            "width": 160,
            "height": 120,
            "stride": 160,
            "timestamp": self.sequence,
            "sequence": self.sequence,
        }
        self.pictures.deliver(head, Frame(**{**fields, **changes}))

    def until(self, what: Callable[[], object]) -> None:
        end = time.monotonic() + LIMIT
        while not what():
            assert time.monotonic() < end, "it never came"
            time.sleep(0.002)

    def shown(self, count: int) -> list[int]:
        self.until(lambda: len(self.sink.pictures) >= count)
        return self.sink.greys()


def view(main: int, pip: str = "off", size: tuple[int, int] = (160, 120)) -> View:
    return View(main, pip, *size, 30)


def with_software(view: View, software: dict[int, Software]) -> View:
    return msgspec.structs.replace(view, software=software)


@pytest.fixture
def hall() -> Hall:
    return Hall()


def test_each_frame_of_the_active_head_in_order(hall: Hall) -> None:
    for number in range(20):
        hall.frame(1)
        hall.frame(2)
        hall.shown(number + 1)
    assert hall.sink.greys() == [1] * 20
    assert [one.time for one in hall.sink.pictures] == list(range(1, 41, 2))


def test_nobody_wants_any(hall: Hall) -> None:
    hall.sink.on = False
    hall.frame(1)
    hall.until(hall.pictures._queue.empty)
    assert hall.pictures.made == 0


def test_the_other_head_is_in_the_picture(hall: Hall) -> None:
    hall.pictures.show(view(1, "top-left"))
    hall.frame(2)
    hall.frame(1)
    hall.shown(1)
    planes = hall.sink.pictures[0].planes
    assert abs(int(planes[10, 10]) - GREY[2]) < 40
    assert abs(int(planes[110, 150]) - GREY[1]) < 40
    hall.pictures.forget(2)
    hall.frame(1)
    hall.shown(2)
    assert abs(int(hall.sink.pictures[1].planes[10, 10]) - GREY[1]) < 40


def test_settings_of_the_head_in_the_corner_act_there(hall: Hall) -> None:
    """With the next picture, whether it has sent another frame or not."""
    corners = []
    hall.frame(2)
    for number, brightness in enumerate((50, 0, 100), start=1):
        software = {2: Software(brightness=brightness)}
        hall.pictures.show(with_software(view(1, "top-left"), software))
        hall.frame(1)
        hall.shown(number)
        planes = hall.sink.pictures[-1].planes
        corners.append(int(planes[10, 10]))
        assert abs(int(planes[110, 150]) - GREY[1]) < 10
    assert corners[1] < corners[0] - 40
    assert corners[2] > corners[0] + 20


def test_what_auto_exposure_has_found_in_the_corner_holds_when_that_head_is_active(
    hall: Hall,
) -> None:
    """Else its picture would be too bright again at first."""
    software = {2: Software(auto_exposure=True)}
    hall.pictures.show(with_software(view(1, "top-left"), software))
    for number in range(1, 61):
        hall.frame(2)
        hall.frame(1)
        hall.shown(number)
    settled = int(hall.sink.pictures[-1].planes[10, 10])
    assert settled < GREY[2] - 40
    hall.pictures.show(with_software(view(2), software))
    hall.frame(2)
    hall.shown(61)
    assert abs(int(hall.sink.pictures[-1].planes[60, 80]) - settled) < 10


def test_another_head_becomes_active_with_its_first_frame(hall: Hall) -> None:
    """Until then the old one's pictures come: a film has no gap."""
    hall.frame(1)
    hall.shown(1)
    hall.pictures.show(view(2))
    for number in (2, 3):
        hall.frame(1)
        hall.shown(number)
    hall.frame(2)
    assert hall.shown(4) == [1, 1, 1, 2]
    hall.frame(1)
    hall.frame(2)
    assert hall.shown(5) == [1, 1, 1, 2, 2]


def test_not_when_the_old_one_has_gone(hall: Hall) -> None:
    hall.frame(1)
    hall.shown(1)
    hall.pictures.show(view(2))
    hall.pictures.forget(1)
    hall.frame(2)
    assert hall.shown(2) == [1, 2]


def test_another_head_that_never_comes(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while its absence is shown."""
    monkeypatch.setattr("rotoclear.media.engine.pictures.CHANGE", 0.0)
    hall.frame(1)
    hall.shown(1)
    hall.pictures.show(view(2))
    hall.frame(1)
    hall.frame(1)
    hall.frame(2)
    assert hall.shown(2) == [1, 2]


def test_too_many_frames(hall: Hall) -> None:
    """The oldest are dropped, and counted; what is made is in order."""
    working, go_on = threading.Event(), threading.Event()

    def work(picture: Picture) -> None:
        working.set()
        go_on.wait(LIMIT)

    hall.pictures.once(work)
    hall.frame(1)
    working.wait(LIMIT)
    for _ in range(WAITING + 6):
        hall.frame(1)
    go_on.set()
    hall.shown(1 + WAITING)
    assert [one.time for one in hall.sink.pictures] == [1, *range(8, 8 + WAITING)]
    assert hall.pictures.dropped == 6


def test_frames_that_make_no_sense(hall: Hall) -> None:
    hall.frame(1, data=b"\xff\xd8nonsense", format="mjpeg", stride=0)
    hall.frame(1, format="nv99")
    hall.frame(1)
    assert hall.shown(1) == [1]
    assert hall.pictures.dropped == 2
    assert all("camera 1: " in complaint for complaint in hall.complaints)


def test_one_picture_of_a_head_alone(hall: Hall) -> None:
    """In its own size, though the view has another one and another head."""
    hall.pictures.show(view(1, "top-left", (640, 480)))
    got: list[Picture] = []
    hall.pictures.once(got.append, 2)
    hall.frame(2)
    hall.until(lambda: got)
    assert got[0].planes.shape == (180, 160)
    assert abs(int(got[0].planes[100, 10]) - GREY[2]) < 40


def test_one_picture_of_the_view(hall: Hall) -> None:
    hall.sink.on = False
    hall.pictures.show(view(1, "top-left", (640, 480)))
    got: list[Picture] = []
    hall.pictures.once(got.append)
    hall.frame(2)
    hall.frame(1)
    hall.until(lambda: got)
    assert got[0].planes.shape == (720, 640)
    assert abs(int(got[0].planes[20, 20]) - GREY[2]) < 40


def test_all_pictures_of_a_head_alone(hall: Hall) -> None:
    """In the size of the view, which shows the other one, or has the other one in it."""
    hall.head.on = True
    hall.pictures.show(view(1, size=(320, 240)))
    hall.frame(2)
    hall.until(lambda: hall.head.pictures)
    hall.frame(1)
    hall.shown(1)
    hall.pictures.show(view(2, "top-left", (320, 240)))
    hall.frame(2)
    hall.shown(2)
    assert hall.head.greys() == [2, 2]
    assert [one.planes.shape for one in hall.head.pictures] == [(360, 320)] * 2
    assert [one.camera for one in hall.head.pictures] == [2, 2]
    assert [one.camera for one in hall.sink.pictures] == [1, 0]
    hall.pictures.show(view(2))
    hall.frame(2)
    hall.shown(3)
    assert hall.head.alone == [False, False, True]
    assert hall.sink.pictures[2].camera == 2


def test_a_head_alone_makes_way_for_the_view(hall: Hall) -> None:
    """When there are too many, those that are dropped are not the view's."""
    hall.head.on = True
    working, go_on = threading.Event(), threading.Event()

    def work(picture: Picture) -> None:
        working.set()
        go_on.wait(LIMIT)

    hall.pictures.once(work)
    hall.frame(1)
    working.wait(LIMIT)
    for _ in range(6):
        hall.frame(2)
    hall.frame(1)
    hall.frame(1)
    go_on.set()
    assert hall.shown(3) == [1, 1, 1]
    assert hall.head.greys() == [2] * (WAITING // 2)
    assert hall.pictures.dropped == 6 - WAITING // 2


def test_nobody_waits_for_it_any_more(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rotoclear.media.engine.pictures.PATIENCE", -1.0)
    got: list[Picture] = []
    hall.pictures.once(got.append)
    hall.frame(1)
    hall.shown(1)
    assert got == []


MILLI = 10**6


def test_ticks_follow_the_camera() -> None:
    line = Timeline()
    assert [line.ticks(5 * MILLI + n * 20 * MILLI, 1800) for n in range(4)] == [0, 1800, 3600, 5400]
    assert line.ticks(5 * MILLI + 1000 * MILLI, 1800) == 90_000


def test_ticks_always_rise() -> None:
    line = Timeline()
    line.ticks(0, 3000)
    assert line.ticks(0, 3000) == 1
    assert line.ticks(-100 * MILLI, 3000) == 2
    assert line.ticks(100 * MILLI, 3000) == 9000, "it is right again"


def test_ticks_of_a_clock_that_jumps() -> None:
    line = Timeline()
    line.ticks(0, 3000)
    assert line.ticks(3600_000 * MILLI, 3000) == 3000
    assert line.ticks(3600_100 * MILLI, 3000) == 12_000
    assert line.ticks(0, 3000) == 15_000


def test_when_each_was_taken() -> None:
    """An encoder gives them in order, and later."""
    line = Timeline()
    ticks = [line.ticks(n * 20 * MILLI, 1800) for n in range(5)]
    assert [line.taken(tick) for tick in ticks] == [n * 20 * MILLI for n in range(5)]
