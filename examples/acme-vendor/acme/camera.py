"""An Acme camera head."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Sequence

from zope.interface import implementer

from acme.link import ADDRESS, ask, connect, plugged
from rotoclear.interfaces import (
    CameraDescription,
    DeviceFailure,
    DeviceGone,
    DriverContext,
    DriverKey,
    Frame,
    ICamera,
    ICameraDriver,
    IKeys,
    Match,
    Option,
    VideoMode,
)
from rotoclear.values import Boolean, Integer, Value

IDENTITY = "camera"

DESCRIPTION = CameraDescription(
    identity=IDENTITY,
    model="Acme head",
    sensors=("main",),
    modes=(VideoMode(320, 240, (10, 25)), VideoMode(640, 480, (10, 25))),
    formats=("grey",),
    controls=frozenset({"brightness", "gain"}),
)

PURGE = DriverKey(
    name="vendor-acme-purge",
    type=Boolean(),
    default=False,
    doc="Air is blown before the camera's window.",
)

TEMPERATURE = DriverKey(
    name="vendor-acme-temperature",
    type=Integer(-40, 125, unit="degrees Celsius"),
    default=0,
    doc="How warm the camera head is.",
    writable=False,
    saved=False,
)


@implementer(ICamera)
class Camera:
    """The head; there is one."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._pictures: Pictures | None = None

    def describe(self) -> CameraDescription:
        return DESCRIPTION

    def probe(self) -> None:
        ask(self._address, "STATUS camera")

    def set(self, control: str, value: Value) -> None:
        if control not in DESCRIPTION.controls:
            raise DeviceFailure(f"An Acme head has no {control}")
        ask(self._address, f"SET {control} {round(int(value) * 255 / 100)}")

    def select(self, sensor: int, width: int, height: int, rate: int) -> None:
        if sensor != 1:
            raise DeviceFailure("An Acme head has one sensor")
        ask(self._address, f"SIZE {width} {height} {rate}")

    def start(self) -> None:
        self.probe()
        self._pictures = Pictures(self._address)

    def read(self, timeout: float) -> Frame | None:
        if self._pictures is None:
            raise DeviceFailure("It was not started")
        return self._pictures.read(timeout)

    def stop(self) -> None:
        if self._pictures is not None:
            self._pictures.close()
            self._pictures = None

    def close(self) -> None:
        self.stop()


class Pictures:
    """A connection on which pictures come."""

    def __init__(self, address: str) -> None:
        self._connection: socket.socket = connect(address)
        self._buffer = bytearray()
        try:
            self._connection.sendall(b"PICTURES\n")
        except OSError as error:
            self.close()
            raise DeviceFailure(f"The machine does not answer: {error}") from None

    def read(self, timeout: float) -> Frame | None:
        """The next picture, if it is there within that many seconds."""
        deadline = time.monotonic() + timeout
        while (frame := self._frame()) is None:
            left = max(0.0, deadline - time.monotonic())
            if not select.select([self._connection], [], [], left)[0]:
                return None
            try:
                data = self._connection.recv(1 << 20)
            except OSError:
                data = b""
            if not data:
                raise DeviceGone("The machine sends no more pictures")
            self._buffer += data
        return frame

    def _frame(self) -> Frame | None:
        """The one that begins the buffer, if all of it has come."""
        head, newline, _ = self._buffer.partition(b"\n")
        if not newline:
            return None
        sequence, width, height = map(int, head.split())
        start = len(head) + 1
        end = start + width * height
        if len(self._buffer) < end:
            return None
        data = bytes(self._buffer[start:end])
        del self._buffer[:end]
        return Frame(
            data=data,
            format="grey",
            width=width,
            height=height,
            timestamp=time.monotonic_ns(),
            sequence=sequence,
        )

    def close(self) -> None:
        self._connection.close()


@implementer(ICameraDriver, IKeys)
class AcmeCamera:
    """Finds it."""

    name = "acme-camera"
    matches: Sequence[Match] = ()
    options: Sequence[Option] = (ADDRESS,)
    keys: Sequence[DriverKey] = (PURGE, TEMPERATURE)

    def start(self, context: DriverContext) -> None:
        self._address = str(context.options["address"])
        self._publish = context.publish
        self._temperature: int | None = None

    def stop(self) -> None:
        pass

    def find(self) -> Sequence[str]:
        if not plugged(self._address, "camera"):
            return []
        try:
            self._tell_temperature()
        except DeviceFailure:
            return []  # it was unplugged just now, or does not answer
        return [IDENTITY]

    def _tell_temperature(self) -> None:
        """This is called twice a second: often enough for a temperature."""
        temperature = int(ask(self._address, "TEMPERATURE"))
        if temperature != self._temperature:
            self._temperature = temperature
            self._publish(TEMPERATURE.name, temperature)

    def open(self, identity: str) -> Camera:
        if identity not in self.find():
            raise DeviceGone("The camera head is not plugged in")
        return Camera(self._address)

    def set_key(self, name: str, value: Value) -> None:
        ask(self._address, f"PURGE {int(value)}")
