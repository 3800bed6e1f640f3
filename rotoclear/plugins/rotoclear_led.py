"""Lamps that are LEDs of the kernel's."""

from rotoclear.drivers.led import LedLights

led_lights = LedLights()
