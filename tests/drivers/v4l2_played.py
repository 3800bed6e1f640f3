"""A V4L2 device node that is played: what the driver calls instead of ioctls."""

from __future__ import annotations

import errno
import os
from fractions import Fraction

from rotoclear.drivers.v4l2_node import Buffer, Capability, Control, Format

CAMERA = 0x04000001
"""V4L2_CAP_STREAMING and VIDEO_CAPTURE."""

MONOTONIC = 0x2000
BAD = 0x40


def slider(number, minimum=0, maximum=255, step=1, default=128, flags=0):
    return Control(number, 1, minimum, maximum, step, default, flags)


class Hardware:
    """A camera; its nodes come and go."""

    def __init__(self, card="Played", bus="usb-1", flags=CAMERA):
        self.seen = Capability("uvcvideo", card, bus, flags)
        self.names = ["Camera 1"]
        self.offers = {("YUYV", 640, 480): [Fraction(1, 30), Fraction(1, 15)]}
        self.controls = {}
        self.at_input = {}
        self.menus = {}
        self.values = {}
        self.errors = {}
        self.clamp = {}
        self.full = []
        self.queued = []
        self.maps = []
        self.log = []
        self.open = 0
        self.chosen = 0
        self.ignores_format = False
        self.now = Fraction(1, 30)

    def add(self, control, entries=None):
        self.controls[control.id] = control
        self.values[control.id] = control.default
        if entries is not None:
            self.menus[control.id] = frozenset(entries)

    def meet(self, call):
        error = self.errors.get("*", self.errors.get(call))
        if error:
            raise OSError(error, os.strerror(error))


class Memory(bytearray):
    """What mmap returns; it cannot be closed while someone looks at it."""

    closed = False

    def close(self):
        self.append(0)  # BufferError while there is a view
        self.closed = True


class Node:
    """Of the class rotoclear.drivers.v4l2_node.Node, as far as the driver can tell."""

    def __init__(self, hardware):
        hardware.meet("open")
        self.hardware = hardware
        hardware.open += 1

    def _meet(self, call):
        self.hardware.meet(call)

    def reopen(self):
        self.hardware.log.append("reopen")

    def close(self):
        self.hardware.open -= 1

    def capability(self):
        self._meet("capability")
        return self.hardware.seen

    def inputs(self):
        return self.hardware.names

    def formats(self):
        return list(dict.fromkeys(code for code, _, _ in self.hardware.offers))

    def sizes(self, code):
        return [(width, height) for its, width, height in self.hardware.offers if its == code]

    def intervals(self, code, width, height):
        return self.hardware.offers[code, width, height]

    def control(self, number):
        return self.hardware.controls.get(number)

    def menu(self, control):
        return self.hardware.menus[control.id]

    def get(self, number):
        self._meet("get")
        return self.hardware.values[number]

    def set(self, number, value):
        self._meet("set")
        self._meet(number)
        self.hardware.values[number] = self.hardware.clamp.get(number, value)
        self.hardware.log.append((number, value))

    def input(self):
        return self.hardware.chosen

    def choose_input(self, index):
        self.hardware.chosen = index
        for control in self.hardware.at_input.get(index, ()):
            self.hardware.add(control)

    def interval(self):
        return self.hardware.now

    def set_format(self, width, height, code):
        self._meet("format")
        if self.hardware.ignores_format:
            return Format(320, 240, code, 640)
        self.hardware.log.append((code, width, height))
        return Format(width, height, code, width * 2)

    def set_interval(self, interval):
        self.hardware.now = interval
        return interval

    def request(self, count):
        self._meet("request")
        self.hardware.queued.clear()
        self.hardware.log.append(f"request {count}")
        return count

    def map(self, index):
        memory = Memory(b"\x05" * (640 * 480 * 2))
        self.hardware.maps.append(memory)
        return memory

    def queue(self, index):
        self._meet("queue")
        assert index not in self.hardware.queued
        self.hardware.queued.append(index)

    def stream_on(self):
        self._meet("on")

    def stream_off(self):
        self._meet("off")

    def wait(self, timeout):
        return bool(self.hardware.full) or "dequeue" in self.hardware.errors

    def dequeue(self):
        self._meet("dequeue")
        if not self.hardware.full:
            return None
        sequence, flags, time, used = self.hardware.full.pop(0)
        return Buffer(self.hardware.queued.pop(0), used, flags, sequence, time)


def picture(sequence, flags=MONOTONIC, time=1000, used=640 * 480 * 2):
    """A buffer that the camera fills next."""
    return sequence, flags, time, used


GONE = errno.ENODEV
