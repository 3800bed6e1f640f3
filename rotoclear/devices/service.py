"""The devices' room, put together."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from rotoclear.config import Configuration
from rotoclear.devices.assignments import Assignments
from rotoclear.devices.controls import Controls
from rotoclear.devices.heads import Heads
from rotoclear.devices.hosting import Hosts
from rotoclear.devices.lamps import Lamps
from rotoclear.devices.link import Spawn
from rotoclear.devices.options import BadOptions, settings
from rotoclear.devices.plugin import Plugin
from rotoclear.devices.report import Report
from rotoclear.devices.scan import Scan
from rotoclear.devices.selection import Selection, no_such
from rotoclear.devices.supervisor import Supervisor
from rotoclear.devices.targets import Targets
from rotoclear.devices.udev import Plugged
from rotoclear.devices.vendorkeys import DriversKeys, Taken, VendorKeys
from rotoclear.devices.video import Video
from rotoclear.devices.volumes import Volumes
from rotoclear.interfaces import Setting
from rotoclear.state.database import Database
from rotoclear.state.model import Model
from rotoclear.values import Value

SETTLE: Final = 5.0
"""
Seconds after which nobody waits for a driver to settle.

So long a small machine may take to start them all at boot; cameras are numbered by what is
known then.
"""

CACHE: Final = "plugins.json"
"""The file in the data folder that remembers the scan."""


class Devices(Service):
    """
    Looks for plugins, runs their drivers, and knows what is plugged in.

    :param reactor: starts processes and keeps the time.
    :param model: gets the lanes of the device keys and the facts.
    :param configuration: ``enabled_drivers``, ``disabled_drivers`` and ``drivers``.
    :param cache_dir: the data folder, for drivers and for the memory of the plugin scan.
    :param executable: the Python that runs the drivers.
    :param path: where modules are looked for; ``sys.path`` if not given.
    :param spawn: starts the drivers' processes; for tests.
    :param plugged: knows what is plugged in; for tests.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        model: Model,
        configuration: Configuration,
        cache_dir: Path,
        executable: str = sys.executable,
        *,
        path: Sequence[str] | None = None,
        spawn: Spawn | None = None,
        plugged: Plugged | None = None,
    ) -> None:
        path = tuple(sys.path if path is None else path)
        self._reactor = reactor
        self._configuration = configuration
        self._data_dir = cache_dir
        self._plugged = plugged or Plugged(reactor)
        self._supervisor = Supervisor(reactor, spawn or Hosts(reactor, executable, path))
        self._scan = Scan(reactor, cache_dir / CACHE, executable, path)
        self._report = Report(self._supervisor)
        self._selection = Selection(configuration.enabled_drivers, configuration.disabled_drivers)
        self._vendor_keys = VendorKeys(reactor, model, self._supervisor.drivers)
        self._looked: Deferred[None] | None = None
        self._known: Deferred[None] | None = None
        self._assignments = numbers = Assignments()
        source, named = self._supervisor, configuration.heads
        self.heads = Heads(reactor, model, source, numbers, (named.camera_1, named.camera_2))
        lights = (named.light_1, named.light_2)
        self.lamps = Lamps(reactor, model, self.heads, source, numbers, lights)
        self.volumes = Volumes(reactor, model, source, configuration.storage.preferred)
        self.controls = Controls(reactor, model, self.heads)
        self.video = Video(reactor, model, self.heads, self.controls)
        self._targets = Targets(self._supervisor, self.heads, self.lamps)

    # -- life ------------------------------------------------------------------

    async def restore(self, database: Database) -> None:
        """Remember which device had which number, from now on too. Before the start."""
        await self._assignments.restore(database)

    def startService(self) -> None:
        """Look for plugins and start their drivers, in the background."""
        Service.startService(self)
        for numbered in (self.heads, self.lamps):
            numbered.slots.gather()
        self._looked = Deferred.fromCoroutine(self._look())
        self._looked.addErrback(self._broken)
        known = Deferred.fromCoroutine(self._settle()).addTimeout(SETTLE, self._reactor)
        known.addErrback(self._not_settled).addErrback(self._broken)
        self._known = known.addCallback(self._number)

    def stopService(self) -> Deferred[None]:
        """End all processes; takes 1.5 seconds at most, whatever they do."""
        Service.stopService(self)
        self._scan.stop()
        if self._known is not None:
            self._known.cancel()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        await self._plugged.stop()
        await self._supervisor.stop()
        # What that has changed is told in the next turn.
        await deferLater(self._reactor, 0)
        for room in (self.heads, self.lamps, self.volumes, self.controls, self._vendor_keys):
            room.stop()
        await self._assignments.flush()

    async def _look(self) -> None:
        builtin = await self._scan.builtin()
        for plugin in builtin:
            self._add(plugin)
        vendors = await self._scan.vendors()
        for plugin in vendors:
            self._add(plugin)
        self._warn({plugin.name for plugin in [*builtin, *vendors]})

    def _broken(self, failure: Failure) -> None:
        self._log.failure("the drivers cannot be started", failure)

    def _add(self, plugin: Plugin) -> None:
        """Start a driver, or have the report say why not."""
        disabled = self._selection.objection(plugin)
        if disabled:
            self._report.add(plugin, disabled=disabled)
            return
        section = self._configuration.drivers.get(plugin.name, {})
        options: dict[str, Setting] = {}
        keys: DriversKeys | None = None
        if plugin.state == "loaded":
            try:
                options = settings(plugin.name, plugin.options, section)
                keys = self._vendor_keys.add(plugin)
            except (BadOptions, Taken) as error:
                plugin = plugin.but("refused", str(error))
        self._report.add(plugin, options)
        if plugin.state != "loaded":
            self._log.warn(
                "driver {name} ({module}, {distribution}) is {state}: {reason}",
                name=plugin.name,
                module=plugin.module,
                distribution=plugin.distribution or "unknown",
                state=plugin.state,
                reason=plugin.reason,
            )
        elif self.running and keys is not None:
            driver = self._supervisor.start(
                plugin,
                options,
                data_dir=str(self._data_dir),
                published=keys.published,
                serving=keys.serving,
            )
            if plugin.matches:
                self._plugged.watch(plugin.matches, driver.present)

    def _warn(self, known: Collection[str]) -> None:
        """Name what the configuration says of drivers that there are none of."""
        sections = (
            f"[drivers.{name}] is there, and {no_such(name, known)}"
            for name in self._configuration.drivers
            if name not in known
        )
        for text in (*self._selection.unknown(known), *sections):
            self._report.warnings.append(text)
            self._log.warn("configuration: {text}", text=text)

    def settled(self) -> Deferred[None]:
        """
        Fires when what is plugged in now is known; after :data:`SETTLE` seconds at most.

        That is, when every driver has found and opened its devices, or failed,
        and those have their numbers.
        """
        settled: Deferred[None] = Deferred()
        (self._known or succeed(None)).addCallback(settled.callback)
        return settled

    async def _settle(self) -> None:
        looked: Deferred[None] = Deferred()
        if self._looked is not None:
            self._looked.addBoth(lambda _: looked.callback(None))
            await looked
        await self._supervisor.settled()

    def _not_settled(self, failure: Failure) -> None:
        failure.trap(TookTooLong, CancelledError)
        if self.running:
            self._log.warn("not all drivers have settled; they are not waited for")

    def _number(self, result: None) -> None:
        if self.running:
            for numbered in (self.heads, self.lamps):
                numbered.slots.number()

    # -- reports -----------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """
        What there is, ready for JSON.

        ``drivers``: each ``name``, ``kind``, ``state``, ``reason``,
        ``restarts``, ``distribution``, ``pid``, ``devices``, ``group``,
        ``file``, ``matches``, ``keys`` and ``options``; ``heads``, ``lamps``
        and ``volumes``; ``waiting``, the heads and lamps without a number and
        why; ``warnings`` about the configuration.
        """
        return {
            **self._report.drivers(),
            **self._report.devices(self.heads, self.lamps, self.volumes),
        }

    def health(self) -> dict[str, dict[str, object]]:
        """
        The state of each driver that is wanted, as ``driver-NAME``; see :class:`Report`.

        And ``udev``, when a driver needs it and it is not to be had.
        """
        health = self._report.health()
        if self._plugged.reason:
            health["udev"] = {"state": "degraded", "vital": False, "reason": self._plugged.reason}
        return health

    def unattended(self) -> str:
        """
        Which drivers nobody looks after any more; ``""``: none, as it always should be.

        A driver that fails or hangs is not one of them.
        """
        return self._supervisor.unattended()

    async def _simulate(self, action: str, target: str, arguments: Mapping[str, Value]) -> Any:
        driver, identity = self._targets.find(target)
        return await driver.simulate(action, identity, arguments)

    def simulate(
        self, action: str, target: str, arguments: Mapping[str, Value]
    ) -> Deferred[dict[str, Value] | None]:
        """
        Have a simulated device misbehave.

        :param target: ``"1"`` or ``"2"``, a camera; ``"light1"``, ``"light2"``,
            ``"storage"``; or a device's identity.
        :return: what the action asked for, if it asked for something.
        :raises ValueError: through the Deferred: there is no such target,
            action or argument; the text names those there are.
        """
        return Deferred.fromCoroutine(self._simulate(action, target, arguments))
