"""What devices say about themselves, held against what :mod:`rotoclear.interfaces` allows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from rotoclear.devices.device import Description, Kind
from rotoclear.devices.ring import CaptureInfo
from rotoclear.interfaces import (
    IMAGE_CONTROLS,
    PIXEL_FORMATS,
    CameraDescription,
    LightDescription,
    VideoMode,
    VolumeDescription,
    VolumeUsage,
)
from rotoclear.state.keys import MAX_SENSORS

IDENTITY: Final = re.compile(r"[\x20-\x7e]{1,128}")
"""Printable ASCII, 1 to 128 characters."""

MAX_NAME: Final = 255
"""Characters of a name for people."""

MAX_MODES: Final = 256
"""The most sizes that a camera may name."""

_MAX_SIDE: Final = 99_998
_MAX_RATE: Final = 1000
_MAX_BYTES: Final = 2**63 - 1
_NOT_MODES: Final = ("on", "auto", "off", "manual")

_TYPES: Final[dict[Kind, type[Description]]] = {
    "camera": CameraDescription,
    "light": LightDescription,
    "storage": VolumeDescription,
}


class BadDescription(ValueError):
    """A driver says something that it must not. ``str()`` says what."""


def description(kind: Kind, identity: str, raw: object) -> Description:
    """
    What ``describe`` returned, in its own type.

    :param identity: that it was opened by.
    :raises BadDescription: it is not what the interface asks for.
    """
    try:
        result = msgspec.convert(raw, _TYPES[kind])
    except msgspec.ValidationError as error:
        raise BadDescription(str(error)) from None
    _check(result.identity == identity, f"the identity is {result.identity!r}, not {identity!r}")
    match result:
        case CameraDescription():
            _check_camera(result)
        case LightDescription():
            _check_text("name", result.name)
            _check_place(result)
            _check_head(result.head)
        case VolumeDescription():
            _check(len(result.name) <= MAX_NAME, f"the name is longer than {MAX_NAME}")
            _check(result.path.startswith("/"), f"the path {result.path!r:.100} is not absolute")
    return result


def usage(raw: object) -> VolumeUsage:
    """
    What ``usage`` returned, in its own type.

    :raises BadDescription: it is none.
    """
    try:
        result = msgspec.convert(raw, VolumeUsage)
    except msgspec.ValidationError as error:
        raise BadDescription(str(error)) from None
    _check(
        0 <= result.free <= result.total <= _MAX_BYTES,
        f"{result.free} bytes of {result.total} cannot be free",
    )
    return result


def capture(raw: object) -> CaptureInfo:
    """
    What ``capture`` returned, in its own type.

    :raises BadDescription: it is none.
    """
    try:
        return msgspec.convert(raw, CaptureInfo)
    except msgspec.ValidationError as error:
        raise BadDescription(str(error)) from None


def _check_camera(camera: CameraDescription) -> None:
    _check_text("model", camera.model)
    _check_place(camera)
    _check_head(camera.head)
    _check(
        1 <= len(camera.sensors) <= MAX_SENSORS,
        f"there are {len(camera.sensors)} sensors, not 1 to {MAX_SENSORS}",
    )
    for sensor in camera.sensors:
        _check_text("a sensor's name", sensor)
    _check(
        1 <= len(camera.modes) <= MAX_MODES,
        f"there are {len(camera.modes)} modes, not 1 to {MAX_MODES}",
    )
    for mode in camera.modes:
        _check_mode(mode)
    sizes = [(mode.width, mode.height) for mode in camera.modes]
    _check(len(set(sizes)) == len(sizes), "two modes have the same size")
    _check(bool(camera.formats), "no format is named")
    unknown = sorted(set(camera.formats) - PIXEL_FORMATS)
    _check(not unknown, f"there is no format {', '.join(unknown)[:100]}")
    unknown = sorted(camera.controls - IMAGE_CONTROLS)
    _check(not unknown, f"there is no control {', '.join(unknown)[:100]}")
    _check_names("exposure_modes", camera.exposure_modes)
    _check_names("white_balance_modes", camera.white_balance_modes)


def _check_mode(mode: VideoMode) -> None:
    where = f"mode {mode.width}x{mode.height}"
    for side in (mode.width, mode.height):
        _check(
            2 <= side <= _MAX_SIDE and side % 2 == 0,
            f"{where}: {side} is not an even number from 2 to {_MAX_SIDE}",
        )
    rates = mode.rates
    _check(
        0 < len(rates) <= _MAX_RATE
        and list(rates) == sorted(set(rates))
        and rates[0] >= 1
        and rates[-1] <= _MAX_RATE,
        f"{where}: the rates must be whole, 1 to {_MAX_RATE} and ascending",
    )


def _check_names(what: str, names: Sequence[str]) -> None:
    for name in names:
        _check_text(what, name)
        _check(name not in _NOT_MODES, f"{what}: {name!r} means something else already")
    _check(len(names) <= MAX_SENSORS, f"{what}: more than {MAX_SENSORS}")
    _check(len(set(names)) == len(names), f"{what}: one is named twice")


def _check_text(what: str, text: str) -> None:
    _check(1 <= len(text) <= MAX_NAME, f"{what} has {len(text)} characters, not 1 to {MAX_NAME}")


def _check_place(device: CameraDescription | LightDescription) -> None:
    for what, text in (("serial", device.serial), ("port", device.port)):
        _check(len(text) <= MAX_NAME, f"the {what} is longer than {MAX_NAME}")


def _check_head(head: int | None) -> None:
    _check(head in (None, 1, 2), f"the head is {head}, not 1, 2 or None")


def _check(good: bool, message: str) -> None:
    if not good:
        raise BadDescription(message)
