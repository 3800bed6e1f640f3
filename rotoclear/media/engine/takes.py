"""
The films of a recording, one after another, and those that are still being closed.

All of it happens in the recording's thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Protocol

from attrs import define

from rotoclear.media.engine import wire, writing
from rotoclear.media.engine.encoding import Unit
from rotoclear.media.engine.film import Film
from rotoclear.media.engine.pictures import Picture
from rotoclear.pixels import size

CLOSING: Final = 1.5
"""Seconds, from when it was asked for, after which nobody waits for a film to be closed."""

SPARE: Final = 2.0
"""Seconds after which there is another process for the next film."""

News = writing.FromWriter | writing.Over
"""What a film's process says, or that it has ended."""


class Reporter(Protocol):
    """Who is told what becomes of it. No method may block."""

    def answer(self, request: int, result: object = None) -> None:
        """It is done."""

    def refuse(self, request: int, message: str) -> None:
        """It went wrong."""

    def send(self, message: wire.FromEngine) -> None:
        """Something has happened by itself."""


class Owner(Protocol):
    """The recording that they are of."""

    def began(self) -> None:
        """The film that is being made has a picture in it."""

    def failed(self, reason: str) -> None:
        """It cannot go on."""

    def complain(self, reason: str) -> None:
        """Something is wrong that does not end anything."""


@define(eq=False)
class Take:
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


class Takes:
    """
    See the module.

    :param owner: told what becomes of the film that is being made.
    :param reporter: told what becomes of each.
    :param told: called from other threads with what films say, to be given to :meth:`news`.
    :param wall: tells the time, seconds since 1970.
    :ivar current: the one that is being made.
    :ivar spare: a process for the next one.
    :ivar progress: of the one that is being made, once it has a name.
    """

    def __init__(
        self,
        owner: Owner,
        reporter: Reporter,
        told: Callable[[Film, News], None],
        wall: Callable[[], float],
    ) -> None:
        self._owner = owner
        self._reporter = reporter
        self._told = told
        self._wall = wall
        self._closing: list[Take] = []
        self._spare_due = 0.0
        self.current: Take | None = None
        self.spare: Film | None = None
        self.progress: wire.Progress | None = None

    # -- the one that is being made ----------------------------------------

    def open(self, record: wire.Record, picture: Picture, ticks: int) -> None:
        """
        Begin one, with this picture.

        :raises OSError: no process can be started.
        """
        film, self.spare = self.spare, None
        self._spare_due = time.monotonic() + SPARE
        film = film or Film(self._told)
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
        self.current = Take(film, ticks, ticks)

    def put(self, unit: Unit, *, left_out: bool) -> None:
        """
        One more picture.

        :param left_out: those between the last one and this one were, and so is their time.
        """
        take, encoded = self.current, unit.encoded
        if take is None:
            return
        if left_out:
            take.began += encoded.time - take.last - unit.usual
        take.last = encoded.time
        take.size += len(encoded.data)
        take.film.put(writing.Packet(encoded.time - take.began, encoded.key, encoded.data))
        if take.file:
            played = (take.last - take.began + unit.usual) / writing.CLOCK_RATE
            self.progress = wire.Progress(take.file, played, take.size)
            self._owner.began()

    def is_long(self, plan: wire.Plan, rate: int) -> bool:
        """The next film is to begin with the next picture."""
        take = self.current
        if take is None or not take.file:
            return False
        played = take.last - take.began + writing.CLOCK_RATE // rate
        return bool(
            (plan.segment_seconds and played >= plan.segment_seconds * writing.CLOCK_RATE)
            or (plan.segment_bytes and take.size >= plan.segment_bytes)
        )

    def cut(self, *, unused: bool = False) -> Take | None:
        """
        It is over.

        :param unused: nobody has been told of it: if its process has not even started, that
            is kept for the next film. A machine may be so slow that none has when it is needed:
            were it used up by the attempt, the next one would have to wait for another.
        :return: what is being closed, if anything is.
        """
        take, self.current, self.progress = self.current, None, None
        if take is None or (unused and self._take_back(take)):
            return None
        take.film.end()
        self._closing.append(take)
        return take

    def _take_back(self, take: Take) -> bool:
        if not take.film.take_back():
            return False
        if self.spare is not None:
            self.spare.end()
        self.spare = take.film
        return True

    # -- what becomes of them ----------------------------------------------

    def tell_when_closed(self, take: Take, request: int, asked: float) -> None:
        """
        Answer a request when it is closed.

        :param asked: when that was asked for; it is answered :data:`CLOSING` seconds later anyway.
        """
        take.request, take.late = request, asked + CLOSING

    def news(self, film: Film, message: News) -> None:
        """A film has said something."""
        if film is self.spare and isinstance(message, writing.Over):
            self.spare, self._spare_due = None, time.monotonic() + SPARE
        for take in (self.current, *self._closing):
            if take is not None and take.film is film:
                self._heard(take, message)
                return

    def _heard(self, take: Take, message: News) -> None:
        match message:
            case writing.Began(file, began, width, height, rate):
                take.file = file
                self._reporter.send(wire.Opened(file, began, width, height, rate))
                if take is self.current:
                    self._owner.began()
            case writing.Trouble(_, reason):
                if take is self.current:
                    self._owner.failed(reason)
            case writing.Done(length, duration, frames, failed):
                take.closed = True
                if take.file:
                    self._reporter.send(wire.Closed(take.file, duration, length, frames, failed))
                self._closed(take)
            case writing.Hashed(digest):
                self._reporter.send(wire.Hashed(take.file, digest))
            case writing.Over(status):
                if take is self.current:
                    self._owner.failed(f"What writes the film has ended ({status})")
                if take.file and not take.closed:
                    self._reporter.send(wire.Torn(take.file))
                self._closed(take)
                self._closing.remove(take)

    def _closed(self, take: Take) -> None:
        """It is as complete as it will be."""
        request, take.request = take.request, None
        if request is not None:
            self._reporter.answer(request)

    def look(self, now: float) -> None:
        """Whoever has waited long enough is answered; and there is a process for the next one."""
        for take in self._closing:
            if take.request is not None and now > take.late:
                self._closed(take)  # it is closed in the background
        if self.spare is None and now > self._spare_due:
            self._spare_due = now + SPARE
            try:
                self.spare = Film(self._told)
            except OSError as error:
                self._owner.complain(no_process(error))


def no_process(error: OSError) -> str:
    """What to tell people who wait for a film."""
    return f"No process can be started: {error.strerror or error}"
