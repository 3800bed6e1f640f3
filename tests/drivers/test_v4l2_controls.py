"""The server's settings as V4L2's controls."""

import errno

import pytest

from rotoclear.drivers import v4l2_controls as subject
from rotoclear.drivers.v4l2_node import Control
from rotoclear.interfaces import DeviceFailure, DeviceGone

from .v4l2_played import Hardware, Node, slider

BRIGHTNESS, GAIN, ANALOGUE = 0x980900, 0x980913, 0x9E0903


@pytest.fixture
def hardware():
    return Hardware()


def boolean(number, flags=0):
    return Control(number, 2, 0, 1, 1, 1, flags)


def menu(number, maximum):
    return Control(number, 3, 0, maximum, 1, 0, 0)


@pytest.mark.parametrize(("value", "expected"), [(0, -64), (25, -32), (50, 0), (75, 32), (100, 64)])
def test_a_slider_spans_the_range_with_the_default_in_its_middle(value, expected):
    assert subject.scaled(value, slider(1, -64, 64, 1, 0)) == expected


@pytest.mark.parametrize(("value", "expected"), [(0, 0), (49, 0), (50, 0), (75, 48), (100, 95)])
def test_a_half_is_flat_when_the_default_lies_at_an_end(value, expected):
    assert subject.scaled(value, slider(1, 0, 95, 1, 0)) == expected


def test_values_keep_to_the_step_and_the_range_but_for_the_default():
    control = slider(1, 3, 20, 5, 7)
    values = {subject.scaled(value, control) for value in range(101)}
    assert values <= {3, 8, 13, 18, 7}
    assert subject.scaled(50, control) == 7
    assert subject.scaled(100, control) == 18


def test_only_what_the_hardware_has_is_declared(hardware):
    hardware.add(slider(BRIGHTNESS))
    hardware.add(slider(0x980901, flags=0x1))  # disabled
    hardware.add(slider(0x980902, flags=0x4))  # read-only
    hardware.add(slider(0x98091B, 5, 5))  # nothing to choose
    assert subject.controls_of(Node(hardware)).names == {"brightness"}


def test_the_sensors_own_gain_will_do(hardware):
    hardware.add(slider(ANALOGUE))
    assert subject.controls_of(Node(hardware)).sliders["gain"].id == ANALOGUE


def test_a_gain_that_nothing_makes_active_is_not_declared(hardware):
    hardware.add(slider(GAIN, flags=0x10))
    assert subject.controls_of(Node(hardware)).names == set()
    hardware.add(boolean(subject.AUTOGAIN))
    assert subject.controls_of(Node(hardware)).names == {"gain", "auto-exposure"}


def test_exposure_off_switches_the_automatic_gain_off(hardware):
    hardware.add(menu(subject.EXPOSURE_AUTO, 3), {1, 3})
    hardware.add(boolean(subject.AUTOGAIN))
    node = Node(hardware)
    controls = subject.controls_of(node)
    subject.apply(node, controls, "auto-exposure", False)
    assert hardware.values == {subject.EXPOSURE_AUTO: 1, subject.AUTOGAIN: 0}
    subject.apply(node, controls, "auto-exposure", True)
    assert hardware.values == {subject.EXPOSURE_AUTO: 3, subject.AUTOGAIN: 1}
    assert controls.names_of("auto-exposure") == ()


def test_further_exposure_modes_have_names(hardware):
    hardware.add(menu(subject.EXPOSURE_AUTO, 3), {0, 1, 2, 3})
    node = Node(hardware)
    controls = subject.controls_of(node)
    assert controls.names_of("auto-exposure") == ("shutter-priority", "aperture-priority")
    subject.apply(node, controls, "auto-exposure", True)
    assert hardware.values[subject.EXPOSURE_AUTO] == 0
    subject.apply(node, controls, "auto-exposure", "shutter-priority")
    assert hardware.values[subject.EXPOSURE_AUTO] == 2


def test_an_exposure_that_cannot_be_manual_is_not_declared(hardware):
    hardware.add(menu(subject.EXPOSURE_AUTO, 3), {0, 3})
    assert subject.controls_of(Node(hardware)).names == set()


def test_white_balance_has_its_presets(hardware):
    hardware.add(boolean(subject.AUTO_WHITE_BALANCE))
    hardware.add(menu(subject.PRESET_WHITE_BALANCE, 9), {0, 1, 2, 6})
    node = Node(hardware)
    controls = subject.controls_of(node)
    assert controls.names_of("auto-white-balance") == ("incandescent", "daylight")
    for value, preset in ((True, 1), ("daylight", 6), (False, 0)):
        subject.apply(node, controls, "auto-white-balance", value)
        assert hardware.values[subject.PRESET_WHITE_BALANCE] == preset
    assert hardware.values[subject.AUTO_WHITE_BALANCE] == 0


@pytest.mark.parametrize(
    ("number", "error"),
    [
        (errno.EIO, DeviceFailure),
        (errno.EINVAL, DeviceFailure),
        (errno.ERANGE, DeviceFailure),
        (errno.EBUSY, DeviceFailure),
        (errno.ENODEV, DeviceGone),
        (errno.ENXIO, DeviceGone),
    ],
)
def test_a_refusal_is_told_in_words(hardware, number, error):
    hardware.add(slider(BRIGHTNESS))
    node = Node(hardware)
    controls = subject.controls_of(node)
    hardware.errors["set"] = number
    with pytest.raises(DeviceFailure, match="brightness") as caught:
        subject.apply(node, controls, "brightness", 10)
    assert type(caught.value) is error


def test_a_value_that_the_camera_rounds_is_taken(hardware):
    hardware.add(slider(BRIGHTNESS, step=2))
    hardware.clamp[BRIGHTNESS] = 254
    node = Node(hardware)
    subject.apply(node, subject.controls_of(node), "brightness", 100)


def test_a_value_that_did_not_stick_is_a_failure(hardware):
    hardware.add(slider(BRIGHTNESS))
    hardware.clamp[BRIGHTNESS] = 7
    node = Node(hardware)
    with pytest.raises(DeviceFailure, match="has 7"):
        subject.apply(node, subject.controls_of(node), "brightness", 100)


def test_what_was_set_before_a_failure_is_put_back(hardware):
    hardware.add(menu(subject.EXPOSURE_AUTO, 3), {1, 3})
    hardware.add(boolean(subject.AUTOGAIN))
    hardware.values[subject.EXPOSURE_AUTO] = 3
    node = Node(hardware)
    hardware.errors[subject.AUTOGAIN] = errno.EIO
    with pytest.raises(DeviceFailure):
        subject.apply(node, subject.controls_of(node), "auto-exposure", False)
    assert hardware.values == {subject.EXPOSURE_AUTO: 3, subject.AUTOGAIN: 1}


@pytest.mark.parametrize(
    ("setting", "value"),
    [("brightness", True), ("auto-exposure", 1), ("auto-exposure", "moonlight"), ("sharpness", 5)],
)
def test_what_a_setting_cannot_be_is_refused(hardware, setting, value):
    hardware.add(slider(BRIGHTNESS))
    hardware.add(boolean(subject.AUTOGAIN))
    node = Node(hardware)
    with pytest.raises(DeviceFailure, match="cannot be"):
        subject.apply(node, subject.controls_of(node), setting, value)
