"""Which of the kernel's devices a driver is for."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from rotoclear.interfaces import Match, UdevDevice


def is_for(matches: Iterable[Match], device: UdevDevice, *, properties: bool) -> bool:
    """
    Whether one of them is about this device.

    :param properties: somebody knows the device's properties; else they are not looked at.
    """
    return any(_fits(match, device, properties) for match in matches)


def _fits(match: Match, device: UdevDevice, properties: bool) -> bool:
    if match.subsystem != device.subsystem:
        return False
    if match.devtype is not None and match.devtype != device.properties.get("DEVTYPE"):
        return False
    return not properties or all(
        fnmatchcase(device.properties.get(name, ""), pattern)
        for name, pattern in match.properties.items()
    )
