"""The devices of the kernel's that a driver is for, as the server would tell it."""

from __future__ import annotations

from collections.abc import Sequence

from rotoclear.devices.matching import fits
from rotoclear.devices.udevlib import NoUdev, Udev
from rotoclear.interfaces import Match, UdevDevice


def present(matches: Sequence[Match]) -> tuple[UdevDevice, ...]:
    """Those that one of the matches is about, by their path."""
    subsystems = {match.subsystem for match in matches}
    if not subsystems:
        return ()
    source = Udev()
    try:
        source.open(subsystems).close()
        udev = True
    except NoUdev:
        udev = False  # then nobody knows properties
    found = source.list(subsystems, udev=udev)
    fitting = [device for device in found if fits(device, matches, properties=udev)]
    return tuple(sorted(fitting, key=lambda device: device.path))
