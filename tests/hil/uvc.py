"""
The descriptors and the firmware of a USB video camera (UVC 1.1, bulk).

MJPEG and YUYV, 320x240, 15 pictures a second; a camera terminal (1) with
exposure, a processing unit (2) with four settings, an output terminal (3).
The tables are those of "USB Device Class Definition for Video Devices 1.1"
(section numbers beside them) and of USB 2.0, chapter 9.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

from attrs import define

WIDTH: Final = 320
HEIGHT: Final = 240
RATE: Final = 15
INTERVAL: Final = 10_000_000 // RATE
"""Between two pictures, in 100 ns."""

LARGEST: Final = WIDTH * HEIGHT * 2
"""Bytes of a picture at most."""

PAYLOAD: Final = 16_384
"""Bytes of a transfer at most."""

CLOCK: Final = 48_000_000

FORMATS: Final = ("MJPG", "YUYV")

# USB 2.0, 9.4
GET_DESCRIPTOR: Final = 6
# UVC 1.1, A.8
SET_CUR: Final = 0x01
GET_CUR: Final = 0x81
GET_MIN: Final = 0x82
GET_MAX: Final = 0x83
GET_RES: Final = 0x84
GET_LEN: Final = 0x85
GET_INFO: Final = 0x86
GET_DEF: Final = 0x87


@define
class Setting:
    """
    A control of the camera's.

    :ivar layout: of its value, as of :mod:`struct`.
    """

    name: str
    layout: str
    minimum: int
    maximum: int
    step: int
    default: int
    value: int


def _settings() -> dict[tuple[int, int], Setting]:
    """By the unit and the control's selector (A.9.4, A.9.5)."""
    return {
        (1, 0x02): Setting("exposure-mode", "<b", 0, 9, 8, 8, 8),
        (1, 0x04): Setting("exposure-time", "<i", 3, 2047, 1, 250, 250),
        (2, 0x02): Setting("brightness", "<h", -64, 64, 1, 0, 0),
        (2, 0x03): Setting("contrast", "<h", 0, 95, 1, 32, 32),
        (2, 0x04): Setting("gain", "<h", 0, 100, 5, 0, 0),
        (2, 0x07): Setting("saturation", "<h", 0, 128, 1, 64, 64),
    }


class Firmware:
    """
    What answers the camera's control requests.

    :ivar format: which of :data:`FORMATS` was agreed on.

    :param serial: the camera's serial number.
    :param said: told ``(name, value)`` of each setting, and ``("format", name)``
        when pictures are asked for.
    """

    def __init__(self, serial: str, said: Callable[[str, object], None]) -> None:
        self.format = 0
        self._settings = _settings()
        self._said = said
        self._strings = [b"\4\3\x09\4"] + [
            struct.pack("BB", 2 + 2 * len(text), 3) + text.encode("utf-16le")
            for text in ("Rotoclear", "HIL camera", serial)
        ]
        self._configuration = _configuration()

    def control(self, setup: bytes, data: bytes) -> bytes | None:
        """
        One request of the host's.

        :param setup: USB 2.0, 9.3.
        :param data: what came with it.
        :return: the answer, or ``None`` to refuse (a stall).
        """
        kind, request, value, index, length = struct.unpack("<BBHHH", setup)
        if kind & 0x60 == 0:
            if kind & 0x80 and request == GET_DESCRIPTOR:
                return self._descriptor(value >> 8, value & 255, length)
            return bytes(length) if kind & 0x80 else b""
        selector, unit, interface = value >> 8, index >> 8, index & 255
        if interface == 1:
            return self._streaming(request, selector, data, length)
        setting = self._settings.get((unit, selector))
        return None if setting is None else self._setting(setting, request, data)

    def _descriptor(self, kind: int, index: int, length: int) -> bytes | None:
        match kind:
            case 1:
                return DEVICE[:length]
            case 2:
                return self._configuration[:length]
            case 3 if index < len(self._strings):
                return self._strings[index][:length]
            case 6:
                return QUALIFIER[:length]
        return None

    def _streaming(self, request: int, selector: int, data: bytes, length: int) -> bytes:
        """Probe (selector 1) and commit (2), 4.3.1.1."""
        if request == SET_CUR:
            self.format = min(max(data[2], 1), len(FORMATS)) - 1
            if selector == 2:
                self._said("format", FORMATS[self.format])
            return b""
        answers = {GET_LEN: struct.pack("<H", 34), GET_INFO: b"\3"}
        sizes = struct.pack(
            "<HBBIHHHHHII", 1, self.format + 1, 1, INTERVAL, 0, 0, 0, 0, 0, LARGEST, PAYLOAD
        )
        return answers.get(request, sizes + struct.pack("<I4x", CLOCK))[:length]

    def _setting(self, setting: Setting, request: int, data: bytes) -> bytes | None:
        layout = setting.layout
        match request:
            case 0x01:  # SET_CUR
                (setting.value,) = struct.unpack(layout, data)
                self._said(setting.name, setting.value)
                return b""
            case 0x85:  # GET_LEN
                return struct.pack("<H", struct.calcsize(layout))
            case 0x86:  # GET_INFO: it can be read and written
                return b"\3"
        values = {
            GET_CUR: setting.value,
            GET_MIN: setting.minimum,
            GET_MAX: setting.maximum,
            GET_RES: setting.step,
            GET_DEF: setting.default,
        }
        return struct.pack(layout, values[request]) if request in values else None


def _configuration() -> bytes:
    """The configuration with its two interfaces: control (3.7) and streaming (3.9)."""
    camera = struct.pack("<BBBBHBBHHHB", 18, 0x24, 2, 1, 0x0201, 0, 0, 0, 0, 0, 3) + b"\x0a\0\0"
    # Brightness, contrast, saturation and gain: bits 0, 1, 3, 9.
    processing = struct.pack("<BBBBBHBHBB", 12, 0x24, 5, 2, 1, 0, 2, 0x020B, 0, 0)
    output = struct.pack("<BBBBHBBB", 9, 0x24, 3, 3, 0x0101, 0, 2, 0)
    units = camera + processing + output
    header = struct.pack("<BBBHHIBB", 13, 0x24, 1, 0x0110, 13 + len(units), CLOCK, 1, 1)
    color = bytes([6, 0x24, 13, 1, 1, 4])
    mjpeg = bytes([11, 0x24, 6, 1, 1, 1, 1, 0, 0, 0, 0]) + _frame(7) + color
    yuy2 = bytes.fromhex("5955593200001000800000aa00389b71")
    yuyv = bytes([27, 0x24, 4, 2, 1]) + yuy2 + bytes([16, 1, 0, 0, 0, 0]) + _frame(5) + color
    formats = mjpeg + yuyv
    length = 15 + len(formats)
    streams = struct.pack("<BBBBHBBBBBBBBB", 15, 0x24, 1, 2, length, 0x81, 0, 3, 0, 0, 0, 1, 0, 0)
    body = bytes([8, 0x0B, 0, 2, 14, 3, 0, 0])  # one function of two interfaces
    body += bytes([9, 4, 0, 0, 0, 14, 1, 0, 0]) + header + units
    body += bytes([9, 4, 1, 0, 1, 14, 2, 0, 0]) + streams + formats
    body += struct.pack("<BBBBHB", 7, 5, 0x81, 2, 512, 0)  # bulk in
    return struct.pack("<BBHBBBBB", 9, 2, 9 + len(body), 2, 1, 0, 0x80, 250) + body


def _frame(subtype: int) -> bytes:
    bits = LARGEST * 8 * RATE
    return struct.pack(
        "<BBBBBHHIIIIBI",
        30,
        0x24,
        subtype,
        1,
        0,
        WIDTH,
        HEIGHT,
        bits,
        bits,
        LARGEST,
        INTERVAL,
        1,
        INTERVAL,
    )


# 1d6b:0102, the Linux Foundation's webcam gadget.
DEVICE: Final = struct.pack(
    "<BBHBBBBHHHBBBB", 18, 1, 0x200, 0xEF, 2, 1, 64, 0x1D6B, 0x0102, 0x100, 1, 2, 3, 1
)
QUALIFIER: Final = struct.pack("<BBHBBBBBB", 10, 6, 0x200, 0xEF, 2, 1, 64, 1, 0)
