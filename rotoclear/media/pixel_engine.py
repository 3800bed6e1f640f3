"""What the recorder and the snapshots ask of the engine: :class:`IEngine`, for real."""

from __future__ import annotations

from typing import Any, Final, Protocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import TimeoutError as TookTooLong
from twisted.logger import Logger
from zope.interface import implementer

from rotoclear.interfaces import CameraDescription, VolumeDescription
from rotoclear.media.engine import wire
from rotoclear.media.films import LOST, Event, Films, Place, Take
from rotoclear.media.interfaces import IEngine, Watcher
from rotoclear.media.service import EngineService
from rotoclear.media.view import SLIDERS, SWITCHES
from rotoclear.state.errors import DeviceError, NotAvailable
from rotoclear.state.model import Model
from rotoclear.state.queue import ASKER

_NOTED: Final = (*SLIDERS, *SWITCHES, "resolution", "fps", "pip-mode")


class Volumes(Protocol):
    """The volumes, as :class:`rotoclear.devices.volumes.Volumes`."""

    def current(self) -> Any:
        """The volume that records, or ``None``."""


class Heads(Protocol):
    """The heads, as :class:`rotoclear.devices.heads.Heads`."""

    def description(self, number: int) -> CameraDescription | None:
        """What it is."""


@implementer(IEngine)
class PixelEngine:
    """
    Records and takes pictures by what the state says.

    :ivar recording: an engine is recording, or paused.
    """

    _log = Logger()

    def __init__(
        self,
        service: EngineService,
        model: Model,
        heads: Heads,
        volumes: Volumes,
        films: Films,
        plan: wire.Plan,
    ) -> None:
        self._service = service
        self._model = model
        self._heads = heads
        self._volumes = volumes
        self._films = films
        self._plan = plan
        self._watchers: list[Watcher] = []
        self._cut_off = ""
        self.recording = False
        service.on_change(self._changed)
        service.on_event(self._happened)

    def watch(self, watcher: Watcher) -> None:
        self._watchers.append(watcher)

    def start(self, again: bool = False) -> Deferred[None]:
        return Deferred.fromCoroutine(self._start(again))

    def stop(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._stop())

    def pause(self) -> Deferred[None]:
        return self._service.ask(wire.Pause, late=lambda _: self._late(True)).addCallback(_nothing)

    def resume(self) -> Deferred[None]:
        return self._service.ask(wire.Resume, late=lambda _: self._late(False)).addCallback(
            _nothing
        )

    def snap(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._snap())

    async def _start(self, again: bool) -> None:
        place, camera = self._place(), self._camera()
        self._check_encoder()
        self._films.begin(Take(place, camera, ASKER.get(), self._cut_off if again else ""))
        self._hold()
        try:
            await self._service.ask(
                lambda number: wire.Record(number, place.path, self._plan, self._title(camera))
            )
        except (DeviceError, CancelledError, TookTooLong):
            # It may begin yet.
            self._stop_anyway()
            raise
        await self._films.settled()
        self._cut_off = ""

    async def _stop(self) -> None:
        if not self.recording:
            return
        try:
            await self._service.ask(wire.Stop)
        except DeviceError as error:
            # Either there is no engine, and nothing is recorded; or it has been told, and does
            # it later, or hangs and is ended. That it goes on recording would not be true.
            self._log.warn("the recording has not ended in time: {why}", why=str(error))
        finally:
            self._let_go()
        await self._films.settled()

    def _stop_anyway(self) -> None:
        self._service.ask(wire.Stop).addErrback(lambda failure: failure.trap(DeviceError))
        self._let_go()

    async def _snap(self) -> None:
        place, camera, user = self._place(), self._camera(), ASKER.get()

        def keep(raw: dict[str, Any]) -> Deferred[str]:
            return self._films.snapshot(place, wire.Stored(**raw), camera, user)

        token = object()
        self._service.need(token)
        try:
            raw = await self._service.ask(
                lambda number: wire.Snap(
                    number, place.path, int(self._model["jpeg-quality"]), self._notes(camera)
                ),
                # A slow stick has it all the same: it is not to lie there unknown.
                late=lambda raw: keep(raw).addErrback(
                    lambda failure: self._log.failure("a picture is not listed", failure)
                ),
            )
        finally:
            self._service.done(token)
        await keep(raw)

    # -- what is so ------------------------------------------------------

    def _hold(self) -> None:
        if not self.recording:
            self.recording = True
            self._service.need(self)

    def _let_go(self) -> None:
        if self.recording:
            self.recording = False
            self._service.done(self)

    def _changed(self, running: bool) -> None:
        if running:
            for watcher in self._watchers:
                watcher.back()
            return
        self._let_go()
        # One that has not begun to record since goes on with the same one.
        self._cut_off = self._films.lost() or self._cut_off
        for watcher in self._watchers:
            watcher.lost(LOST)

    def _happened(self, event: Event) -> None:
        if isinstance(event, wire.Ended):
            self._let_go()
            for watcher in self._watchers:
                watcher.ended(event.reason)

    def _late(self, paused: bool) -> None:
        for watcher in self._watchers:
            watcher.late(paused)

    def _check_encoder(self) -> None:
        """
        :raises NotAvailable: there is no such encoder here.
        """
        wanted, there = self._plan.encoder, self._service.encoders
        if there and wanted not in there:
            raise NotAvailable(
                f"There is no encoder {wanted!r} here; there are: {', '.join(there)}"
            )

    def _camera(self) -> int:
        return int(self._model["main-camera"])

    def _place(self) -> Place:
        volume = self._volumes.current()
        if volume is None:
            raise NotAvailable("There is no storage to write on")
        description: VolumeDescription = volume.description
        return Place(f"{volume.driver}/{volume.identity}", description.name, description.path)

    def _title(self, camera: int) -> str:
        description = self._heads.description(camera)
        return f"Camera {camera}" + (f": {description.model}" if description else "")

    def _notes(self, camera: int) -> dict[str, str]:
        settings = ", ".join(f"{key}={self._model[key]}" for key in _NOTED)
        return {"camera": self._title(camera), "settings": settings}


def _nothing(result: object) -> None:
    return None
