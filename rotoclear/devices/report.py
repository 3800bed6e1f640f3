"""What there is to say about drivers and devices: for status and health."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen

from rotoclear.devices.device import Device
from rotoclear.devices.heads import Heads
from rotoclear.devices.lamps import Lamps
from rotoclear.devices.plugin import Plugin
from rotoclear.devices.slots import NUMBERS
from rotoclear.devices.supervisor import Supervisor
from rotoclear.devices.volumes import Volumes
from rotoclear.interfaces import Setting

OK: Final = ("running", "idle")
"""States of a driver with which nothing is the matter."""


class Report:
    """
    Knows all plugins, those too that run no driver.

    :ivar warnings: about the configuration, for people.
    """

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._entries: list[_Entry] = []
        self.warnings: list[str] = []

    def add(
        self, plugin: Plugin, options: Mapping[str, Setting] | None = None, disabled: str = ""
    ) -> None:
        """
        There is this one, too.

        :param options: what they are set to, if it was worked out.
        :param disabled: why it is not wanted, for people.
        """
        self._entries.append(_Entry(plugin, dict(options or {}), disabled))

    def drivers(self) -> dict[str, Any]:
        """Of each driver what becomes of it, ready for JSON."""
        return {
            "drivers": [self._driver(entry) for entry in self._entries],
            "warnings": list(self.warnings),
        }

    def devices(self, heads: Heads, lamps: Lamps, volumes: Volumes) -> dict[str, Any]:
        """What is plugged in, ready for JSON."""
        current = volumes.current()
        return {
            "heads": [
                {
                    "head": number,
                    "present": heads.present(number),
                    **_kept(heads.slots.kept_for(number)),
                    **_device(heads.device(number)),
                }
                for number in NUMBERS
            ],
            "lamps": [
                {"head": number, **_kept(kept), **_device(device)}
                for number in NUMBERS
                for device, kept in [(lamps.device(number), lamps.slots.kept_for(number))]
                if device is not None or kept
            ],
            "waiting": [
                {"kind": device.kind, **_device(device), "reason": reason}
                for slots in (heads.slots, lamps.slots)
                for device, reason in slots.waiting()
            ],
            "volumes": [
                {"records": device is current, "rank": volumes.rank(device), **_device(device)}
                for device in volumes.present()
            ],
        }

    def health(self) -> dict[str, dict[str, object]]:
        """
        The state of each driver that is wanted, as ``driver-NAME``.

        None of them is ``vital``: a driver that fails is no reason to end the
        server, which works with the others and starts it again itself.
        """
        parts: dict[str, dict[str, object]] = {}
        for entry in self._entries:
            state, reason = self._state(entry)
            if state == "disabled":
                continue
            part: dict[str, object] = {"state": "ok" if state in OK else state}
            part["vital"] = False
            if reason:
                part["reason"] = reason
            # Of several with one name, the one that runs speaks for it.
            name = f"driver-{entry.plugin.name}"
            if part["state"] == "ok" or name not in parts:
                parts[name] = part
        return parts

    def _state(self, entry: _Entry) -> tuple[str, str]:
        plugin = entry.plugin
        if entry.disabled:
            return "disabled", entry.disabled
        if plugin.state != "loaded":
            return plugin.state, plugin.reason
        driver = self._supervisor.drivers.get(plugin.name)
        return ("stopped", "") if driver is None else (driver.state, driver.reason)

    def _driver(self, entry: _Entry) -> dict[str, Any]:
        plugin = entry.plugin
        state, reason = self._state(entry)
        result: dict[str, Any] = {
            "name": plugin.name,
            "kind": plugin.kind,
            "state": state,
            "reason": reason,
            "restarts": 0,
            "distribution": plugin.distribution,
            "pid": None,
            "devices": [],
            **about(plugin),
            "options": {
                name: list(value) if isinstance(value, tuple) else value
                for name, value in entry.options.items()
            },
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


@frozen
class _Entry:
    """A plugin, and what the configuration makes of it."""

    plugin: Plugin
    options: dict[str, Setting]
    disabled: str


def about(plugin: Plugin) -> dict[str, Any]:
    """What a plugin says of itself and is not told elsewhere, ready for JSON."""
    return {
        "group": plugin.group,
        "file": plugin.file,
        "matches": [
            {
                "subsystem": match.subsystem,
                "devtype": match.devtype,
                "properties": dict(match.properties),
            }
            for match in plugin.matches
        ],
        "keys": [key.name for key in plugin.keys],
    }


def _kept(wanted: str) -> dict[str, str]:
    """What the configuration keeps a number for that is not there."""
    return {"kept-for": wanted} if wanted else {}


def _device(device: Device | None) -> dict[str, Any]:
    if device is None:
        return {}
    description = device.description
    name = getattr(description, "model", None) or getattr(description, "name", "")
    return {"driver": device.driver, "identity": device.identity, "name": name}
