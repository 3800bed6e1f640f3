"""
Frames of the cameras become pictures of the view.

The active camera sets the pace: each of its frames becomes one picture, in
order. The other one's newest is put into it. Whoever wants pictures (the film,
live viewers, a snapshot) is a sink; without one, nothing is done.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Final, Protocol

from attrs import frozen

from rotoclear.devices.ring import Picture as Frame
from rotoclear.media.engine.wire import Software, View
from rotoclear.pixels import Planes
from rotoclear.pixels.compose import composed, scaled
from rotoclear.pixels.convert import BadPicture, to_planes
from rotoclear.pixels.settings import Chain, Settings

WAITING: Final = 4
"""Frames of the active camera that may wait; beyond that the oldest is dropped."""


PULSE: Final = 0.2
"""Seconds within which each thread shows that it is alive, if it has nothing to do."""


@frozen
class Picture:
    """
    One picture of the view.

    :ivar time: nanoseconds of ``CLOCK_MONOTONIC`` when it was taken.
    :ivar rate: frames per second of the view.
    """

    planes: Planes
    time: int
    rate: int


class Sink(Protocol):
    """Somebody who wants pictures."""

    def wants(self) -> bool:
        """Whether it wants one now. Called from the pictures' thread, as is the other."""

    def put(self, picture: Picture) -> None:
        """Here is one; must not block, nor change it."""


class Pictures(threading.Thread):
    """
    The thread that makes them.

    :param complain: told of frames that cannot be understood.
    :ivar alive: when it last looked around.
    :ivar made: how many pictures.
    :ivar dropped: frames that came too quickly, or made no sense.
    """

    def __init__(self, complain: Callable[[str], None]) -> None:
        super().__init__(name="pictures", daemon=True)
        self._complain = complain
        self._queue: queue.SimpleQueue[tuple[int, Frame]] = queue.SimpleQueue()
        self._newest: dict[int, Frame] = {}
        self._chains: dict[int, Chain] = {}
        self._view = View(1, "off", 1280, 720, 30)
        self._sinks: list[Sink] = []
        self._alone: list[tuple[int, Callable[[Picture], None]]] = []
        self._next: list[Callable[[Picture], None]] = []
        self._lock = threading.Lock()
        self.alive = time.monotonic()
        self.made = 0
        self.dropped = 0

    # -- from other threads ----------------------------------------------

    def add(self, sink: Sink) -> None:
        """It gets pictures from now on, when it wants some."""
        self._sinks.append(sink)

    def show(self, view: View) -> None:
        """The picture is to be so from now on."""
        self._view = view

    def once(self, camera: int, want: Callable[[Picture], None]) -> None:
        """The next picture of one camera alone, in its own size."""
        with self._lock:
            self._alone.append((camera, want))

    def once_of_the_view(self, want: Callable[[Picture], None]) -> None:
        """The next picture of the view."""
        with self._lock:
            self._next.append(want)

    def deliver(self, camera: int, frame: Frame) -> None:
        """A frame has come."""
        if camera == self._view.main or self._wanted_alone(camera):
            while self._queue.qsize() >= WAITING:
                try:
                    self._queue.get_nowait()
                    self.dropped += 1
                except queue.Empty:
                    break
            self._queue.put((camera, frame))
        if camera != self._view.main:
            self._newest[camera] = frame

    def forget(self, camera: int) -> None:
        """It does not deliver any more: its last picture is not to be seen."""
        self._newest.pop(camera, None)
        self._chains.pop(camera, None)

    def _wanted_alone(self, camera: int) -> bool:
        with self._lock:
            return any(number == camera for number, _ in self._alone)

    # -- the thread ------------------------------------------------------

    def run(self) -> None:
        while True:
            self.alive = time.monotonic()
            try:
                camera, frame = self._queue.get(timeout=PULSE)
            except queue.Empty:
                continue
            try:
                self._work(camera, frame)
            except BadPicture as error:
                self.dropped += 1
                self._complain(f"camera {camera}: {error}")

    def _work(self, camera: int, frame: Frame) -> None:
        view = self._view
        alone = self._take_alone(camera)
        wanted = self._wanted() if camera == view.main else []
        if not (alone or wanted):
            return
        planes = self._planes(camera, frame, view)
        for want in alone:
            want(Picture(planes, frame.timestamp, view.rate))
        if not wanted:
            return
        main = scaled(planes, view.width, view.height)
        picture = Picture(self._with_other(main, view), frame.timestamp, view.rate)
        self.made += 1
        for put in wanted:
            put(picture)

    def _wanted(self) -> list[Callable[[Picture], None]]:
        """Who wants the picture of the view."""
        with self._lock:
            once, self._next = self._next, []
        return [sink.put for sink in self._sinks if sink.wants()] + once

    def _take_alone(self, camera: int) -> list[Callable[[Picture], None]]:
        with self._lock:
            mine = [want for number, want in self._alone if number == camera]
            self._alone = [entry for entry in self._alone if entry[0] != camera]
        return mine

    def _with_other(self, main: Planes, view: View) -> Planes:
        if view.pip == "off":
            return main
        for camera, frame in tuple(self._newest.items()):
            if camera != view.main:
                try:
                    return composed(main, self._planes(camera, frame, view), view.pip)
                except BadPicture as error:
                    self._newest.pop(camera, None)
                    self._complain(f"camera {camera}: {error}")
        return main

    def _planes(self, camera: int, frame: Frame, view: View) -> Planes:
        planes = to_planes(frame.data, frame.format, frame.width, frame.height, frame.stride)
        chain = self._chains.setdefault(camera, Chain())
        return chain(planes, _settings(view.software.get(camera)))


_NEUTRAL: Final = Settings()


def _settings(software: Software | None) -> Settings:
    if software is None:
        return _NEUTRAL
    return Settings(**{name: getattr(software, name) for name in Software.__struct_fields__})
