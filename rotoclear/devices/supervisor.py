"""All drivers, and the devices of all of them as one source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ParamSpec

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from rotoclear.devices.device import Arrived, Device, Left
from rotoclear.devices.driver import Driver
from rotoclear.devices.link import Entry, Spawn
from rotoclear.devices.plugin import Plugin

P = ParamSpec("P")


class Supervisor:
    """
    Starts drivers and tells of their devices: a :class:`~rotoclear.devices.device.DeviceSource`.

    :param clock: keeps all limits.
    :param spawn: starts processes.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, spawn: Spawn) -> None:
        self._clock = clock
        self._spawn = spawn
        self._subscribers: list[tuple[Arrived, Left]] = []
        self.drivers: dict[str, Driver] = {}

    def subscribe(self, arrived: Arrived, left: Left) -> None:
        """See :class:`~rotoclear.devices.device.DeviceSource`."""
        self._subscribers.append((arrived, left))
        for driver in self.drivers.values():
            for device in driver.devices():
                arrived(device)

    def start(
        self,
        plugin: Plugin,
        options: Mapping[str, object],
        *,
        data_dir: str = "",
        published: Callable[[str, object], None] = lambda name, value: None,
        serving: Callable[[], None] = lambda: None,
    ) -> Driver:
        """
        Start a driver. One that names the devices it is for waits for them.

        :param options: each of its options with its value.
        :param data_dir: the server's data folder, for the driver.
        :param published: see :class:`~rotoclear.devices.driver.Driver`; so the other.
        """
        if plugin.name in self.drivers or plugin.kind is None:
            raise ValueError(f"{plugin.name} cannot be started")
        driver = self.drivers[plugin.name] = Driver(
            self._clock,
            self._spawn,
            Entry(plugin.name, plugin.module, plugin.attribute),
            kind=plugin.kind,
            simulated=plugin.simulated,
            options=options,
            arrived=self._arrived,
            left=self._left,
            needs_devices=bool(plugin.matches),
            data_dir=data_dir,
            published=published,
            serving=serving,
        )
        driver.start()
        return driver

    def settled(self) -> Deferred[None]:
        """Fires when all that were started have settled. May be cancelled."""
        return _all([driver.settled() for driver in self.drivers.values()])

    def unattended(self) -> str:
        """See :meth:`~rotoclear.devices.driver.Driver.unattended`: of all of them."""
        return "; ".join(filter(None, (d.unattended() for d in self.drivers.values())))

    def stop(self) -> Deferred[None]:
        """End all processes; takes 1.5 seconds at most, whatever they do."""
        return _all([driver.stop() for driver in self.drivers.values()])

    def _arrived(self, device: Device) -> None:
        for arrived, _ in self._subscribers:
            self._tell(arrived, device)

    def _left(self, device: Device, reason: str) -> None:
        for _, left in self._subscribers:
            self._tell(left, device, reason)

    def _tell(self, subscriber: Callable[P, None], *news: P.args, **more: P.kwargs) -> None:
        """One subscriber's mistake is not another one's loss."""
        try:
            subscriber(*news, **more)
        except Exception:  # noqa: BLE001
            self._log.failure("a change of devices was not understood")


def _all(deferreds: list[Deferred[None]]) -> Deferred[None]:
    return DeferredList(deferreds, consumeErrors=True).addCallback(lambda _: None)
