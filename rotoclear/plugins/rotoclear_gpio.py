"""Lamps at GPIO lines."""

from rotoclear.drivers.gpio import GpioLights

gpio_lights = GpioLights()
