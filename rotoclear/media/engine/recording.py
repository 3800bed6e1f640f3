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

from attrs import frozen

from rotoclear.media.engine import wire
from rotoclear.media.engine.encode import Encoded, EncoderError
from rotoclear.media.engine.encoding import Encoding, Unit
from rotoclear.media.engine.film import Film
from rotoclear.media.engine.pictures import PULSE, Picture
from rotoclear.media.engine.takes import News, Reporter, Take, Takes, no_process

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

HURRY: Final = 0.5
"""
Seconds that pictures have to be encoded that came before the recording was to end.

Those beyond are left out: on a machine that is too slow for all of them it must end all the same.
"""

SILENCE: Final = 5.0
"""Seconds without a picture after which a recording ends."""

SILENT: Final = "The camera gives no pictures"

LATE: Final = "The film did not begin in time"

QUIET: Final = 10.0
"""Seconds between two complaints about an encoder."""

State = Literal["off", "on", "paused"]


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
    message: News


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
        self._takes = Takes(self, reporter, self._told, wall)
        self._orders: queue.SimpleQueue[Picture | wire.ToEngine | None] = queue.SimpleQueue()
        self._tidings: queue.SimpleQueue[_Tell] = queue.SimpleQueue()
        self._room = threading.Semaphore(WAITING)
        self._record: wire.Record | None = None
        self._asked: tuple[int, float] | None = None
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

    # -- from other threads ----------------------------------------------

    def wants(self) -> bool:
        """See :class:`~rotoclear.media.engine.pictures.Sink`; so the other."""
        return self.state == "on" or self._stream.on

    def put(self, picture: Picture) -> None:
        if self._room.acquire(blocking=False):
            self._orders.put(picture)
        else:
            self.dropped += 1

    @property
    def progress(self) -> wire.Progress | None:
        """Of the film that is being made, once it has a name."""
        return self._takes.progress

    def order(self, message: wire.ToEngine) -> None:
        """Do this, in its turn."""
        if isinstance(message, wire.Stop):
            self._ending = time.monotonic()
        self._orders.put(message)

    def _told(self, film: Film, message: News) -> None:
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
                self._takes.news(tell.film, tell.message)
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
        if self.state != "on" or self._takes.current is None:
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
        asked = self._ending or time.monotonic()
        self._ending = None
        closing = self._over()
        if closing is None:
            self._reporter.answer(request)
        else:
            self._takes.tell_when_closed(closing, request, asked)

    # -- pictures --------------------------------------------------------

    def _picture(self, picture: Picture) -> None:
        recording = self.state == "on"
        if not (recording or self._stream.on):
            return
        self._seen = time.monotonic()
        plan = self._record.plan if self._record is not None else self._stream.plan
        if recording and self._takes.is_long(plan, picture.rate):
            self._drain()
            self._takes.cut()
        if recording and not self._encoding.fits(plan, picture):
            # No film holds two sizes.
            self._takes.cut()
        self._shown = picture.camera
        head = self._heads.get(self._shown)
        for_head = head is not None and head.wants_key()
        key, self._key = self._key or for_head or (recording and self._takes.current is None), False
        try:
            units = self._encoding.encode(plan, picture, key=key)
        except EncoderError as error:
            self.failed(str(error))
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
            self.complain(str(error))

    def _film(self, unit: Unit, picture: Picture | None) -> None:
        record, left_out = self._record, self._left_out
        if record is None:
            return
        if self._takes.current is None:
            if not unit.encoded.key or picture is None:
                return  # hardware may still give what was asked for before
            try:
                self._takes.open(record, picture, unit.encoded.time)
            except OSError as error:
                self.failed(no_process(error))
                return
            left_out = False
        self._left_out = False
        self.written += len(unit.encoded.data)
        self._takes.put(unit, left_out=left_out)

    # -- what its films have to say --------------------------------------

    def began(self) -> None:
        """See :class:`~rotoclear.media.engine.takes.Owner`; so the others."""
        self._begun = True
        if self._asked is not None:
            (request, _), self._asked = self._asked, None
            self._reporter.answer(request)

    def _over(self) -> Take | None:
        """There is no recording any more; return the film that is being closed."""
        if self.state == "on":
            self._drain()
        begun, self._begun = self._begun, False
        self.state, self._record, self._asked, self._left_out = "off", None, None, False
        return self._takes.cut(unused=not begun)

    def failed(self, reason: str) -> None:
        if self.state == "off":
            self.complain(reason)
            return
        asked, begun = self._asked, self._begun
        self._over()
        if asked is not None:
            self._reporter.refuse(asked[0], reason)
        if begun:
            self._reporter.send(wire.Ended(reason))

    def complain(self, reason: str) -> None:
        now = time.monotonic()
        if now - self._complained > QUIET:
            self._complained = now
            self._reporter.send(wire.Log(logging.ERROR, reason))

    def _look(self) -> None:
        """Whoever has waited long enough is answered."""
        now = time.monotonic()
        if self._asked is not None and now > self._asked[1]:
            none = self._takes.current is None or self._left_out
            self.failed(SILENT if none else LATE)
        if self.state == "on" and now > self._seen + SILENCE:
            self.failed(SILENT)
        self._takes.look(now)
