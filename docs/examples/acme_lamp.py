"""The lamp of an Acme machine, at a serial port: ``rotoclear/plugins/acme_lamp.py``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from zope.interface import implementer

from rotoclear.interfaces import (
    DeviceFailure,
    DeviceGone,
    DriverContext,
    ILight,
    ILightDriver,
    LightDescription,
)


@implementer(ILight)
class Lamp:
    def __init__(self, port: Path) -> None:
        self._port = port
        try:
            self._file = os.open(port, os.O_RDWR | os.O_NOCTTY)
        except FileNotFoundError:
            raise DeviceGone(f"There is nothing at {port}") from None
        except OSError as error:
            raise DeviceFailure(f"{port}: {error.strerror}") from None

    def describe(self) -> LightDescription:
        return LightDescription(identity=self._port.name, name="Acme lamp", head=1)

    def probe(self) -> None:
        if not self._port.exists():
            raise DeviceGone("It was unplugged")

    def switch(self, on: bool) -> None:
        try:
            os.write(self._file, b"L1\r" if on else b"L0\r")
        except OSError as error:
            raise DeviceFailure(f"The lamp does not answer: {error.strerror}") from None

    def close(self) -> None:
        os.close(self._file)


@implementer(ILightDriver)
class AcmeLights:
    name = "acme-lights"
    matches = ()
    options = ()
    keys = ()

    def start(self, context: DriverContext) -> None:
        self._folder = Path(str(context.options.get("folder", "/dev/serial/by-id")))

    def stop(self) -> None:
        pass

    def find(self) -> Sequence[str]:
        return [port.name for port in sorted(self._folder.glob("usb-Acme_Lamp_*"))]

    def open(self, identity: str) -> Lamp:
        return Lamp(self._folder / identity)


acme_lights = AcmeLights()
