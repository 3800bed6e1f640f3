"""
A USB light that is not there: ``python -m tests.hil.uhid_light [SERIAL]``.

A Luxafor flag (04d8:f372) made of ``/dev/uhid`` (the kernel's
Documentation/hid/uhid.rst): the real ``hid-led`` makes 18 LEDs of it,
``/sys/class/leds/luxafor0:{red,green,blue}:led0`` to ``led5``, 0 to 255.
Needs root and ``modprobe -a uhid hid_generic hid_led``.

It prints ``plugged`` first and ``OUTPUT HEX`` for each output report that it is
sent. SIGTERM pulls the plug.
"""

from __future__ import annotations

import os
import signal
import struct
import sys
from pathlib import Path
from typing import Final

UHID: Final = Path("/dev/uhid")

# enum uhid_event_type
OUTPUT: Final = 6
GET_REPORT: Final = 9
GET_REPORT_REPLY: Final = 10
CREATE2: Final = 11
SET_REPORT: Final = 13
SET_REPORT_REPLY: Final = 14

EVENT: Final = 4380
"""Bytes of a ``struct uhid_event``."""

BUS_USB: Final = 3
VENDOR: Final = 0x04D8
PRODUCT: Final = 0xF372

DESCRIPTOR: Final = bytes.fromhex(
    "0600ff 0901 a101"  # a collection of a vendor's own
    "1500 26ff00 7508 9508"  # eight bytes, 0 to 255
    "0901 8102"  # in
    "9508 0901 9102"  # and out
    "c0"
)


def main(serial: str = "HIL") -> None:
    """Plug it in, and be it."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    device = os.open(UHID, os.O_RDWR)
    create = struct.pack(
        "<I128s64s64sHHIIII4096s",
        CREATE2,
        b"Luxafor Flag",
        b"usb-hil/light",
        serial.encode(),
        len(DESCRIPTOR),
        BUS_USB,
        VENDOR,
        PRODUCT,
        0,
        0,
        DESCRIPTOR,
    )
    os.write(device, create)
    _say("plugged")
    while True:
        event = os.read(device, EVENT)
        (kind,) = struct.unpack_from("<I", event)
        if kind == OUTPUT:
            (size,) = struct.unpack_from("<H", event, 4 + 4096)
            _say(f"OUTPUT {event[4 : 4 + size].hex()}")
        elif kind == GET_REPORT:
            (number,) = struct.unpack_from("<I", event, 4)
            reply = struct.pack("<IIHH4096s", GET_REPORT_REPLY, number, 0, 9, bytes(9))
            os.write(device, reply)
        elif kind == SET_REPORT:
            number, _, _, size = struct.unpack_from("<IBBH", event, 4)
            _say(f"OUTPUT {event[12 : 12 + size].hex()}")
            os.write(device, struct.pack("<IIH", SET_REPORT_REPLY, number, 0))


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
