"""
Live pictures for any number of viewers, of one encode.

The engine sends each picture once, as JPEG; here it is numbered, told when it
was taken, and handed to everybody who looks. The engine is watched exactly while somebody
does. What a viewer cannot take in time is that viewer's affair: here nothing waits.
"""

from __future__ import annotations

import json
import time as clocks
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rotoclear.media.engine import wire
from rotoclear.media.service import Viewer

_SOI: Final = b"\xff\xd8"
_APP0: Final = b"\xff\xe0"
_COM: Final = b"\xff\xfe"


class Engine(Protocol):
    """What makes pictures, as :class:`rotoclear.media.service.EngineService`."""

    def watch(self, viewer: Viewer) -> None:
        """Show it live pictures."""

    def unwatch(self, viewer: Viewer) -> None:
        """Show it no more."""

    def need(self, who: object, camera: int = 0) -> None:
        """Pictures of that camera (0: of the view) are needed from now on."""

    def done(self, who: object, camera: int = 0) -> None:
        """Undo one :meth:`need`."""

    def ask(self, make: Callable[[int], wire.ToEngine]) -> Deferred[bytes]:
        """Ask for something, by a message made of its number."""


@define(eq=False)
class Picture:
    """
    A live picture, shared by everybody who looks.

    :ivar jpeg: it, with a comment (see :func:`described`) that tells the rest.
    :ivar number: counts the live pictures of this server.
    :ivar time: when it was taken: nanoseconds of ``CLOCK_MONOTONIC``.
    :ivar taken: likewise, in seconds since 1970.
    """

    jpeg: bytes
    number: int
    time: int
    taken: float
    _framed: dict[Callable[[Picture], bytes], bytes] = field(factory=dict, init=False, repr=False)

    def framed(self, frame: Callable[[Picture], bytes]) -> bytes:
        """What a function makes of it; called once, however many want the same."""
        found = self._framed.get(frame)
        if found is None:
            found = self._framed[frame] = frame(self)
        return found


class Spectator(Protocol):
    """Somebody who looks."""

    def show(self, picture: Picture) -> None:
        """Here is a picture; must not block."""


class Feed:
    """
    See the module.

    :param wall_clock: nanoseconds since 1970.
    :param monotonic: nanoseconds of ``CLOCK_MONOTONIC``.
    """

    _log = Logger()

    def __init__(
        self,
        engine: Engine,
        wall_clock: Callable[[], int] = clocks.time_ns,
        monotonic: Callable[[], int] = clocks.monotonic_ns,
    ) -> None:
        self._engine = engine
        self._wall_clock = wall_clock
        self._monotonic = monotonic
        self._spectators: dict[Spectator, None] = {}
        self._number = 0

    @property
    def count(self) -> int:
        """How many look."""
        return len(self._spectators)

    def join(self, spectator: Spectator) -> None:
        """Show it every picture from now on."""
        first = not self._spectators
        self._spectators[spectator] = None
        if first:
            self._engine.watch(self)

    def leave(self, spectator: Spectator) -> None:
        """Show it no more; it need not have joined."""
        if self._spectators.pop(spectator, self) is None and not self._spectators:
            self._engine.unwatch(self)

    def picture(self, jpeg: bytes, time: int) -> None:
        """See :class:`~rotoclear.media.service.Viewer`."""
        self._number += 1
        taken = (self._wall_clock() - self._monotonic() + time) / 1e9
        picture = Picture(described(jpeg, self._number, taken), self._number, time, taken)
        for spectator in tuple(self._spectators):
            try:
                spectator.show(picture)
            except Exception:  # noqa: BLE001 - one's fault is not another one's loss
                self._log.failure("a viewer could not be shown a picture")
                self.leave(spectator)

    def look(self, quality: int, camera: int = 0) -> Deferred[bytes]:
        """
        The next picture as JPEG. The camera is started for it if it has to be.

        :param quality: 1 to 100.
        :param camera: of that camera alone; 0: of the view.
        :return: fails with :exc:`~rotoclear.state.errors.DeviceError` if there is none in time.
        """
        who = object()
        self._engine.need(who, camera)

        def done(result: object) -> object:
            self._engine.done(who, camera)
            return result

        asked = self._engine.ask(partial(wire.Look, quality=quality, camera=camera))
        return asked.addBoth(done)


def described(jpeg: bytes, number: int, taken: float) -> bytes:
    """
    Put a comment (ITU-T T.81 B.2.4.5) of what is known of it into a JPEG.

    It is JSON, in ASCII; programs that decode JPEGs pass over it. It stands
    behind the JFIF header, which has to come first.
    """
    text = json.dumps({"number": number, "taken": round(taken, 6)}).encode("ascii")
    at = len(_SOI)
    if jpeg.startswith(_APP0, at):
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
    comment = _COM + (len(text) + 2).to_bytes(2, "big") + text
    return b"".join((memoryview(jpeg)[:at], comment, memoryview(jpeg)[at:]))
