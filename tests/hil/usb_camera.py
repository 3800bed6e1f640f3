"""
A USB camera that is not there: ``python -m tests.hil.usb_camera SERIAL [PORT]``.

It talks USB/IP (the kernel's Documentation/usb/usbip_protocol.rst) to
``vhci_hcd``, a USB controller whose ports lead to sockets; from there on all is
real: USB, ``uvcvideo``, udev. Needs root and ``modprobe -a vhci_hcd uvcvideo``.

It prints a line for all that its firmware is told (``brightness = 32``), for
each picture that somebody took in full (``picture``), and ``attached`` first.
SIGUSR1 pulls the plug, in the middle of whatever it does, and SIGUSR2 plugs it
in again: a new process would take Python's time to start each time.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import queue
import signal
import socket
import struct
import sys
import threading
import time
from pathlib import Path
from typing import Final

from tests.hil.uvc import HEIGHT, PAYLOAD, RATE, WIDTH, Firmware

ATTACH: Final = Path("/sys/devices/platform/vhci_hcd.0/attach")

HIGH_SPEED: Final = 3

# The commands of USB/IP.
SUBMIT: Final = 1
UNLINK: Final = 2
RET_SUBMIT: Final = 3
RET_UNLINK: Final = 4

STALL: Final = -32
UNLINKED: Final = -104

END_OF_FRAME: Final = 2
END_OF_HEADER: Final = 0x80


class Camera:
    """
    The camera at its cable.

    :param wire: leads to the controller.
    """

    def __init__(self, serial: str, wire: socket.socket) -> None:
        self._wire = wire
        self._firmware = Firmware(serial, lambda name, value: _say(f"{name} = {value}"))
        self._sending = threading.Lock()
        self._asked: queue.Queue[tuple[int, int] | None] = queue.Queue()
        self._pending: set[int] = set()

    def run(self) -> None:
        """Answer until the cable is pulled."""
        taking = threading.Thread(target=self._take, daemon=True)
        taking.start()
        with contextlib.suppress(EOFError, OSError):
            while True:
                self._answer(self._exactly(48))
        self._asked.put(None)
        taking.join()

    def _answer(self, header: bytes) -> None:
        command, number, _, inwards, endpoint = struct.unpack(">5I", header[:20])
        if command == SUBMIT:
            (length,) = struct.unpack(">i", header[24:28])
            data = b"" if inwards or length <= 0 else self._exactly(length)
            if endpoint == 0:
                self._control(number, header[40:48], data, length if inwards else None)
            elif inwards:
                self._pending.add(number)
                self._asked.put((number, length))
            else:
                self._reply(number, taken=len(data))
        elif command == UNLINK:
            (other,) = struct.unpack(">I", header[20:24])
            status = UNLINKED if other in self._pending else 0
            self._pending.discard(other)
            self._send(struct.pack(">IIIIIi24x", RET_UNLINK, number, 0, 0, 0, status))

    def _control(self, number: int, setup: bytes, data: bytes, wanted: int | None) -> None:
        answer = self._firmware.control(setup, data)
        if answer is None:
            self._reply(number, status=STALL)
        elif wanted is None:
            self._reply(number, taken=len(data))
        else:
            self._reply(number, data=answer[:wanted])

    def _take(self) -> None:
        """Take pictures until the cable is pulled."""
        pictures = (grey_jpeg(WIDTH, HEIGHT), quarters(WIDTH, HEIGHT))
        with contextlib.suppress(EOFError, OSError):
            for count in itertools.count():
                began = time.monotonic()
                self._hand_over(pictures[self._firmware.format], count & 1)
                _say("picture")
                time.sleep(max(0.0, 1 / RATE - (time.monotonic() - began)))

    def _hand_over(self, picture: bytes, toggle: int) -> None:
        """In pieces as large as the transfers that wait for them (UVC 1.1, 2.4.3.2)."""
        while picture:
            asked = self._asked.get()
            if asked is None:
                raise EOFError
            number, length = asked
            if number not in self._pending:
                continue
            self._pending.discard(number)
            size = min(length, PAYLOAD) - 2
            last = END_OF_FRAME if len(picture) <= size else 0
            self._reply(number, data=bytes([2, END_OF_HEADER | last | toggle]) + picture[:size])
            picture = picture[size:]

    def _reply(
        self, number: int, *, status: int = 0, data: bytes = b"", taken: int | None = None
    ) -> None:
        length = len(data) if taken is None else taken
        head = struct.pack(">5I5i8x", RET_SUBMIT, number, 0, 0, 0, status, length, 0, 0, 0)
        self._send(head + data)

    def _send(self, message: bytes) -> None:
        with self._sending:
            self._wire.sendall(message)

    def _exactly(self, size: int) -> bytes:
        got = b""
        while len(got) < size:
            more = self._wire.recv(size - len(got))
            if not more:
                raise EOFError
            got += more
        return got


QUARTERS: Final = (
    ((81, 90, 240), (145, 54, 34)),  # red, green
    ((41, 240, 110), (235, 128, 128)),  # blue, white
)
"""Y, U and V (ITU-R BT.601, limited range) of the quarters of the YUYV picture."""


def quarters(width: int, height: int) -> bytes:
    """A YUYV picture that can be recognised."""
    rows = (b"".join(bytes([y, u, y, v]) * (width // 4) for y, u, v in row) for row in QUARTERS)
    return b"".join(row * (height // 2) for row in rows)


def grey_jpeg(width: int, height: int) -> bytes:
    """
    A grey picture as UVC cameras send it: baseline JPEG, 4:2:2 (ITU-T T.81).

    Each of its blocks differs from the one before by nothing, and has nothing
    but a mean: two codes of one bit, 0 and 0. Four blocks are a byte.

    :param width: a multiple of 16.
    :param height: of 8.
    """
    picture = b"\xff\xd8" + _segment(0xDB, b"\0" + b"\1" * 64)
    components = bytes([3, 1, 0x21, 0, 2, 0x11, 0, 3, 0x11, 0])
    picture += _segment(0xC0, struct.pack(">BHH", 8, height, width) + components)
    for table in (0x00, 0x10):
        picture += _segment(0xC4, bytes([table, 1]) + bytes(15) + b"\0")
    picture += _segment(0xDA, bytes([3, 1, 0, 2, 0, 3, 0, 0, 63, 0]))
    return picture + bytes(width // 16 * (height // 8)) + b"\xff\xd9"


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, 2 + len(body)) + body


def main(serial: str, port: str = "0") -> None:
    """Be it, plugged in or not."""
    # Waited for in one place: a handler would interrupt the threads' calls.
    orders = {signal.SIGUSR1, signal.SIGUSR2}
    signal.pthread_sigmask(signal.SIG_BLOCK, orders)
    while True:
        cable = _plug(port)
        camera = threading.Thread(target=Camera(serial, cable).run)
        camera.start()
        _say("attached")
        while signal.sigwait(orders) != signal.SIGUSR1:
            pass
        cable.shutdown(socket.SHUT_RDWR)
        camera.join()
        cable.close()
        _say("detached")
        while signal.sigwait(orders) != signal.SIGUSR2:
            pass


def _plug(port: str) -> socket.socket:
    """The controller frees a port a moment after its cable was pulled."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with theirs:
        while True:
            try:
                ATTACH.write_text(f"{port} {theirs.fileno()} {int(port) + 1} {HIGH_SPEED}")
            except OSError as error:
                if error.errno != errno.EBUSY:
                    raise
                time.sleep(0.02)
            else:
                return ours


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
