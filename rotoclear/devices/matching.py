"""Which of the kernel's devices a driver is for."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from rotoclear.interfaces import Match, UdevDevice


def fits(device: UdevDevice, matches: Iterable[Match], *, properties: bool = True) -> bool:
    """
    Whether one of the matches is about this device.

    :param properties: whether udev's are known; else they are not looked at.
    """
    return any(_fits(device, match, properties) for match in matches)


def _fits(device: UdevDevice, match: Match, properties: bool) -> bool:
    has = device.properties
    if device.subsystem != match.subsystem:
        return False
    if match.devtype is not None and has.get("DEVTYPE") != match.devtype:
        return False
    return not properties or all(
        name in has and fnmatchcase(has[name], pattern)
        for name, pattern in match.properties.items()
    )
