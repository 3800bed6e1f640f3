"""
Lamps at GPIO lines.

By the kernel's character devices ``/dev/gpiochipN`` and libgpiod's library, version 2 (the extra
``rotoclear[gpio]``). A lamp is known by the head that the configuration gives it to.

A line is taken with the value that it has, so that nothing flickers when the server starts. When
the server ends it is let go, and what it does then is the hardware's affair: the kernel promises
nothing (Documentation/userspace-api/gpio/gpio-v2-get-line-ioctl). Most chips keep the level;
some make the line an input again, and then its pull decides. Where a lamp must be off without a
server, let a resistor see to it.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from zope.interface import implementer

from rotoclear.drivers.gpiolines import Chips, Line
from rotoclear.drivers.notes import Notes
from rotoclear.interfaces import (
    DeviceGone,
    DriverContext,
    DriverKey,
    DriverUnusable,
    ILight,
    ILightDriver,
    LightDescription,
    Match,
    Option,
)

HEADS = {"head-1": 1, "head-2": 2}
"""The lamps there can be, and the heads that they light."""


@implementer(ILight)
class GpioLamp:
    """
    A lamp at a line.

    :param text: the line, as the configuration names it.
    """

    def __init__(self, identity: str, text: str, line: Line) -> None:
        self._identity = identity
        self._text = text
        self._line = line

    def describe(self) -> LightDescription:
        name = f"GPIO line {self._text}"
        return LightDescription(
            identity=self._identity, name=name[:255], head=HEADS[self._identity]
        )

    def probe(self) -> None:
        self._line.get()

    def switch(self, on: bool) -> None:
        self._line.put(on)

    def close(self) -> None:
        self._line.release()


@implementer(ILightDriver)
class GpioLights:
    """
    The lamps of the heads.

    :param library: what to import for ``gpiod``.
    """

    name = "gpio"
    # Not every kernel tells a devtype of chips; 6.1 does not.
    matches: Sequence[Match] = (Match(subsystem="gpio"),)
    options: Sequence[Option] = (
        Option(
            name="head-1",
            default="",
            doc="the line that switches the lamp of head 1: CHIP:LINE, the chip by its name or "
            "label, the line by its offset or name; or a line's name alone",
        ),
        Option(name="head-2", default="", doc="likewise for head 2"),
        Option(name="active-low", default=False, doc="the lamps are on when their line is low"),
        Option(
            name="open-drain",
            default=False,
            doc="the lines are only ever pulled low, something else pulls them high",
        ),
    )
    keys: Sequence[DriverKey] = ()

    def __init__(self, library: str = "gpiod") -> None:
        self._name = library
        self._library: Any = None
        self._chips: Chips | None = None
        self._texts: dict[str, str] = {}
        self._active_low = False
        self._open_drain = False

    def start(self, context: DriverContext) -> None:
        self._library = self._load()
        notes = Notes(context.log)
        # Besides chips the subsystem has their shadows of the old interface, without a node.
        self._chips = Chips(
            self._library, lambda: sorted(d.node for d in context.devices() if d.node), notes
        )
        self._texts = {head: text for head in HEADS if (text := str(context.options[head]))}
        self._active_low = bool(context.options["active-low"])
        self._open_drain = bool(context.options["open-drain"])
        if not self._texts:
            context.log.warning(
                "No GPIO line is the lamp of a head: name them with head-1 and head-2 "
                "in the section [drivers.gpio]"
            )

    def _load(self) -> Any:
        what_helps = "pip install 'rotoclear[gpio]'"
        try:
            library = importlib.import_module(self._name)
        except ImportError as error:
            raise DriverUnusable(
                f"The library gpiod cannot be had ({error}): {what_helps}"
            ) from None
        if not hasattr(library, "LineSettings"):
            raise DriverUnusable(f"The library gpiod is older than version 2: {what_helps}")
        return library

    def stop(self) -> None:
        pass

    def find(self) -> Sequence[str]:
        chips = self._chips
        if chips is None:
            return []
        return [head for head, text in self._texts.items() if chips.find(text) is not None]

    def open(self, identity: str) -> ILight:
        text = self._texts.get(identity)
        place = None if text is None or self._chips is None else self._chips.find(text)
        if text is None or place is None:
            raise DeviceGone(f"There is no GPIO line for {identity:.100}")
        line = Line(
            self._library,
            place,
            text,
            active_low=self._active_low,
            open_drain=self._open_drain,
        )
        return GpioLamp(identity, text, line)
