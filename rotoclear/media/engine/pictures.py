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

from attrs import field, frozen

from rotoclear.devices.ring import Picture as Frame
from rotoclear.media.engine.wire import Software, View
from rotoclear.pixels import Planes
from rotoclear.pixels.compose import composed, inset, reduced, scaled
from rotoclear.pixels.convert import BadPicture, to_planes
from rotoclear.pixels.settings import Chain, Settings

WAITING: Final = 8
"""
Frames of the active camera that may wait; beyond that the oldest is dropped.

A quarter of a second at 30 a second: so long may something else have the processor.
"""

CHANGE: Final = 1.0
"""Seconds that another camera has to become the active one."""

PATIENCE: Final = 2.0
"""Seconds for which somebody waits for one picture."""

PULSE: Final = 0.2
"""Seconds within which each thread shows that it is alive, if it has nothing to do."""

_now: Final = time.monotonic


@frozen
class Picture:
    """
    One picture of the view.

    :ivar time: nanoseconds of ``CLOCK_MONOTONIC`` when it was taken.
    :ivar rate: frames per second of the view.
    :ivar camera: the one that it shows; 0: there are several in it.
    :ivar since: when it came to the engine, in seconds of the monotonic clock: a camera's
        own clock may be another one.
    """

    planes: Planes
    time: int
    rate: int
    camera: int = 0
    since: float = field(factory=_now)


class Sink(Protocol):
    """Somebody who wants pictures."""

    def wants(self) -> bool:
        """Whether it wants one now. Called from the pictures' thread, as is the other."""

    def put(self, picture: Picture) -> None:
        """Here is one; must not block, nor change it."""


class HeadSink(Protocol):
    """Somebody who wants pictures of one head alone, in the size of the view."""

    @property
    def on(self) -> bool:
        """It may want some."""

    def wants(self, alone: bool) -> bool:
        """
        Whether it wants one now. Called from the pictures' thread, as is the other.

        :param alone: the picture of the view shows this head and nothing else.
        """

    def put(self, picture: Picture) -> None:
        """Here is one; must not block, nor change it."""


@frozen
class _Want:
    """
    Somebody who wants one picture.

    :ivar camera: of that one alone; 0: of the view.
    :ivar until: when nobody waits for it any more, in seconds of the monotonic clock.
    """

    want: Callable[[Picture], None]
    camera: int
    until: float


class Pictures(threading.Thread):
    """
    The thread that makes them.

    :param complain: told of frames that cannot be understood.
    :ivar alive: when it last looked around.
    :ivar made: how many pictures.
    """

    def __init__(self, complain: Callable[[str], None]) -> None:
        super().__init__(name="pictures", daemon=True)
        self._complain = complain
        self._queue: queue.SimpleQueue[tuple[int, Frame, float]] = queue.SimpleQueue()
        self._newest: dict[int, Frame] = {}
        self._chains: dict[int, Chain] = {}
        self._view = View(1, "off", 1280, 720, 30)
        self._coming: tuple[View, float] | None = None
        self._sinks: list[Sink] = []
        self._heads: dict[int, HeadSink] = {}
        self._made: dict[int, tuple[Frame, Software | None, Planes]] = {}
        # The same of those that are shown in the other one's, and are as small as that.
        self._small_chains: dict[int, Chain] = {}
        self._insets: dict[int, tuple[Frame, Software | None, tuple[int, int], Planes]] = {}
        self._wants: list[_Want] = []
        self._lock = threading.Lock()
        self._dropped = 0
        self.alive = time.monotonic()
        self.made = 0

    # -- from other threads ----------------------------------------------

    @property
    def dropped(self) -> int:
        """Frames that came too quickly, or made no sense."""
        return self._dropped

    def add(self, sink: Sink) -> None:
        """It gets pictures from now on, when it wants some. Before the start."""
        self._sinks.append(sink)

    def add_head(self, camera: int, sink: HeadSink) -> None:
        """It gets pictures of this head from now on, when it wants some. Before the start."""
        self._heads[camera] = sink

    def show(self, view: View) -> None:
        """
        The picture is to be so from now on.

        Another active camera sets the pace with its first frame: until then, but no
        longer than :data:`CHANGE` seconds, the old one does.
        """
        with self._lock:
            if view.main == self._view.main or self._view.main not in self._newest:
                self._view, self._coming = view, None
            else:
                self._coming = view, time.monotonic() + CHANGE

    def once(self, want: Callable[[Picture], None], camera: int = 0) -> None:
        """
        The next picture, if it comes in time.

        :param camera: of that one alone, in its own size; 0: of the view.
        """
        now = time.monotonic()
        with self._lock:
            self._wants = [one for one in self._wants if one.until > now]
            self._wants.append(_Want(want, camera, now + PATIENCE))

    def deliver(self, camera: int, frame: Frame) -> None:
        """A frame has come."""
        now = time.monotonic()
        with self._lock:
            coming = self._coming
            if coming is not None and (camera == coming[0].main or now > coming[1]):
                self._view, self._coming = coming[0], None
            self._newest[camera] = frame
            if camera == self._view.main:
                if self._queue.qsize() >= WAITING:
                    self._drop()
                self._queue.put((camera, frame, now))
            elif self._alone(camera):
                # Whatever is wanted of it, the view comes first.
                if self._queue.qsize() < WAITING // 2:
                    self._queue.put((camera, frame, now))
                else:
                    self._dropped += 1

    def _alone(self, camera: int) -> bool:
        """Pictures of this one are wanted though it is not the active one."""
        head = self._heads.get(camera)
        return (head is not None and head.on) or any(one.camera == camera for one in self._wants)

    def _drop(self) -> None:
        try:
            self._queue.get_nowait()
            self._dropped += 1
        except queue.Empty:  # it has just been taken
            pass

    def forget(self, camera: int) -> None:
        """It does not deliver any more: its last picture is not to be seen."""
        with self._lock:
            self._newest.pop(camera, None)
            self._chains.pop(camera, None)
            self._made.pop(camera, None)
            self._small_chains.pop(camera, None)
            self._insets.pop(camera, None)
            if self._coming is not None and camera == self._view.main:
                self._view, self._coming = self._coming[0], None

    # -- the thread ------------------------------------------------------

    def run(self) -> None:
        while True:
            self.alive = time.monotonic()
            try:
                camera, frame, since = self._queue.get(timeout=PULSE)
            except queue.Empty:
                continue
            try:
                self._work(camera, frame, since)
            except Unusable as error:
                with self._lock:
                    self._dropped += 1
                self._complain(f"camera {camera}: {error}")

    def _work(self, camera: int, frame: Frame, since: float) -> None:
        view = self._view
        alone = self._take(camera)
        wanted = self._wanted() if camera == view.main else []
        head = self._heads.get(camera)
        only = camera == view.main and view.pip == "off"
        if head is not None and not head.wants(only):
            head = None
        if not (alone or wanted or head):
            return
        planes = self._planes(camera, frame, view)
        for want in alone:
            want(Picture(planes, frame.timestamp, view.rate, camera, since))
        if not (wanted or head):
            return
        sized = scaled(planes, view.width, view.height)
        if head is not None:
            head.put(Picture(sized, frame.timestamp, view.rate, camera, since))
        if wanted:
            self.made += 1
            shown = camera if only else 0
            planes = self._with_other(sized, view)
            picture = Picture(planes, frame.timestamp, view.rate, shown, since)
            for put in wanted:
                put(picture)

    def _wanted(self) -> list[Callable[[Picture], None]]:
        """Who wants the picture of the view."""
        return [sink.put for sink in self._sinks if sink.wants()] + self._take(0)

    def _take(self, camera: int) -> list[Callable[[Picture], None]]:
        now = time.monotonic()
        with self._lock:
            mine = [one.want for one in self._wants if one.camera == camera and one.until > now]
            self._wants = [one for one in self._wants if one.camera != camera]
        return mine

    def _with_other(self, main: Planes, view: View) -> Planes:
        if view.pip == "off":
            return main
        with self._lock:
            others = [entry for entry in self._newest.items() if entry[0] != view.main]
        for camera, frame in others:
            try:
                return composed(main, self._inset(camera, frame, view), view.pip)
            except Unusable as error:
                self.forget(camera)
                self._complain(f"camera {camera}: {error}")
        return main

    def _planes(self, camera: int, frame: Frame, view: View) -> Planes:
        software = view.software.get(camera)
        made = self._made.get(camera)
        if made is not None and made[0] is frame and made[1] == software:
            return made[2]
        chain = self._chains.setdefault(camera, Chain())
        planes = _developed(frame, chain, software)
        # It may be wanted again: inside the other one's, and alone.
        self._made[camera] = frame, software, planes
        return planes

    def _inset(self, camera: int, frame: Frame, view: View) -> Planes:
        """The same, no larger than it is shown in the other one's: settings cost less there."""
        software = view.software.get(camera)
        made = self._made.get(camera)
        if made is not None and made[0] is frame and made[1] == software:
            return made[2]
        largest = inset(view.width, view.height, view.pip)
        known = self._insets.get(camera)
        if known is not None and known[0] is frame and known[1:3] == (software, largest):
            return known[3]
        chain = self._small_chains.get(camera)
        if chain is None:
            twin = self._chains.setdefault(camera, Chain())
            chain = self._small_chains[camera] = Chain(twin)
        planes = _developed(frame, chain, software, largest)
        self._insets[camera] = frame, software, largest, planes
        return planes


class Unusable(Exception):
    """A frame that no picture can be made of. ``str()`` is for people."""


def _developed(
    frame: Frame, chain: Chain, software: Software | None, largest: tuple[int, int] | None = None
) -> Planes:
    """
    What is to be seen of a frame.

    :raises Unusable: nothing is.
    """
    try:
        planes = to_planes(frame.data, frame.format, frame.width, frame.height, frame.stride)
        if largest is not None:
            planes = reduced(planes, *largest)
        return chain(planes, _settings(software))
    except BadPicture as error:
        raise Unusable(str(error)) from None
    except Exception as error:  # noqa: BLE001 - what a camera sends must not end the engine
        raise Unusable(f"{type(error).__name__}: {error}") from None


_NEUTRAL: Final = Settings()


def _settings(software: Software | None) -> Settings:
    if software is None:
        return _NEUTRAL
    return Settings(**{name: getattr(software, name) for name in Software.__struct_fields__})
