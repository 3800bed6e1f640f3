"""
The whole server: the only module that knows all the parts.

:func:`make_service` is called before ``twistd`` becomes a daemon, and finds out
whatever can be found out by then. Threads, processes and connections come to be
when the service is started. It accepts clients once its settings are back and
its drivers have settled, so that the first one to ask gets the truth.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final

from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from rotoclear import __version__
from rotoclear.announcing import announcer_for
from rotoclear.api.connection import quieten
from rotoclear.api.context import ApiContext
from rotoclear.api.fanout import Fanout
from rotoclear.api.health import HealthWatch
from rotoclear.api.metrics import Metrics
from rotoclear.api.roster import Roster
from rotoclear.api.site import make_site
from rotoclear.api.upgrade import WebSocketEndpoint
from rotoclear.api.websocket import ApiFactory
from rotoclear.auth.accounts import Accounts
from rotoclear.auth.passwords import PasswordHasher
from rotoclear.auth.tickets import Tickets
from rotoclear.backup import contents as backups
from rotoclear.backup.running import Backups
from rotoclear.config import Configuration, Retention
from rotoclear.console import assets
from rotoclear.control.commands import handlers_for
from rotoclear.control.probe import Probe
from rotoclear.control.server import ControlServer
from rotoclear.control.wire import SOCKET_NAME
from rotoclear.devices.service import Devices
from rotoclear.errors import StartError
from rotoclear.listening.endpoints import Listener, ListenerService
from rotoclear.media.clock import Clock
from rotoclear.media.engine.wire import Plan
from rotoclear.media.retention import Rules
from rotoclear.media.room import Media
from rotoclear.state.database import FILE_NAME, Database, DatabaseError, connect
from rotoclear.state.keys import KeyTable
from rotoclear.state.model import Model
from rotoclear.state.store import Store
from rotoclear.streaming import Streaming, listeners_for
from rotoclear.systemd.notify import Notifier
from rotoclear.systemd.watchdog import Watchdog

_MEGA: Final = 10**6


def make_service(
    reactor: Any,
    configuration: Configuration,
    data_dir: Path,
    listeners: Sequence[Listener],
) -> IService:
    """
    Put the server together.

    :param reactor: Twisted's; nothing is scheduled with it yet.
    :param configuration: as it was read and checked.
    :param data_dir: the data folder; it exists and is ours alone.
    :param listeners: the sockets to serve HTTP and WebSocket at, bound already.
    :return: the server, not started yet.
    :raises StartError: the database in the data folder cannot be used, or a
        port of ``[rtsp]`` cannot be listened at.
    """
    # Twisted's reactor tells the wall clock's time, which jumps when a device
    # gets to know it: time-outs would all be over, or never be. Nothing is
    # scheduled yet, so the clock can still be changed.
    reactor.seconds = time.monotonic
    try:
        # Only to see that it can be used: it must not be open across a fork.
        connect(data_dir / FILE_NAME).close()
    except DatabaseError as error:
        raise StartError(str(error)) from None
    rtsp = listeners_for(reactor, configuration)
    assets()  # nobody waits yet while they are read
    return Server(reactor, configuration, data_dir, listeners, rtsp)


class Server(Service):
    """Starts the parts in the order in which they need each other, and stops them in reverse."""

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        configuration: Configuration,
        data_dir: Path,
        listeners: Sequence[Listener],
        rtsp: Sequence[Listener],
    ) -> None:
        self._reactor = reactor
        self._configuration = configuration
        self._data_dir = data_dir
        self._model = Model(reactor, KeyTable())
        self._metrics = Metrics()
        self._roster = Roster()
        self._devices = Devices(reactor, self._model, configuration, data_dir)
        self._notifier = Notifier.from_environment(os.environ, os.getpid())
        self._health = HealthWatch(reactor, self._parts, time.time)
        self._listeners = listeners
        self._rtsp = rtsp
        self._announcer = announcer_for(reactor, configuration, listeners, rtsp)
        self._streaming: Streaming | None = None
        self._listening: ListenerService | None = None
        self._stopping: list[Any] = []
        self._started: Deferred[None] | None = None

    # -- start -----------------------------------------------------------

    def startService(self) -> None:
        """Start. Clients are let in when everything is ready."""
        Service.startService(self)
        quieten()
        self._started = Deferred.fromCoroutine(self._start())
        self._started.addErrback(self._not_started)

    async def _start(self) -> None:
        started = self._reactor.seconds()
        self._notifier.status("Opening the database")
        database = Database.start(self._reactor, self._data_dir / FILE_NAME)
        self._stopping.append(database.close)
        self._store = Store(self._reactor, self._model, database)
        await self._store.restore()
        self._stopping.append(self._store.flush)
        accounts = await Accounts.open(
            self._reactor,
            database,
            PasswordHasher(self._reactor),
            self._data_dir,
            self._configuration.limits,
            self._configuration.login,
        )
        self._stopping.append(accounts.close)
        self._notifier.status("Looking for devices")
        self._media = media = self._make_media(database)
        await media.restore()
        await self._devices.restore(database)
        self._devices.startService()
        self._stopping.append(self._devices.stopService)
        media.startService()
        self._stopping.append(media.stopService)
        await self._devices.settled()
        await media.settled()
        if not self.running:
            return  # stopped before it has begun
        context = ApiContext(
            reactor=self._reactor,
            model=self._model,
            accounts=accounts,
            tickets=Tickets(self._reactor),
            configuration=self._configuration,
            version=__version__,
            started=started,
            status=self._devices.status,
            engine=self._engine_status,
            health=self._health.parts,
            certificates=lambda: self._listening.certificates() if self._listening else {},
            connections=self._roster,
            pictures=media.feed,
            library=media.library,
            metrics=self._metrics,
        )
        factory = ApiFactory(context, Fanout(self._model, self._metrics), self._roster)
        self._stopping.append(factory.shut_down)
        socket = self._data_dir / SOCKET_NAME
        await database.outside(lambda _: backups.tidy(self._data_dir))
        saved = Backups(
            self._data_dir, database, self._store, self._model, accounts, self._read_again(database)
        )
        handlers = {**handlers_for(accounts, self._devices), **saved.handlers()}
        control = ControlServer(self._reactor, socket, handlers)
        control.startService()
        self._stopping.append(control.stopService)
        site = make_site(self._reactor, context, WebSocketEndpoint(factory))
        self._listening = ListenerService(
            self._reactor, self._listeners, site, reloading=self._reloading
        )
        self._listening.startService()
        self._stopping.append(self._listening.stopService)
        self._streaming = Streaming(
            self._reactor, self._configuration, self._model, accounts, media.engine, self._rtsp
        )
        self._streaming.startService()
        self._stopping.append(self._streaming.stopService)
        if self._announcer is not None:
            self._announcer.startService()
            self._stopping.append(self._announcer.stopService)
        self._watch(socket)
        self._health.startService()
        self._stopping.append(self._unwatched)
        # What is there now stays: the collector need not look at it again.
        gc.collect()
        gc.freeze()
        self._log.info(
            "rotoclear {version} is ready after {seconds:.1f} s",
            version=__version__,
            seconds=self._reactor.seconds() - started,
        )

    def _watch(self, socket: Path) -> None:
        """Tell systemd that it is ready, and from now on that it lives."""
        probe = Probe(self._reactor, socket)
        checks = {
            "reactor": lambda: Deferred.fromCoroutine(probe.ask()),
            "drivers": lambda: _expect_nothing(self._devices.unattended()),
            "pictures": lambda: _expect_nothing(self._media.engine.unattended()),
        }
        notifier = self._notifier
        watchdog = Watchdog(self._reactor, notifier.interval, self._alive, checks)
        notifier.ready()
        notifier.status(self._summary())
        watchdog.startService()

        async def stop() -> None:
            watchdog.stopService()
            probe.stop()

        self._stopping.append(stop)

    def _alive(self) -> None:
        self._notifier.alive()
        self._notifier.status(self._summary())

    def _reloading(self, going_on: bool) -> None:
        if going_on:
            self._notifier.reloading()
        else:
            self._notifier.ready()

    def _summary(self) -> str:
        """What it does, in one line."""
        cameras = sum(bool(self._model[f"cam{number}-exists"]) for number in (1, 2))
        record = {True: "recording", "pause": "recording paused"}.get(self._model["record"])
        connections = self._roster.count
        parts = [f"cameras: {cameras}", f"connections: {connections}", record or "not recording"]
        return f"Serving; {', '.join(parts)}"

    def _read_again(self, database: Database) -> Callable[[], Awaitable[None]]:
        """What other rooms remember of a database that has other content now."""

        async def again() -> None:
            await self._devices.restore(database)
            await self._media.reread()

        return again

    def _make_media(self, database: Database) -> Media:
        recording = self._configuration.recording
        plan = Plan(
            encoder=recording.encoder,
            preset=recording.preset,
            crf=recording.quality,
            bitrate=recording.bitrate,
            keyframe=recording.keyframe,
            segment_seconds=round(recording.segment_minutes * 60),
            segment_bytes=recording.segment_size * _MEGA,
            reserve=recording.reserve * _MEGA,
        )
        devices, quality = self._devices, self._configuration.live.quality
        return Media(
            self._reactor,
            self._model,
            devices.heads,
            devices.volumes,
            devices.video,
            database,
            plan,
            quality,
            _rules(self._configuration.retention),
            Clock(own=self._configuration.retention.trust_clock),
        )

    def _not_started(self, failure: Failure) -> None:
        """Half a server is none: say why, and end."""
        if isinstance(failure.value, StartError | OSError | DatabaseError):
            self._log.critical("cannot start: {error}", error=failure.getErrorMessage())
        else:
            self._log.failure("cannot start", failure)
        self._notifier.status(f"Cannot start: {failure.getErrorMessage()}")
        # twistd itself ends with 0 however its reactor came to stop.
        self._reactor.addSystemEventTrigger("after", "shutdown", os._exit, 1)
        self._reactor.callWhenRunning(self._reactor.stop)

    async def _unwatched(self) -> None:
        """What stops from here on is no fault."""
        self._health.stopService()

    def _engine_status(self) -> dict[str, Any]:
        """What makes pictures, and where they go."""
        streaming = self._streaming.status() if self._streaming else {}
        return {**self._media.status(), **streaming}

    def _parts(self) -> dict[str, dict[str, object]]:
        """Each part's state, for ``GET /api/health``."""
        store: dict[str, object] = {"state": "ok"}
        if self._store.problem:
            store = {"state": "failed", "reason": self._store.problem}
        listening = self._listening.health() if self._listening else {}
        streaming = self._streaming.health() if self._streaming else {}
        found = self._announcer.health() if self._announcer else {}
        parts = {**self._devices.health(), **self._media.health(), **listening, **streaming}
        return {"store": store, **parts, **found}

    # -- stop ------------------------------------------------------------

    def stopService(self) -> Deferred[None]:
        """Let nobody in any more, say good-bye, write what is not written, and end."""
        Service.stopService(self)
        self._notifier.stopping()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        while self._stopping:
            step = self._stopping.pop()
            try:
                await step()
            except Exception:  # noqa: BLE001 - what is left must be stopped all the same
                self._log.failure("a part could not be stopped properly")
        self._log.info("stopped")


def _expect_nothing(wrong: str) -> None:
    if wrong:
        raise RuntimeError(wrong)


def _rules(section: Retention) -> Rules:
    amount = section.keep_free.rstrip(" MB%")
    share = section.keep_free.endswith("%")
    return Rules(
        days=section.keep_days,
        free=int(amount) * _MEGA if amount and not share else 0,
        share=int(amount) if share else 0,
    )
