"""What someone means who wants a simulated device to misbehave."""

from __future__ import annotations

from rotoclear.devices.device import Device
from rotoclear.devices.driver import Driver
from rotoclear.devices.heads import Heads
from rotoclear.devices.lamps import Lamps
from rotoclear.devices.slots import NUMBERS
from rotoclear.devices.supervisor import Supervisor


class Targets:
    """
    Remembers simulated devices, those too that are just unplugged.

    To be made after the rooms it asks for numbers, so that they know first.
    """

    def __init__(self, supervisor: Supervisor, heads: Heads, lamps: Lamps) -> None:
        self._supervisor = supervisor
        self._heads = heads
        self._lamps = lamps
        self._known: dict[str, tuple[str, str]] = {}
        supervisor.subscribe(self._arrived, lambda device, reason: None)

    def find(self, target: str) -> tuple[Driver, str]:
        """
        The driver and the identity that a name stands for.

        :raises ValueError: there is no such device; the text names those there are.
        """
        if target not in self._known:
            names = ", ".join(sorted(self._known)) or "none"
            raise ValueError(f"There is no simulated device {target!r:.100}; there are: {names}")
        driver, identity = self._known[target]
        return self._supervisor.drivers[driver], identity

    def _arrived(self, device: Device) -> None:
        driver = self._supervisor.drivers.get(device.driver)
        if driver is None or not driver.simulated:
            return
        names = [device.identity]
        for number in NUMBERS:
            if self._heads.device(number) is device:
                names.append(str(number))
            if self._lamps.device(number) is device:
                names.append(f"light{number}")
        if device.kind == "storage":
            names.append("storage")
        for name in names:
            self._known[name] = (device.driver, device.identity)
