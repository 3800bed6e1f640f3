"""
The server's image settings, as V4L2's controls.

**Sliders.** 0 to 100 is scaled in two straight halves: 0 to 50 from the control's
minimum to its default, 50 to 100 from there to its maximum. So 50 is always
exactly what the maker thinks is right. If the default lies at an end, that half
is flat: 0 to 50 are all the same.

**auto-exposure** is the menu V4L2_CID_EXPOSURE_AUTO with V4L2_CID_AUTOGAIN, or what
there is of them: a gain cannot be set while the camera regulates it.

**auto-white-balance** is V4L2_CID_AUTO_WHITE_BALANCE and the menu
V4L2_CID_AUTO_N_PRESET_WHITE_BALANCE, or what there is of them.

Numbers and meanings: linux/v4l2-controls.h and
https://docs.kernel.org/userspace-api/media/v4l/control.html. V4L2 has no control
for noise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from attrs import field, frozen

from rotoclear.drivers.v4l2_errors import told
from rotoclear.drivers.v4l2_node import Control, Node
from rotoclear.interfaces import DeviceFailure
from rotoclear.values import Value

_USER: Final = 0x00980900
_CAMERA: Final = 0x009A0900
_SOURCE: Final = 0x009E0900

AUTO_WHITE_BALANCE: Final = _USER + 12
AUTOGAIN: Final = _USER + 18
EXPOSURE_AUTO: Final = _CAMERA + 1
PRESET_WHITE_BALANCE: Final = _CAMERA + 20

SLIDERS: Final[Mapping[str, tuple[int, ...]]] = {
    "brightness": (_USER,),
    "contrast": (_USER + 1,),
    "saturation": (_USER + 2,),
    "red-gain": (_USER + 14,),
    "blue-gain": (_USER + 15,),
    "gain": (_USER + 19, _SOURCE + 3),  # V4L2_CID_GAIN, V4L2_CID_ANALOGUE_GAIN
    "sharpness": (_USER + 27,),
}
"""The controls that a setting can be; the first that there is."""

_AUTOMATIC: Final = {
    "gain": "auto-exposure",
    "red-gain": "auto-white-balance",
    "blue-gain": "auto-white-balance",
}
"""What may keep a slider's control inactive while it is on."""

_INTEGER, _BOOLEAN, _MENU = 1, 2, 3  # enum v4l2_ctrl_type
_DISABLED, _READ_ONLY, _INACTIVE, _WRITE_ONLY, _VOLATILE = 0x1, 0x4, 0x10, 0x40, 0x80

# enum v4l2_exposure_auto_type
_EXPOSURE_MANUAL: Final = 1
_EXPOSURE_AUTO: Final = (0, 3, 2)
"""What ``True`` means: the first of these that there is. UVC cameras mostly have only 3."""
_EXPOSURE_NAMES: Final = {2: "shutter-priority", 3: "aperture-priority"}

# enum v4l2_auto_n_preset_white_balance
_PRESET_MANUAL, _PRESET_AUTO = 0, 1
_PRESET_NAMES: Final = {
    2: "incandescent",
    3: "fluorescent",
    4: "fluorescent-h",
    5: "horizon",
    6: "daylight",
    7: "flash",
    8: "cloudy",
    9: "shade",
}

Steps = Sequence[tuple[int, int]]
"""Controls and what they are set to, in this order."""


def scaled(value: int, control: Control) -> int:
    """
    What a slider's position is for a control.

    :param value: 0 to 100.
    """
    low, high, default = control.minimum, control.maximum, control.default
    if value == 50:
        return default
    if value < 50:
        wanted = low + (default - low) * value / 50
    else:
        wanted = default + (high - default) * (value - 50) / 50
    step = max(control.step, 1)
    return min(low + round((wanted - low) / step) * step, low + (high - low) // step * step)


@frozen
class Controls:
    """
    What a camera has of them.

    :ivar sliders: by the setting's name.
    :ivar modes: by the setting's name and value: what is to be set.
    """

    sliders: Mapping[str, Control] = field(factory=dict)
    modes: Mapping[str, Mapping[Value, Steps]] = field(factory=dict)

    @property
    def names(self) -> frozenset[str]:
        """The settings that it has."""
        return frozenset({*self.sliders, *self.modes})

    def names_of(self, setting: str) -> tuple[str, ...]:
        """The modes of an automatic function, besides on and off."""
        return tuple(name for name in self.modes.get(setting, ()) if isinstance(name, str))


def controls_of(node: Node) -> Controls:
    """
    Ask a camera what it has.

    :raises OSError: it does not answer.
    """
    modes = {
        "auto-exposure": _exposure(node),
        "auto-white-balance": _white_balance(node),
    }
    modes = {setting: values for setting, values in modes.items() if values}
    sliders = {}
    for setting, numbers in SLIDERS.items():
        for number in numbers:
            control = _usable(node, number, _INTEGER)
            if control is None or control.minimum >= control.maximum:
                continue
            if control.flags & _INACTIVE and _AUTOMATIC.get(setting) not in modes:
                continue  # nothing that we can switch would make it active
            sliders[setting] = control
            break
    return Controls(sliders, modes)


def _usable(node: Node, number: int, kind: int) -> Control | None:
    control = node.control(number)
    if control is None or control.type != kind or control.flags & (_DISABLED | _READ_ONLY):
        return None
    return control


def _exposure(node: Node) -> dict[Value, Steps]:
    gain = _usable(node, AUTOGAIN, _BOOLEAN)
    on: Steps = () if gain is None else ((AUTOGAIN, 1),)
    off: Steps = () if gain is None else ((AUTOGAIN, 0),)
    result: dict[Value, Steps] = {True: on, False: off} if gain is not None else {}
    menu = _usable(node, EXPOSURE_AUTO, _MENU)
    if menu is None:
        return result
    entries = node.menu(menu)
    automatic = [entry for entry in _EXPOSURE_AUTO if entry in entries]
    if _EXPOSURE_MANUAL not in entries or not automatic:
        return result
    result = {
        True: ((EXPOSURE_AUTO, automatic[0]), *on),
        False: ((EXPOSURE_AUTO, _EXPOSURE_MANUAL), *off),
    }
    for entry, name in _EXPOSURE_NAMES.items():
        if entry in automatic[1:]:
            result[name] = ((EXPOSURE_AUTO, entry), *on)
    return result


def _white_balance(node: Node) -> dict[Value, Steps]:
    switch = _usable(node, AUTO_WHITE_BALANCE, _BOOLEAN)
    menu = _usable(node, PRESET_WHITE_BALANCE, _MENU)
    entries = frozenset() if menu is None else node.menu(menu)
    on: list[tuple[int, int]] = []
    off: list[tuple[int, int]] = []
    if switch is not None:
        on.append((AUTO_WHITE_BALANCE, 1))
        off.append((AUTO_WHITE_BALANCE, 0))
    if _PRESET_AUTO in entries and _PRESET_MANUAL in entries:
        on.append((PRESET_WHITE_BALANCE, _PRESET_AUTO))
        off.append((PRESET_WHITE_BALANCE, _PRESET_MANUAL))
    if not on:
        return {}
    result: dict[Value, Steps] = {True: on, False: off}
    for entry, name in _PRESET_NAMES.items():
        if entry in entries:
            result[name] = ((PRESET_WHITE_BALANCE, entry),)
    return result


def apply(node: Node, controls: Controls, setting: str, value: Value) -> None:
    """
    Take a setting into the hardware; what it had stays, or comes back, if that fails.

    :raises DeviceGone: the camera is not there any more.
    :raises DeviceFailure: it did not take it.
    """
    slider = controls.sliders.get(setting)
    if slider is not None and isinstance(value, int) and not isinstance(value, bool):
        _set(node, setting, [(slider.id, scaled(value, slider))], slider)
        return
    # 1 would be found where True is.
    modes = controls.modes.get(setting, {}) if isinstance(value, bool | str) else {}
    if value not in modes:
        raise DeviceFailure(f"{setting} cannot be {value!r:.100}")
    _set(node, setting, modes[value], None)


def _set(node: Node, setting: str, steps: Steps, slider: Control | None) -> None:
    before: list[tuple[int, int]] = []
    try:
        with told(setting):
            for number, value in steps:
                blind = slider is not None and slider.flags & (_WRITE_ONLY | _VOLATILE)
                old = value if blind else node.get(number)
                node.set(number, value)
                before.append((number, old))
                got = value if blind else node.get(number)
                if abs(got - value) > (0 if slider is None else max(slider.step, 1)):
                    raise DeviceFailure(  # noqa: TRY301
                        f"{setting}: the camera was told {value} and has {got}"
                    )
    except DeviceFailure:
        for number, value in reversed(before):
            try:
                node.set(number, value)
            except OSError:
                pass  # what went wrong first is what counts
        raise
