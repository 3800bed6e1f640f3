"""What there is to say about drivers and devices: for status and health."""

from __future__ import annotations

from typing import Any

from rotoclear.devices.device import Device
from rotoclear.devices.heads import Heads
from rotoclear.devices.lamps import Lamps
from rotoclear.devices.plugin import Plugin
from rotoclear.devices.slots import NUMBERS
from rotoclear.devices.supervisor import Supervisor
from rotoclear.devices.volumes import Volumes


class Report:
    """
    Knows all plugins, those too that run no driver.

    :ivar disabled: names of drivers that the configuration disables.
    :ivar warnings: about the configuration, for people.
    """

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._plugins: list[Plugin] = []
        self.disabled: set[str] = set()
        self.warnings: list[str] = []

    def add(self, plugin: Plugin) -> None:
        """There is this one, too."""
        self._plugins.append(plugin)

    def drivers(self) -> dict[str, Any]:
        """Of each driver what becomes of it, ready for JSON."""
        return {
            "drivers": [self._driver(plugin) for plugin in self._plugins],
            "warnings": list(self.warnings),
        }

    def devices(self, heads: Heads, lamps: Lamps, volumes: Volumes) -> dict[str, Any]:
        """What is plugged in, ready for JSON."""
        current = volumes.current()
        return {
            "heads": [
                {"head": number, "present": heads.present(number), **_device(heads.device(number))}
                for number in NUMBERS
            ],
            "lamps": [
                {"head": number, **_device(device)}
                for number in NUMBERS
                if (device := lamps.device(number)) is not None
            ],
            "volumes": [
                {"records": device is current, **_device(device)} for device in volumes.present()
            ],
        }

    def health(self) -> dict[str, dict[str, str]]:
        """Each driver's state, as ``driver-NAME``."""
        parts: dict[str, dict[str, str]] = {}
        for plugin in self._plugins:
            state, reason = self._state(plugin)
            part = {"state": "ok" if state == "running" else state}
            if reason:
                part["reason"] = reason
            # Of several with one name, the one that runs speaks for it.
            if part["state"] == "ok" or f"driver-{plugin.name}" not in parts:
                parts[f"driver-{plugin.name}"] = part
        return parts

    def _state(self, plugin: Plugin) -> tuple[str, str]:
        if plugin.state != "loaded":
            return plugin.state, plugin.reason
        if plugin.name in self.disabled:
            return "disabled", ""
        driver = self._supervisor.drivers.get(plugin.name)
        return ("stopped", "") if driver is None else (driver.state, driver.reason)

    def _driver(self, plugin: Plugin) -> dict[str, Any]:
        state, reason = self._state(plugin)
        result: dict[str, Any] = {
            "name": plugin.name,
            "kind": plugin.kind,
            "state": state,
            "reason": reason,
            "restarts": 0,
            "distribution": plugin.distribution,
            "pid": None,
            "devices": [],
        }
        driver = self._supervisor.drivers.get(plugin.name)
        if driver is not None and plugin.state == "loaded":
            found = {device.identity: "" for device in driver.devices()}
            result |= {
                "restarts": driver.restarts,
                "pid": driver.pid,
                "devices": [
                    {"identity": identity, "state": "failed" if why else "ok", "reason": why}
                    for identity, why in (driver.complaints() | found).items()
                ],
            }
        return result


def _device(device: Device | None) -> dict[str, Any]:
    if device is None:
        return {}
    description = device.description
    name = getattr(description, "model", None) or getattr(description, "name", "")
    return {"driver": device.driver, "identity": device.identity, "name": name}
