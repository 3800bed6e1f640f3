"""What all simulated devices and their drivers have in common."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from rotoclear.drivers.faults import FAULTS, Faults
from rotoclear.interfaces import DeviceGone, DriverContext, DriverKey, Match, Option
from rotoclear.values import Value


class Hardware:
    """
    One simulated device, whether it is plugged in or not.

    :ivar holds: what it was told since it got its power.
    :ivar pulled: set while it is not plugged in.
    :ivar streams: it takes pictures.
    """

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.pulled = threading.Event()
        self.streams = False
        self.faults = Faults()
        self.holds: dict[str, Value] = {}

    def meet(self, call: str) -> None:
        """A call reaches it."""
        self.faults.meet(call)
        self.there()

    def probe(self) -> None:
        """Ask for a sign of life."""
        self.there()
        self.faults.meet_probe()

    @property
    def plugged(self) -> bool:
        """It is plugged in."""
        return not self.pulled.is_set()

    def there(self) -> None:
        """
        Do nothing.

        :raises DeviceGone: it is not plugged in.
        """
        if not self.plugged:
            raise DeviceGone("It was unplugged")

    def show(self) -> dict[str, object]:
        """What it holds, and what is wrong with it."""
        return {
            "identity": self.identity,
            "plugged": self.plugged,
            "streams": self.streams,
            "holds": dict(self.holds),
            "faults": {name: dict(values) for name, values in self.faults.active.items()},
            "possible": {name: sorted(arguments) for name, arguments in FAULTS.items()},
        }


class Simulator:
    """What the drivers have in common."""

    def __init__(self, name: str, *identities: str) -> None:
        self.name = name
        self.matches: Sequence[Match] = ()
        self.options: Sequence[Option] = ()
        self.keys: Sequence[DriverKey] = ()
        self._hardware = {identity: Hardware(identity) for identity in identities}
        self._context: DriverContext | None = None

    @property
    def data_dir(self) -> str:
        """The server's data folder, or ``""`` as long as it is not known."""
        return self._context.data_dir if self._context is not None else ""

    def start(self, context: DriverContext) -> None:
        self._context = context

    def stop(self) -> None:
        for hardware in self._hardware.values():
            hardware.faults.clear()

    def find(self) -> Sequence[str]:
        return [hardware.identity for hardware in self._hardware.values() if hardware.plugged]

    def simulate(
        self, action: str, identity: str, arguments: Mapping[str, Value]
    ) -> Mapping[str, object] | None:
        if identity not in self._hardware:
            names = ", ".join(self._hardware)
            raise ValueError(f"There is no device {identity!r:.100}; there are: {names}")
        hardware = self._hardware[identity]
        if action in ("plug", "unplug", "clear", "show"):
            if arguments:
                raise ValueError(f"{action} takes no arguments")
            if action == "show":
                return hardware.show()
            if action == "clear":
                hardware.faults.clear()
            else:
                self._plug(hardware, action == "plug")
        else:
            hardware.faults.put(action, arguments)
        return None

    def _plug(self, hardware: Hardware, plugged: bool) -> None:
        if not plugged:
            hardware.holds.clear()
            self.unplugged(hardware.identity)
            hardware.pulled.set()
        else:
            hardware.pulled.clear()
        if self._context is not None:
            self._context.changed()

    def unplugged(self, identity: str) -> None:
        """One of them was pulled out."""

    def _opened(self, identity: str) -> Hardware:
        hardware = self._hardware.get(identity)
        if hardware is None or not hardware.plugged:
            raise DeviceGone("It is not plugged in")
        return hardware


class SimulatedDevice:
    """What the devices have in common."""

    def __init__(self, hardware: Hardware) -> None:
        self._hardware = hardware

    def probe(self) -> None:
        self._hardware.probe()

    def close(self) -> None:
        pass
