"""Drivers without a server: looking for them, and trying one out as a server would use it."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from difflib import get_close_matches
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeVar

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.task import react
from twisted.internet.threads import deferToThread
from twisted.logger import (
    FilteringLogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    globalLogBeginner,
    textFileLogObserver,
)

from rotoclear.command.pictures import encoded
from rotoclear.command.text import printable
from rotoclear.config import Configuration
from rotoclear.devices.device import Device
from rotoclear.devices.driver import Driver
from rotoclear.devices.hosting import Hosts
from rotoclear.devices.options import BadOptions, settings
from rotoclear.devices.plugin import Plugin
from rotoclear.devices.report import Report
from rotoclear.devices.ring import Reader, RingError
from rotoclear.devices.scan import Scan
from rotoclear.devices.selection import Selection
from rotoclear.devices.supervisor import Supervisor
from rotoclear.devices.udev import Plugged
from rotoclear.state.errors import DeviceError

FIRST_FRAME: Final = 5.0
"""Seconds that a camera has for its first picture."""

T = TypeVar("T")


class NoSuchDriver(Exception):
    """There is none of that name. ``str()`` says which there are."""


def look(configuration: Configuration) -> list[dict[str, Any]]:
    """All drivers that there are, as a server would report them before it starts any."""

    async def main(reactor: Any) -> list[dict[str, Any]]:
        supervisor = _supervisor(reactor)
        report = Report(supervisor)
        selection = Selection(configuration.enabled_drivers, configuration.disabled_drivers)
        for plugin in await _scan(reactor):
            options = None
            try:
                if plugin.state == "loaded":
                    section = configuration.drivers.get(plugin.name, {})
                    options = settings(plugin.name, plugin.options, section)
            except BadOptions as error:
                plugin = plugin.but("refused", str(error))
            report.add(plugin, options, disabled=selection.objection(plugin))
        drivers: list[dict[str, Any]] = report.drivers()["drivers"]
        return drivers

    return _run(main)


def check(name: str, configuration: Configuration, frame: str | None, data_dir: Path) -> bool:
    """
    Try a driver out, with a line for each step.

    :param frame: where a camera's picture is to go.
    :param data_dir: what the driver is told of the data folder.
    :return: whether everything worked.
    :raises NoSuchDriver: there is none.
    """

    async def main(reactor: Any) -> bool:
        plugins = await _scan(reactor)
        found = [plugin for plugin in plugins if plugin.name == name]
        if not found:
            near = get_close_matches(name, [plugin.name for plugin in plugins], 1)
            hint = f"did you mean {near[0]}?" if near else "rotoclear driver list shows all"
            raise NoSuchDriver(f"there is no driver {name!r}; {hint}")
        trial = _Trial(reactor, found[0], Path(frame) if frame else None, data_dir)
        await trial.run(configuration)
        return trial.good

    return _run(main)


class _Trial:
    """One driver on the bench."""

    def __init__(self, reactor: Any, plugin: Plugin, frame: Path | None, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._reactor = reactor
        self._plugin = plugin
        self._frame = frame
        self.good = True

    def _say(self, good: bool, what: str, text: str = "") -> bool:
        self.good &= good
        line = f"{'ok' if good else 'FAILED':6}  {what}{': ' if text else ''}{text}"
        print(printable(line) if good else line.rstrip(), flush=True)
        return good

    async def run(self, configuration: Configuration) -> None:
        """All steps, as far as it gets."""
        plugin = self._plugin
        loaded = plugin.state == "loaded"
        text = f"{plugin.kind}, {plugin.distribution}, {plugin.file}"
        if not self._say(loaded, f"module {plugin.module}", text if loaded else plugin.reason):
            return
        try:
            options = settings(
                plugin.name, plugin.options, configuration.drivers.get(plugin.name, {})
            )
        except BadOptions as error:
            self._say(False, "configuration", str(error))
            return
        shown = ", ".join(f"{name}={value!r}" for name, value in options.items())
        self._say(True, "configuration", shown or "there is nothing to set")
        supervisor, plugged = _supervisor(self._reactor), Plugged(self._reactor)
        try:
            driver = supervisor.start(plugin, options, data_dir=str(self._data_dir.absolute()))
            if plugin.matches:
                plugged.watch(plugin.matches, driver.present)
            await driver.settled()
            await self._devices(driver)
        finally:
            await plugged.stop()
            await supervisor.stop()

    async def _devices(self, driver: Driver) -> None:
        if driver.state == "idle":
            self._say(False, "driver", "no device is plugged in that it is for")
            return
        if not self._say(driver.state == "running", "driver starts and finds", driver.reason):
            return
        for identity, reason in driver.complaints().items():
            self._say(False, identity, reason)
        devices = driver.devices()
        if not devices and not driver.complaints():
            self._say(False, "devices", "it has found none")
        for number, device in enumerate(devices):
            await self._device(device, number)

    async def _device(self, device: Device, number: int) -> None:
        about = msgspec.json.encode(device.description).decode()
        self._say(True, device.identity, f"opened, described and probed: {about}")
        try:
            if device.kind == "camera":
                await self._picture(device, number)
            elif device.kind == "storage":
                used: Any = await device.call("usage")
                self._say(True, device.identity, f"{used.free} of {used.total} bytes are free")
        except (DeviceError, RingError, TimeoutError, OSError) as error:
            self._say(False, device.identity, str(error) or "no picture came in time")

    async def _picture(self, device: Any, number: int) -> None:
        reader = Reader(await device.view())
        try:
            picture = await deferToThread(reader.next, FIRST_FRAME)
        finally:
            reader.close()
        size = f"{picture.width}x{picture.height}"
        self._say(
            True, device.identity, f"a picture: {size}, {picture.format}, {len(picture.data)} bytes"
        )
        if self._frame is not None:
            stem = self._frame.stem + (f"-{number + 1}" if number else "")
            file = self._frame.with_name(stem + self._frame.suffix)
            file.write_bytes(encoded(picture))
            self._say(True, device.identity, f"the picture is in {file}")


async def _scan(reactor: Any) -> list[Plugin]:
    with TemporaryDirectory(prefix="rotoclear-") as folder:
        scan = Scan(reactor, Path(folder) / "plugins.json", sys.executable, sys.path)
        return [*await scan.builtin(), *await scan.vendors()]


def _supervisor(reactor: Any) -> Supervisor:
    return Supervisor(reactor, Hosts(reactor, sys.executable, sys.path))


def _run(main: Callable[[Any], Awaitable[T]]) -> T:
    """Run it in a reactor, which can be done once in a process; warnings go to stderr."""
    warnings = LogLevelFilterPredicate(LogLevel.warn)
    log = FilteringLogObserver(textFileLogObserver(sys.stderr), [warnings])
    globalLogBeginner.beginLoggingTo([log], redirectStandardIO=False)
    results: list[T] = []
    errors: list[BaseException] = []

    async def work(reactor: Any) -> None:
        try:
            results.append(await main(reactor))
        except BaseException as error:  # noqa: BLE001 - react would log it, and end the process
            errors.append(error)

    try:
        react(lambda reactor: Deferred.fromCoroutine(work(reactor)), ())
    except SystemExit:
        pass
    if errors:
        raise errors[0]
    return results[0]
