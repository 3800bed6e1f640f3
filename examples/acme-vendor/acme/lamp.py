"""The lamp of an Acme camera head."""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import implementer

from acme.link import ADDRESS, ask, plugged
from rotoclear.interfaces import (
    DeviceGone,
    DriverContext,
    DriverKey,
    ILight,
    ILightDriver,
    LightDescription,
    Match,
    Option,
)

IDENTITY = "lamp"


@implementer(ILight)
class Lamp:
    """The lamp; there is one."""

    def __init__(self, address: str) -> None:
        self._address = address

    def describe(self) -> LightDescription:
        return LightDescription(identity=IDENTITY, name="Acme lamp", port=self._address)

    def probe(self) -> None:
        ask(self._address, "STATUS lamp")

    def switch(self, on: bool) -> None:
        ask(self._address, f"LAMP {int(on)}")

    def close(self) -> None:
        pass


@implementer(ILightDriver)
class AcmeLamp:
    """Finds it."""

    name = "acme-lamp"
    matches: Sequence[Match] = ()
    options: Sequence[Option] = (ADDRESS,)
    keys: Sequence[DriverKey] = ()

    def start(self, context: DriverContext) -> None:
        self._address = str(context.options["address"])

    def stop(self) -> None:
        pass

    def find(self) -> Sequence[str]:
        return [IDENTITY] if plugged(self._address, "lamp") else []

    def open(self, identity: str) -> Lamp:
        if identity not in self.find():
            raise DeviceGone("The lamp is not plugged in")
        return Lamp(self._address)
