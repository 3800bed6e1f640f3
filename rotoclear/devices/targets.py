"""What someone means who wants a simulated device to misbehave."""

from __future__ import annotations

from rotoclear.devices.device import Device
from rotoclear.devices.driver import Driver
from rotoclear.devices.heads import Heads
from rotoclear.devices.lamps import Lamps
from rotoclear.devices.slots import NUMBERS, D, Slots
from rotoclear.devices.supervisor import Supervisor


class Targets:
    """Remembers simulated devices, those too that are just unplugged."""

    def __init__(self, supervisor: Supervisor, heads: Heads, lamps: Lamps) -> None:
        self._supervisor = supervisor
        self._heads = heads
        self._lamps = lamps
        self._known: dict[tuple[str, str], Device] = {}
        supervisor.subscribe(self._arrived, lambda device, reason: None)

    def find(self, target: str) -> tuple[Driver, str]:
        """
        The driver and the identity that a name stands for.

        :raises ValueError: there is no such device; the text names those there are.
        """
        named = {name: device for device in self._known.values() for name in self._names(device)}
        if target not in named:
            names = ", ".join(sorted(named)) or "none"
            raise ValueError(f"There is no simulated device {target!r:.100}; there are: {names}")
        device = named[target]
        return self._supervisor.drivers[device.driver], device.identity

    def _arrived(self, device: Device) -> None:
        driver = self._supervisor.drivers.get(device.driver)
        if driver is not None and driver.simulated:
            self._known[device.driver, device.identity] = device

    def _names(self, device: Device) -> list[str]:
        names = [device.identity]
        match device.kind:
            case "camera":
                names += _numbered("", self._heads.slots, device)
            case "light":
                names += _numbered("light", self._lamps.slots, device)
            case "storage":
                names.append("storage")
        return names


def _numbered(prefix: str, slots: Slots[D], device: Device) -> list[str]:
    """By its number, though it may just be unplugged."""
    owners = [(number, slots.owner(number)) for number in NUMBERS]
    return [
        f"{prefix}{number}"
        for number, owner in owners
        if owner is not None and (owner.driver, owner.identity) == (device.driver, device.identity)
    ]
