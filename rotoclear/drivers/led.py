"""
Lamps that are LEDs of the kernel's: ``/sys/class/leds``.

USB lights, drivers on a bus, LEDs on GPIO lines that the device tree describes: whatever the
kernel shows there (Documentation/leds/leds-class.rst). One lamp may be several LEDs, the colours
of one or the segments of a ring, and is switched as one.

A lamp is known by the head that the configuration gives it to, ``head-1`` or ``head-2``. The LEDs'
own names do not survive: kernels number them in the order in which they were plugged in.

The files belong to root. The udev rule in ``etc/udev/70-rotoclear.rules`` gives two of each LED
to the server's group: ``brightness`` and ``trigger``.
"""

# pathlib would be one more import for the driver's process.
# ruff: noqa: PTH116, PTH119, PTH123, PTH208

from __future__ import annotations

import os
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final

from attrs import frozen
from zope.interface import implementer

from rotoclear.drivers.failures import told
from rotoclear.interfaces import (
    DeviceFailure,
    DeviceGone,
    DriverContext,
    DriverKey,
    ILight,
    ILightDriver,
    LightDescription,
    Match,
    Option,
)

HEADS: Final = {"head-1": 1, "head-2": 2}
"""The lamps there can be, and the heads that they light."""

_DENIED: Final = (
    "The server's user must be allowed to write there: a udev rule for the subsystem leds that "
    "gives the files to its group helps"
)


@frozen
class Led:
    """
    One LED.

    :ivar folder: in sysfs.
    :ivar generation: another one each time it is plugged in, though its name may be the same.
    """

    folder: str
    generation: int

    @property
    def name(self) -> str:
        return os.path.basename(self.folder)

    def read(self, attribute: str) -> str:
        """
        What one of its files says.

        :param attribute: the file's name.
        :raises DeviceGone: it is not there.
        :raises DeviceFailure: it cannot be read.
        """
        with (
            told(f"The LED {self.name}", _DENIED),
            open(f"{self.folder}/{attribute}", encoding="utf-8") as file,
        ):
            return file.read().strip()

    def write(self, attribute: str, text: str) -> None:
        """Write one of its files; raises as :meth:`read`."""
        # Unbuffered: an error shows in write(), and not only when the file is closed.
        with told(f"The LED {self.name}", _DENIED):
            descriptor = os.open(
                f"{self.folder}/{attribute}", os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC
            )
            try:
                os.write(descriptor, text.encode())
            finally:
                os.close(descriptor)

    def number(self, attribute: str) -> int:
        """
        As :meth:`read`, of a file that holds a number.

        :raises DeviceFailure: it holds something else.
        """
        text = self.read(attribute)
        if not text.isdecimal():
            raise DeviceFailure(f"The LED {self.name} says {text!r:.50} for its {attribute}")
        return int(text)

    def take_over(self) -> None:
        """End what the kernel does with it: a trigger would change what is written."""
        try:
            triggers = self.read("trigger")
        except DeviceGone:
            return  # a kernel without triggers, or it is gone and the next step says so
        if "[none]" not in triggers.split():
            self.write("trigger", "none")

    def shine(self, brightness: int) -> None:
        """
        Be that bright.

        :param brightness: 0 to its ``max_brightness``.
        :raises DeviceFailure: it is not.
        """
        self.write("brightness", str(brightness))
        shown = self.number("brightness")
        if shown != brightness:
            raise DeviceFailure(f"The LED {self.name} was set to {brightness} and shows {shown}")


class Leds:
    """
    All LEDs of this machine.

    :param root: where sysfs is mounted.
    """

    def __init__(self, root: str = "/sys") -> None:
        self._folder = f"{root}/class/leds"

    def of(self, patterns: Sequence[str]) -> tuple[Led, ...]:
        """
        Those that the patterns name, sorted; none at all if one pattern names none.

        :param patterns: names, or patterns as of :mod:`fnmatch`.
        """
        try:
            names = sorted(os.listdir(self._folder))
        except OSError:
            return ()
        chosen: set[str] = set()
        for pattern in patterns:
            these = [name for name in names if fnmatchcase(name, pattern)]
            if not these:
                return ()
            chosen.update(these)
        try:
            return tuple(self._led(name) for name in sorted(chosen))
        except OSError:
            return ()  # one was pulled just now

    def _led(self, name: str) -> Led:
        folder = f"{self._folder}/{name}"
        return Led(folder, os.stat(folder).st_ino)


@implementer(ILight)
class LedLamp:
    """
    A lamp of one or more LEDs.

    :param patterns: name its LEDs.
    :param leds: all there are.
    :param identity: a key of :data:`HEADS`.
    :param percent: of their greatest brightness when it is on, 1 to 100.
    :raises DeviceGone: they are not there.
    """

    def __init__(self, leds: Leds, identity: str, patterns: Sequence[str], percent: int) -> None:
        self._all = leds
        self._identity = identity
        self._patterns = patterns
        self._percent = percent
        self._leds = leds.of(patterns)
        if not self._leds:
            raise DeviceGone(f"There are no LEDs {', '.join(patterns)}")

    def describe(self) -> LightDescription:
        names = [led.name for led in self._leds]
        name = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more LEDs"
        return LightDescription(
            identity=self._identity, name=name[:255], head=HEADS[self._identity]
        )

    def probe(self) -> None:
        for led in self._leds:
            led.number("brightness")
        # Those of one light appear one after another; and one that was pulled and put back
        # is dark. Opened anew, all of them are switched as they should be.
        if self._all.of(self._patterns) != self._leds:
            raise DeviceGone(f"The LEDs {', '.join(self._patterns)} are not those they were")

    def switch(self, on: bool) -> None:
        before = [(led, led.number("brightness")) for led in self._leds]
        try:
            for led in self._leds:
                led.take_over()
                led.shine(self._bright(led) if on else 0)
        except DeviceFailure:
            self._put_back(before)
            raise

    def close(self) -> None:
        pass

    def _bright(self, led: Led) -> int:
        return max(1, round(led.number("max_brightness") * self._percent / 100))

    @staticmethod
    def _put_back(before: Sequence[tuple[Led, int]]) -> None:
        for led, brightness in before:
            try:
                led.shine(brightness)
            except DeviceFailure:
                pass  # the one that has failed, mostly; what is said of it is what counts


@implementer(ILightDriver)
class LedLights:
    """
    The lamps of the heads.

    :param root: where sysfs is mounted.
    """

    name = "led"
    matches: Sequence[Match] = (Match(subsystem="leds"),)
    options: Sequence[Option] = (
        Option(
            name="head-1",
            default=(),
            doc="the LEDs that are the lamp of head 1: names in /sys/class/leds, * and ? allowed",
        ),
        Option(name="head-2", default=(), doc="likewise for head 2"),
        Option(
            name="brightness",
            default=100,
            doc="how bright a lamp is when it is on, in percent",
            minimum=1,
            maximum=100,
        ),
    )
    keys: Sequence[DriverKey] = ()

    def __init__(self, root: str = "/sys") -> None:
        self._leds = Leds(root)
        self._patterns: dict[str, tuple[str, ...]] = {}
        self._percent = 100

    def start(self, context: DriverContext) -> None:
        options = context.options
        self._percent = int(str(options["brightness"]))
        self._patterns = {}
        for identity in HEADS:
            patterns = options[identity]
            if isinstance(patterns, Sequence) and not isinstance(patterns, str) and patterns:
                self._patterns[identity] = tuple(patterns)
        if not self._patterns:
            context.log.warning(
                "No LED is the lamp of a head: name them with head-1 and head-2 "
                "in the section [drivers.led]",
            )

    def stop(self) -> None:
        pass

    def find(self) -> Sequence[str]:
        return [
            identity for identity, patterns in self._patterns.items() if self._leds.of(patterns)
        ]

    def open(self, identity: str) -> ILight:
        if identity not in self._patterns:
            raise DeviceGone(f"No LED is configured for {identity:.100}")
        return LedLamp(self._leds, identity, self._patterns[identity], self._percent)
