"""One stream: the film as it comes, taken apart once for all who watch it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from rotoclear.media.rtsp import h264, rtp
from rotoclear.media.rtsp.h264 import Parameters

LINGER: Final = 3.0
"""Seconds for which the film is still taken when nobody watches: between two requests, say."""

PATIENCE: Final = 8.0
"""Seconds within which the film has to begin for somebody who asks what it is like."""

CALM: Final = 0.5
"""Seconds at least between two keyframes that are asked for."""


class NoFilm(Exception):
    """There are no pictures now. ``str()`` is for people."""


class Film(Protocol):
    """Gives the film, as :class:`rotoclear.media.service.EngineService`."""

    def listen(self, listener: Stream, camera: int) -> None:
        """
        Call its ``access_unit`` from now on, first with a keyframe soon.

        :param camera: of that camera alone; 0: of the view.
        """

    def unlisten(self, listener: Stream, camera: int) -> None:
        """No more."""

    def keyframe(self, camera: int) -> None:
        """The next picture is to be a keyframe."""


class Viewer(Protocol):
    """Whom the film is sent to."""

    def unit(self, payloads: Sequence[bytes], ticks: int, key: bool) -> None:
        """One picture, in RTP's pieces."""


class Stream:
    """
    See the module. A listener of the engine's.

    :param camera: of that camera alone; 0: of the view.
    :ivar viewers: who watches.
    """

    _log = Logger()

    def __init__(self, reactor: IReactorTime, film: Film, camera: int = 0) -> None:
        self._reactor = reactor
        self._film = film
        self._camera = camera
        self._ticks = -1
        self._listening = False
        self._parameters: Parameters | None = None
        self._asking: list[Deferred[Parameters]] = []
        self._end: IDelayedCall | None = None
        self._calm: IDelayedCall | None = None
        self._wanted = False
        self.viewers: list[Viewer] = []

    def parameters(self) -> Deferred[Parameters]:
        """
        What a decoder has to know; the film begins if need be.

        :return: fails with :exc:`NoFilm` when none comes.
        """
        self._begin()
        self._end_later()
        if self._parameters is not None:
            return succeed(self._parameters)
        asking: Deferred[Parameters] = Deferred(self._asking.remove)
        self._asking.append(asking)
        late = self._reactor.callLater(PATIENCE, self._late, asking)

        def heard(result: Parameters) -> Parameters:
            if late.active():
                late.cancel()
            return result

        return asking.addBoth(heard)

    def _late(self, asking: Deferred[Parameters]) -> None:
        self._asking.remove(asking)
        asking.errback(NoFilm("There are no pictures at the moment"))

    def join(self, viewer: Viewer) -> None:
        """Send the film to somebody, from a keyframe that is made soon."""
        if self._end is not None:
            self._end.cancel()
            self._end = None
        fresh = not self._listening
        self._begin()
        self.viewers.append(viewer)
        if not fresh:
            self._want_key()

    def leave(self, viewer: Viewer) -> None:
        """No more."""
        if viewer in self.viewers:
            self.viewers.remove(viewer)
        self._end_later()

    def stop(self) -> None:
        """Take no more of the film, at once."""
        for call in (self._end, self._calm):
            if call is not None and call.active():
                call.cancel()
        self._end = self._calm = None
        self._finish()

    def access_unit(self, data: bytes, time: int, key: bool) -> None:
        """The engine's next picture."""
        units = h264.split(data)
        if key:
            found = h264.parameters_in(units)
            if found is not None:
                self._parameters = found
                asking, self._asking = self._asking, []
                for one in asking:
                    one.callback(found)
        if not self.viewers:
            return
        payloads = rtp.payloads(units)
        # Of another camera it may have been taken a little before the last one.
        self._ticks = max(rtp.ticks(time), self._ticks + 1)
        for viewer in tuple(self.viewers):
            try:
                viewer.unit(payloads, self._ticks, key)
            except Exception:  # noqa: BLE001 - one viewer's trouble is not the others'
                self._log.failure("a picture could not be sent to a viewer")

    def _begin(self) -> None:
        if not self._listening:
            self._listening = True
            self._film.listen(self, self._camera)

    def _end_later(self) -> None:
        if self._listening and not self.viewers:
            if self._end is not None and self._end.active():
                self._end.reset(LINGER)
            else:
                self._end = self._reactor.callLater(LINGER, self._over)

    def _over(self) -> None:
        self._end = None
        if self._asking:
            self._end_later()
        elif not self.viewers:
            self._finish()

    def _finish(self) -> None:
        if self._listening:
            self._listening = False
            self._parameters = None
            self._film.unlisten(self, self._camera)

    def _want_key(self) -> None:
        """One for all who join at once: keyframes are large."""
        if self._calm is not None:
            self._wanted = True
            return
        self._film.keyframe(self._camera)
        self._calm = self._reactor.callLater(CALM, self._calmed)

    def _calmed(self) -> None:
        self._calm = None
        if self._wanted:
            self._wanted = False
            self._want_key()
