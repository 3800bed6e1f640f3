"""
The recording: pictures through the encoder into one film after another.

All of it happens in one thread; whoever wants something of it leaves an order.
A film ends where it must and the next one begins with the next picture: none is
lost between them. What is paused is left out, and the film's time with it.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Final, Literal, Protocol

from attrs import define, frozen

from rotoclear.media.engine import wire, writing
from rotoclear.media.engine.encode import Encoded, Encoder, EncoderError
from rotoclear.media.engine.film import Film
from rotoclear.media.engine.pictures import PULSE, Picture
from rotoclear.pixels import size

WAITING: Final = 6
"""Pictures that may wait for the encoder; those beyond are dropped."""

PATIENCE: Final = 1.6
"""Seconds that a film has to begin; a little less than the two that a client waits."""

CLOSING: Final = 1.5
"""Seconds after which nobody waits for a film that is closed."""

NANO: Final = 10**9

State = Literal["off", "on", "paused"]


class Reporter(Protocol):
    """Who is told what becomes of it."""

    def answer(self, request: int, result: object = None) -> None:
        """It is done."""

    def refuse(self, request: int, message: str) -> None:
        """It went wrong."""

    def send(self, message: wire.FromEngine) -> None:
        """Something has happened by itself."""


@frozen
class _Tell:
    """News of a film."""

    film: Film
    message: writing.FromWriter | writing.Over


@define(eq=False)
class _Take:
    """
    A film, and what is known of it.

    :ivar began: ticks of its first picture, and what was left out since.
    :ivar last: ticks of its last picture.
    :ivar file: its name, once that is known.
    :ivar request: who is to be answered when it is closed.
    """

    film: Film
    began: int
    last: int
    size: int = 0
    file: str = ""
    request: int | None = None
    late: float = 0.0


class Recording(threading.Thread):
    """
    The thread; a sink for pictures.

    :param reporter: told what becomes of it; from this thread.
    :param packets: given each encoded picture, and its picture's time, while somebody
        wants the stream.
    :param wall: tells the time, seconds since 1970.
    :ivar alive: when it last looked around.
    :ivar state: what it does.
    :ivar dropped: pictures that came too quickly for the encoder.
    """

    def __init__(
        self,
        reporter: Reporter,
        packets: Callable[[Encoded, int], None],
        wall: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(name="recording", daemon=True)
        self._reporter = reporter
        self._packets = packets
        self._wall = wall
        self._orders: queue.SimpleQueue[Picture | wire.ToEngine | _Tell] = queue.SimpleQueue()
        self._waiting = 0
        self._record: wire.Record | None = None
        self._asked: tuple[int, float] | None = None
        self._take: _Take | None = None
        self._closing: list[_Take] = []
        self._spare = Film(self._told)
        self._encoder: Encoder | None = None
        self._stream = wire.Stream(False, wire.Plan())
        self._key = False
        self._origin: int | None = None
        self._ticks = -1
        self.alive = time.monotonic()
        self.state: State = "off"
        self.dropped = 0

    # -- from other threads ----------------------------------------------

    def wants(self) -> bool:
        """See :class:`~rotoclear.media.engine.pictures.Sink`; so the other."""
        return self.state == "on" or self._stream.on

    def put(self, picture: Picture) -> None:
        if self._waiting >= WAITING:
            self.dropped += 1
            return
        self._waiting += 1
        self._orders.put(picture)

    def order(self, message: wire.ToEngine) -> None:
        """Do this, in its turn."""
        self._orders.put(message)

    def _told(self, film: Film, message: writing.FromWriter | writing.Over) -> None:
        self._orders.put(_Tell(film, message))

    # -- the thread ------------------------------------------------------

    def run(self) -> None:
        while True:
            self.alive = time.monotonic()
            try:
                order = self._orders.get(timeout=PULSE)
            except queue.Empty:
                order = None
            match order:
                case Picture():
                    self._waiting -= 1
                    self._picture(order)
                case _Tell(film, message):
                    self._news(film, message)
                case wire.Record():
                    self._begin(order)
                case wire.Pause(request):
                    self._pause(request)
                case wire.Resume(request):
                    self._resume(request)
                case wire.Stop(request):
                    self._stop(request)
                case wire.Stream():
                    self._stream = order
                    self._key = True
                case wire.Keyframe():
                    self._key = True
            self._look()

    # -- orders ----------------------------------------------------------

    def _begin(self, record: wire.Record) -> None:
        if self.state != "off":
            self._reporter.refuse(record.request, "A recording is running")
            return
        self._record = record
        self._asked = (record.request, time.monotonic() + PATIENCE)
        self.state = "on"

    def _pause(self, request: int) -> None:
        if self.state != "on" or self._take is None:
            self._reporter.refuse(request, "There is no running recording")
            return
        self.state = "paused"
        self._reporter.answer(request)

    def _resume(self, request: int) -> None:
        if self.state != "paused":
            self._reporter.refuse(request, "There is no paused recording")
            return
        self._asked = (request, time.monotonic() + PATIENCE)
        self._key = True
        self.state = "on"

    def _stop(self, request: int) -> None:
        take = self._take
        self._over()
        if take is None:
            self._reporter.answer(request)
        else:
            take.request, take.late = request, time.monotonic() + CLOSING

    # -- pictures --------------------------------------------------------

    def _picture(self, picture: Picture) -> None:
        recording = self.state == "on"
        if not (recording or self._stream.on):
            return
        plan = self._record.plan if self._record is not None else self._stream.plan
        try:
            encoder = self._encoder_for(plan, picture)
            ticks = self._ticks_of(picture)
            if recording:
                self._border(ticks)
            key, self._key = self._key or (recording and self._take is None), False
            encoded = encoder.encode(picture.planes, ticks, key=key)
        except EncoderError as error:
            self._encoder = None
            self._fail(str(error))
            return
        for one in encoded:
            if self._stream.on:
                self._packets(one, picture.time)
            if recording:
                self._film(one, picture)

    def _encoder_for(self, plan: wire.Plan, picture: Picture) -> Encoder:
        encoder = self._encoder
        if encoder is None or not encoder.fits(plan, picture.planes, picture.rate):
            encoder = self._encoder = Encoder(plan, *size(picture.planes), picture.rate)
        return encoder

    def _ticks_of(self, picture: Picture) -> int:
        """Its time, later than that of all before."""
        if self._origin is None:
            self._origin = picture.time
        ticks = (picture.time - self._origin) * writing.CLOCK_RATE // NANO
        self._ticks = max(ticks, self._ticks + 1)
        return self._ticks

    def _border(self, ticks: int) -> None:
        """Begin a new film if this one is long enough."""
        take, record = self._take, self._record
        if take is None or record is None or not take.file:
            return
        plan = record.plan
        long = plan.segment_seconds and (
            ticks - take.began >= plan.segment_seconds * writing.CLOCK_RATE
        )
        if long or (plan.segment_bytes and take.size >= plan.segment_bytes):
            self._close(take)
            self._take = None

    def _film(self, encoded: Encoded, picture: Picture) -> None:
        take, record = self._take, self._record
        if record is None:
            return
        usual = writing.CLOCK_RATE // picture.rate
        if take is None:
            if not encoded.key:
                return  # hardware may still give what was asked for before
            take = self._take = self._open(record, picture, encoded.time)
        elif self._asked is not None:
            # What was left out is left out of its time, too.
            take.began += encoded.time - take.last - usual
        moment = encoded.time - take.began
        take.last = encoded.time
        take.size += len(encoded.data)
        take.film.put(writing.Packet(moment, encoded.key, encoded.data))
        if self._asked is not None and take.file:
            request, _ = self._asked
            self._asked = None
            self._reporter.answer(request)

    def _open(self, record: wire.Record, picture: Picture, ticks: int) -> _Take:
        film, self._spare = self._spare, Film(self._told)
        width, height = size(picture.planes)
        film.begin(
            writing.Begin(
                volume=record.volume,
                began=self._wall(),
                width=width,
                height=height,
                rate=picture.rate,
                title=record.title,
                reserve=record.plan.reserve,
            )
        )
        return _Take(film, ticks, ticks)

    # -- films -----------------------------------------------------------

    def _close(self, take: _Take) -> None:
        take.film.end()
        self._closing.append(take)

    def _over(self) -> None:
        """There is no recording any more."""
        take, self._take = self._take, None
        self.state, self._record, self._asked = "off", None, None
        if take is not None:
            self._close(take)

    def _fail(self, reason: str) -> None:
        """It cannot go on."""
        asked, begun = self._asked, self._take is not None and self._take.file
        if self.state == "off":
            return
        self._over()
        if asked is not None:
            self._reporter.refuse(asked[0], reason)
        if begun:
            self._reporter.send(wire.Ended(reason))

    def _news(self, film: Film, message: writing.FromWriter | writing.Over) -> None:
        mine = [take for take in (self._take, *self._closing) if take and take.film is film]
        if not mine:
            return
        (take,) = mine
        match message:
            case writing.Began(file, began, width, height, rate):
                take.file = file
                self._reporter.send(wire.Opened(file, began, width, height, rate))
                if take is self._take and self._asked is not None:
                    request, _ = self._asked
                    self._asked = None
                    self._reporter.answer(request)
            case writing.Trouble(_, reason):
                if take is self._take:
                    self._fail(reason)
            case writing.Done(length, duration, frames, failed):
                self._reporter.send(wire.Closed(take.file, duration, length, frames, failed))
                self._closed(take)
            case writing.Hashed(digest):
                self._reporter.send(wire.Hashed(take.file, digest))
            case writing.Over(status):
                if take is self._take:
                    self._fail(f"What writes the film has ended ({status})")
                self._closed(take)
                self._closing.remove(take)

    def _closed(self, take: _Take) -> None:
        """It is as complete as it will be."""
        request, take.request = take.request, None
        if request is not None:
            self._reporter.answer(request)

    def _look(self) -> None:
        """Whoever has waited long enough is answered."""
        now = time.monotonic()
        if self._asked is not None and now > self._asked[1]:
            self._fail("The camera gives no pictures")
        for take in self._closing:
            if take.request is not None and now > take.late:
                self._closed(take)  # it is closed in the background
