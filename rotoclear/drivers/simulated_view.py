"""What a simulated head sees, with what it was told: its hardware's image settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rotoclear.drivers.simulated_glow import Glow
from rotoclear.drivers.simulated_picture import Look, Scene
from rotoclear.pixels.settings import Settings
from rotoclear.values import Value

LIGHTS: Final = {"daylight": (50, 50), "fluorescent": (55, 35), "incandescent": (25, 75)}
"""The red and the blue gain that a light's white balance stands for."""

_SLIDERS: Final = ("brightness", "contrast", "sharpness", "saturation", "gain")


class SimulatedView:
    """
    Pictures of a scene.

    :param width: pixels, as the height.
    :param head: 1 or 2, as the sensor.
    :param holds: what the hardware was told; looked at for each picture.
    :param glow: its lamp's light.
    """

    def __init__(
        self,
        width: int,
        height: int,
        head: int,
        sensor: int,
        holds: Mapping[str, Value],
        glow: Glow,
    ) -> None:
        self.width = width
        self.height = height
        self._holds = holds
        self._glow = glow
        self._scene = Scene(width, height, head, sensor)

    def draw(self, number: int, timestamp: int, *, late: bool = False) -> memoryview:
        """As :meth:`rotoclear.drivers.simulated_picture.Scene.draw`."""
        look = Look(settings=settings_of(self._holds), lit=self._glow.is_there())
        return self._scene.draw(number, timestamp, look, late=late)


def settings_of(holds: Mapping[str, Value]) -> Settings:
    """
    What the hardware does to its pictures.

    :param holds: what it was told, by the names of the controls.
    """
    balance = holds.get("auto-white-balance", False)
    if isinstance(balance, str):
        red, blue = LIGHTS[balance]
    else:
        red, blue = (_slider(holds, name) for name in ("red-gain", "blue-gain"))
    return Settings(
        **{name: _slider(holds, name) for name in _SLIDERS},
        red_gain=red,
        blue_gain=blue,
        noise_supression=holds.get("noise-supression") is True,
        auto_exposure=holds.get("auto-exposure", False) is not False,
        auto_white_balance=balance is True,
    )


def _slider(holds: Mapping[str, Value], name: str) -> int:
    value = holds.get(name, 50)
    return value if isinstance(value, int) else 50
