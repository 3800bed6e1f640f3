"""The devices of the kernel's that a driver is for, as the server would tell it."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import pyudev

from rotoclear.interfaces import Match, UdevDevice

DAEMON = Path("/run/udev/control")
"""It is there while a udev daemon runs; without one nobody knows properties."""


def present(matches: Sequence[Match]) -> tuple[UdevDevice, ...]:
    """Those that one of the matches is about, by their path."""
    known = DAEMON.exists()
    found: dict[str, UdevDevice] = {}
    for match in matches:
        for device in pyudev.Context().list_devices(subsystem=match.subsystem):
            properties = {name: str(value) for name, value in device.properties.items()}
            if match.devtype is not None and device.device_type != match.devtype:
                continue
            if known and not all(
                fnmatchcase(properties.get(name, ""), pattern)
                for name, pattern in match.properties.items()
            ):
                continue
            found[device.sys_path] = UdevDevice(
                path=device.sys_path,
                subsystem=match.subsystem,
                node=device.device_node or "",
                properties=properties,
            )
    return tuple(found[path] for path in sorted(found))
