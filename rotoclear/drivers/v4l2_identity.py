"""
Which camera a device node belongs to, and what that camera is called.

A camera with a serial number is known by it, in whatever port: ``serial:`` and
vendor, product and serial. One without, or with one that another camera has or had
too (some makers give all the same: :mod:`rotoclear.drivers.v4l2_twins`), is known by its port:
``port:`` and udev's ``ID_PATH``, or without a udev daemon its place in sysfs, or for
what is on no bus that udev has a path for, what the driver says of the bus.
"""

# pathlib would be one more import for the driver's process.
# ruff: noqa: PTH110, PTH120, PTH123

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from attrs import frozen

from rotoclear.drivers.v4l2_node import Capability
from rotoclear.interfaces import UdevDevice

VIDEO_CAPTURE: Final = 0x1
STREAMING: Final = 0x04000000
_PLANES: Final = 0x1000
_CODEC: Final = 0x4000 | 0x8000
_OTHERS: Final = 0x2 | 0x1000 | 0x2000 | 0x4000 | 0x8000 | 0x10000000
"""Output, several planes, memory to memory, touch."""

_NOT_PRINTABLE: Final = re.compile(r"[^\x21-\x7e]+")
_MOST: Final = 128


def is_camera(capability: Capability) -> bool:
    """Whether a node delivers pictures, and does nothing else: no metadata, no output."""
    flags = capability.flags
    return bool(flags & VIDEO_CAPTURE and flags & STREAMING and not flags & _OTHERS)


def has_planes_apart(capability: Capability) -> bool:
    """Whether it delivers pictures, and only by V4L2's calls for several planes."""
    flags = capability.flags
    return bool(flags & _PLANES and not flags & (VIDEO_CAPTURE | _CODEC))


@frozen(kw_only=True)
class Place:
    """
    A node that delivers pictures.

    :ivar node: ``"/dev/video0"``.
    :ivar parent: the sysfs folder of the hardware (or the USB interface) that it belongs to.
    :ivar index: its number among the nodes of the same parent.
    :ivar model: for people.
    :ivar serial: the hardware's own, or ``""``.
    :ivar product: vendor and product number, or ``""``.
    :ivar port: where it is plugged in.
    :ivar bus: what the driver says of that.
    """

    node: str
    parent: str
    index: int
    model: str
    serial: str = ""
    product: str = ""
    port: str = ""
    bus: str = ""


def place_of(device: UdevDevice, node: str, capability: Capability) -> Place:
    """What udev and sysfs know about a node."""
    parent = os.path.realpath(f"{device.path}/device")
    usb = _usb(parent)
    properties = device.properties
    serial = properties.get("ID_SERIAL_SHORT") or _read(usb, "serial")
    vendor = properties.get("ID_VENDOR_ID") or _read(usb, "idVendor")
    product = properties.get("ID_MODEL_ID") or _read(usb, "idProduct")
    index = _read(device.path, "index")
    # Several cameras of one platform device share its ID_PATH.
    path = properties.get("ID_PATH") or parent.removeprefix("/sys/devices/") if usb else ""
    return Place(
        node=node,
        parent=parent,
        index=int(index) if index.isdecimal() else 0,
        model=(capability.card or capability.driver or "V4L2 camera")[:255],
        serial=serial if usb else "",
        product=f"{vendor}:{product}" if usb else "",
        port=path or capability.bus or parent.removeprefix("/sys/devices/"),
        bus=capability.bus,
    )


def _usb(folder: str) -> str:
    """The USB device that a folder of sysfs is within, or ``""``."""
    while len(folder) > 1:
        if os.path.exists(f"{folder}/idVendor"):
            return folder
        folder = os.path.dirname(folder)
    return ""


def _read(folder: str, name: str) -> str:
    if not folder:
        return ""
    try:
        with open(f"{folder}/{name}", encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""


def firsts(places: Iterable[Place]) -> list[Place]:
    """Of the nodes of each camera the first, in the order of their ports."""
    first: dict[tuple[str, str], Place] = {}
    for place in places:
        key = (place.parent, place.bus)
        if key not in first or place.index < first[key].index:
            first[key] = place
    return sorted(first.values(), key=lambda place: (place.port, place.node))


def shared(places: Iterable[Place]) -> set[str]:
    """What two or more cameras would be called by their serial number."""
    serials = Counter(_by_serial(place) for place in places)
    return {name for name, count in serials.items() if name and count > 1}


def identities(
    places: Sequence[Place], known: Mapping[str, str], twins: Collection[str] = ()
) -> dict[str, Place]:
    """
    What each camera is called.

    :param known: what cameras that are still there are called, by node: that stays, so that
        one that is working is not disturbed when its twin is plugged in.
    :param twins: names that cameras are not given: they tell nothing.
    """
    result: dict[str, Place] = {}
    fresh = []
    for place in places:
        if place.node in known:
            result[known[place.node]] = place
        else:
            fresh.append(place)
    for place in fresh:
        by_serial, by_port = _by_serial(place), _printable(f"port:{place.port}")
        if by_serial and by_serial not in twins:
            name = by_serial
        elif by_port not in result:
            name = by_port
        else:
            name = _printable(f"port:{place.port}:{place.bus}:{place.index}")
        result[name] = place
    return result


def _by_serial(place: Place) -> str:
    return _printable(f"serial:{place.product}:{place.serial}") if place.serial else ""


def _printable(text: str) -> str:
    """Printable ASCII; of a path that is too long, the end tells more."""
    text = _NOT_PRINTABLE.sub("_", text)
    if len(text) <= _MOST:
        return text
    kind, _, rest = text.partition(":")
    return f"{kind}:{rest[len(kind) + 1 - _MOST :]}"
