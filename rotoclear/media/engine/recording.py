"""
The recording: pictures through the encoder into one film after another.

All of it happens in one thread; whoever wants something of it leaves an order.
A film ends where it must and the next one begins with the next picture: none is
lost between them. What is paused is left out, and the film's time with it.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Literal, Protocol

from attrs import define, frozen

from rotoclear.media.engine import wire, writing
from rotoclear.media.engine.encode import Encoded, EncoderError
from rotoclear.media.engine.encoding import Encoding, Unit
from rotoclear.media.engine.film import Film
from rotoclear.media.engine.pictures import PULSE, Picture
from rotoclear.pixels import size

WAITING: Final = 16
"""
Pictures that may wait for the encoder; those beyond are dropped.

Half a second at 30 a second: so long it may take until a film has begun, on a busy machine.
"""

STALE: Final = 0.6
"""
Seconds after which a picture that has waited for the encoder is dropped.

What waits is lost when the engine is: it must be less than a second, however slow the machine is.
"""

PATIENCE: Final = 1.75
"""Seconds that a film has to begin; a little less than the two that a client waits."""

CLOSING: Final = 1.5
"""Seconds, from when it was asked for, after which nobody waits for a film to be closed."""

HURRY: Final = 0.5
"""
Seconds that pictures have to be encoded that came before the recording was to end.

Those beyond are left out: on a machine that is too slow for all of them it must end all the same.
"""

SILENCE: Final = 5.0
"""Seconds without a picture after which a recording ends."""

SILENT: Final = "The camera gives no pictures"

LATE: Final = "The film did not begin in time"

SPARE: Final = 2.0
"""Seconds after which there is another process for the next film."""

QUIET: Final = 10.0
"""Seconds between two complaints about an encoder."""

State = Literal["off", "on", "paused"]


class Reporter(Protocol):
    """Who is told what becomes of it. No method may block."""

    def answer(self, request: int, result: object = None) -> None:
        """It is done."""

    def refuse(self, request: int, message: str) -> None:
        """It went wrong."""

    def send(self, message: wire.FromEngine) -> None:
        """Something has happened by itself."""


class Head(Protocol):
    """The stream of one head alone, as :class:`rotoclear.media.engine.track.Track`."""

    def wants_key(self) -> bool:
        """Whether the next picture has to be a keyframe for it."""

    def relay(self, encoded: Encoded, taken: int) -> None:
        """An encoded picture that shows this head alone, and when it was taken."""


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
    :ivar size: bytes of its pictures.
    :ivar file: its name, once that is known.
    :ivar closed: it has its name on the disk.
    :ivar request: who is to be answered when it is closed.
    :ivar late: when that one is answered anyway.
    """

    film: Film
    began: int
    last: int
    size: int = 0
    file: str = ""
    closed: bool = False
    request: int | None = None
    late: float = 0.0


class Recording(threading.Thread):
    """
    The thread; a sink for pictures.

    :param reporter: told what becomes of it; from this thread.
    :param packets: given each encoded picture, and its picture's time, while somebody
        wants the stream.
    :param heads: those of one head alone, by its number: given the same while the view
        shows nothing else.
    :param wall: tells the time, seconds since 1970.
    :ivar alive: when it last looked around.
    :ivar state: what it does.
    :ivar dropped: pictures that came too quickly for the encoder.
    :ivar written: bytes that have gone into films.
    :ivar progress: of the film that is being written, once it has a name.
    """

    def __init__(
        self,
        reporter: Reporter,
        packets: Callable[[Encoded, int], None],
        heads: Mapping[int, Head] = MappingProxyType({}),
        wall: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(name="recording", daemon=True)
        self._reporter = reporter
        self._packets = packets
        self._heads = heads
        self._shown = 0
        self._wall = wall
        self._orders: queue.SimpleQueue[Picture | wire.ToEngine | None] = queue.SimpleQueue()
        self._tidings: queue.SimpleQueue[_Tell] = queue.SimpleQueue()
        self._room = threading.Semaphore(WAITING)
        self._record: wire.Record | None = None
        self._asked: tuple[int, float] | None = None
        self._take: _Take | None = None
        self._closing: list[_Take] = []
        self._spare: Film | None = None
        self._spare_due = 0.0
        self._encoding = Encoding()
        self._stream = wire.Stream(False, wire.Plan())
        self._ending: float | None = None
        self._key = False
        self._begun = False
        self._left_out = False
        self._seen = 0.0
        self._complained = -QUIET
        self.alive = time.monotonic()
        self.state: State = "off"
        self.dropped = 0
        self.written = 0
        self.progress: wire.Progress | None = None

    # -- from other threads ----------------------------------------------

    def wants(self) -> bool:
        """See :class:`~rotoclear.media.engine.pictures.Sink`; so the other."""
        return self.state == "on" or self._stream.on

    def put(self, picture: Picture) -> None:
        if self._room.acquire(blocking=False):
            self._orders.put(picture)
        else:
            self.dropped += 1

    def order(self, message: wire.ToEngine) -> None:
        """Do this, in its turn."""
        if isinstance(message, wire.Stop):
            self._ending = time.monotonic()
        self._orders.put(message)

    def _told(self, film: Film, message: writing.FromWriter | writing.Over) -> None:
        # It need not wait until the pictures before it are encoded.
        self._tidings.put(_Tell(film, message))
        self._orders.put(None)

    # -- the thread ------------------------------------------------------

    def run(self) -> None:
        while True:
            self.alive = time.monotonic()
            try:
                order = self._orders.get(timeout=PULSE)
            except queue.Empty:
                order = None
            while not self._tidings.empty():
                tell = self._tidings.get()
                self._news(tell.film, tell.message)
            if order is not None:
                self._do(order)
            self._look()

    def _do(self, order: Picture | wire.ToEngine) -> None:
        match order:
            case Picture():
                self._room.release()
                now = time.monotonic()
                hurry = self._ending is not None and now > self._ending + HURRY
                if hurry or now > order.since + STALE:
                    self.dropped += 1
                else:
                    self._picture(order)
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

    # -- orders ----------------------------------------------------------

    def _begin(self, record: wire.Record) -> None:
        if self.state != "off":
            self._reporter.refuse(record.request, "A recording is running")
            return
        self._record = record
        self._asked = (record.request, time.monotonic() + PATIENCE)
        self._seen = time.monotonic()
        self.state = "on"

    def _pause(self, request: int) -> None:
        if self.state != "on" or self._take is None:
            self._reporter.refuse(request, "There is no running recording")
            return
        self._drain()
        self.state, self._asked, self._left_out = "paused", None, True
        self._reporter.answer(request)

    def _resume(self, request: int) -> None:
        if self.state != "paused":
            self._reporter.refuse(request, "There is no paused recording")
            return
        self._asked = (request, time.monotonic() + PATIENCE)
        self._seen = time.monotonic()
        self._key = True
        self.state = "on"

    def _stop(self, request: int) -> None:
        take, asked = self._take, self._ending or time.monotonic()
        self._ending = None
        self._over()
        if take is None or take not in self._closing:
            self._reporter.answer(request)
        else:
            take.request, take.late = request, asked + CLOSING

    # -- pictures --------------------------------------------------------

    def _picture(self, picture: Picture) -> None:
        recording = self.state == "on"
        if not (recording or self._stream.on):
            return
        self._seen = time.monotonic()
        plan = self._record.plan if self._record is not None else self._stream.plan
        if recording and self._is_long(plan, picture):
            self._drain()
            self._cut()
        if recording and not self._encoding.fits(plan, picture):
            # No film holds two sizes.
            self._cut()
        self._shown = picture.camera
        head = self._heads.get(self._shown)
        for_head = head is not None and head.wants_key()
        key, self._key = self._key or for_head or (recording and self._take is None), False
        try:
            units = self._encoding.encode(plan, picture, key=key)
        except EncoderError as error:
            self._fail(str(error))
            return
        self._deliver(units, picture)

    def _deliver(self, units: list[Unit], picture: Picture | None) -> None:
        head = self._heads.get(self._shown)
        for unit in units:
            if self._stream.on:
                self._packets(unit.encoded, unit.taken)
            if head is not None:
                head.relay(unit.encoded, unit.taken)
            if self.state == "on":
                self._film(unit, picture)

    def _drain(self) -> None:
        """What the encoder holds belongs to what was."""
        try:
            self._deliver(self._encoding.drain(), None)
        except EncoderError as error:
            self._complain(str(error))

    def _is_long(self, plan: wire.Plan, picture: Picture) -> bool:
        """The next film is to begin with this picture."""
        take = self._take
        if take is None or not take.file:
            return False
        played = take.last - take.began + writing.CLOCK_RATE // picture.rate
        return bool(
            (plan.segment_seconds and played >= plan.segment_seconds * writing.CLOCK_RATE)
            or (plan.segment_bytes and take.size >= plan.segment_bytes)
        )

    def _cut(self) -> None:
        """Begin a new film with the next picture."""
        take, self._take, self.progress = self._take, None, None
        if take is not None:
            self._close(take)

    def _film(self, unit: Unit, picture: Picture | None) -> None:
        take, record, encoded = self._take, self._record, unit.encoded
        if record is None:
            return
        if take is None:
            if not encoded.key or picture is None:
                return  # hardware may still give what was asked for before
            opened = self._open(record, picture, encoded.time)
            if opened is None:
                return
            take = self._take = opened
        elif self._left_out:
            # What was left out is left out of its time, too.
            take.began += encoded.time - take.last - unit.usual
        self._left_out = False
        take.last = encoded.time
        take.size += len(encoded.data)
        self.written += len(encoded.data)
        take.film.put(writing.Packet(encoded.time - take.began, encoded.key, encoded.data))
        if take.file:
            duration = (take.last - take.began + unit.usual) / writing.CLOCK_RATE
            self.progress = wire.Progress(take.file, duration, take.size)
            self._answer()

    def _open(self, record: wire.Record, picture: Picture, ticks: int) -> _Take | None:
        film, self._spare = self._spare, None
        self._spare_due = time.monotonic() + SPARE
        try:
            film = film or Film(self._told)
        except OSError as error:
            self._fail(f"No process can be started: {error.strerror or error}")
            return None
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

    def _answer(self) -> None:
        """The picture that was waited for is in the film."""
        self._begun = True
        if self._asked is not None:
            (request, _), self._asked = self._asked, None
            self._reporter.answer(request)

    # -- films -----------------------------------------------------------

    def _close(self, take: _Take) -> None:
        take.film.end()
        self._closing.append(take)

    def _take_back(self, take: _Take) -> bool:
        """
        Keep the process for the next film, if it has not even started.

        A machine may be so slow that none has when it is needed: were it used up by the attempt,
        the next one would have to wait for another.
        """
        if not take.film.take_back():
            return False
        if self._spare is not None:
            self._spare.end()
        self._spare = take.film
        return True

    def _over(self) -> None:
        """There is no recording any more."""
        if self.state == "on":
            self._drain()
        take, self._take, self.progress = self._take, None, None
        begun, self._begun = self._begun, False
        self.state, self._record, self._asked, self._left_out = "off", None, None, False
        if take is not None and (begun or not self._take_back(take)):
            self._close(take)

    def _fail(self, reason: str) -> None:
        """It cannot go on."""
        if self.state == "off":
            self._complain(reason)
            return
        asked, begun = self._asked, self._begun
        self._over()
        if asked is not None:
            self._reporter.refuse(asked[0], reason)
        if begun:
            self._reporter.send(wire.Ended(reason))

    def _complain(self, reason: str) -> None:
        now = time.monotonic()
        if now - self._complained > QUIET:
            self._complained = now
            self._reporter.send(wire.Log(logging.ERROR, reason))

    def _news(self, film: Film, message: writing.FromWriter | writing.Over) -> None:
        if film is self._spare and isinstance(message, writing.Over):
            self._spare, self._spare_due = None, time.monotonic() + SPARE
        mine = [take for take in (self._take, *self._closing) if take and take.film is film]
        if not mine:
            return
        (take,) = mine
        match message:
            case writing.Began(file, began, width, height, rate):
                take.file = file
                self._reporter.send(wire.Opened(file, began, width, height, rate))
                if take is self._take:
                    self._answer()
            case writing.Trouble(_, reason):
                if take is self._take:
                    self._fail(reason)
            case writing.Done(length, duration, frames, failed):
                take.closed = True
                if take.file:
                    self._reporter.send(wire.Closed(take.file, duration, length, frames, failed))
                self._closed(take)
            case writing.Hashed(digest):
                self._reporter.send(wire.Hashed(take.file, digest))
            case writing.Over(status):
                if take is self._take:
                    self._fail(f"What writes the film has ended ({status})")
                if take.file and not take.closed:
                    self._reporter.send(wire.Torn(take.file))
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
            self._fail(SILENT if self._take is None or self._left_out else LATE)
        if self.state == "on" and now > self._seen + SILENCE:
            self._fail(SILENT)
        for take in self._closing:
            if take.request is not None and now > take.late:
                self._closed(take)  # it is closed in the background
        if self._spare is None and now > self._spare_due:
            self._spare_due = now + SPARE
            try:
                self._spare = Film(self._told)
            except OSError as error:
                self._complain(f"No process can be started: {error.strerror or error}")
