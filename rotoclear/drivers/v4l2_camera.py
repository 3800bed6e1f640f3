"""An open V4L2 camera."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from zope.interface import implementer

from rotoclear.drivers.v4l2_controls import apply, controls_of
from rotoclear.drivers.v4l2_errors import UNKNOWN, told
from rotoclear.drivers.v4l2_formats import (
    DEFAULT_RATE,
    Modes,
    described,
    formats_in,
    modes_of,
    offers_of,
    whole,
)
from rotoclear.drivers.v4l2_identity import Place
from rotoclear.drivers.v4l2_node import Format, Node
from rotoclear.drivers.v4l2_stream import Stream
from rotoclear.interfaces import CameraDescription, DeviceFailure, DeviceGone, Frame, ICamera
from rotoclear.values import Value

_MAX_SENSORS: Final = 16


@implementer(ICamera)
class V4l2Camera:
    """
    A head.

    :param node: open; it is closed with the camera.
    :param prefer: as of :func:`~rotoclear.drivers.v4l2_formats.modes_of`.
    :param lost: called when the camera turns out to be gone.
    :raises DeviceGone: it is not there any more.
    :raises DeviceFailure: it does not say what it can do, or can do nothing that we could use.
    """

    def __init__(
        self, node: Node, identity: str, place: Place, prefer: str, lost: Callable[[], None]
    ) -> None:
        self._node = node
        self._lost = lost
        self._stream: Stream | None = None
        self._chosen: tuple[int, int, int, int] | None = None
        with told("Asking the camera what it can do"):
            self._controls = controls_of(node)
            names, self._tables = _inputs(node, prefer)
        # There is one list for all inputs; what another one cannot do, select() refuses.
        modes = described(next(filter(None, self._tables), {}))
        if not modes:
            raise DeviceFailure("The camera has no picture format that the server can use")
        self._description = CameraDescription(
            identity=identity,
            model=place.model,
            serial=place.serial[:255],
            port=place.port[-255:],
            sensors=names,
            modes=modes,
            formats=formats_in(self._tables),
            controls=self._controls.names,
            exposure_modes=self._controls.names_of("auto-exposure"),
            white_balance_modes=self._controls.names_of("auto-white-balance"),
        )

    def describe(self) -> CameraDescription:
        return self._description

    def probe(self) -> None:
        try:
            with told("Asking for a sign of life"):
                self._node.capability()
        except DeviceGone:
            self._lost()
            raise

    def set(self, control: str, value: Value) -> None:
        apply(self._node, self._controls, control, value)

    def select(self, sensor: int, width: int, height: int, rate: int) -> None:
        before = self._chosen
        try:
            self._choose(sensor, width, height, rate)
        except DeviceFailure:
            if before is not None:
                try:
                    self._choose(*before)
                except DeviceFailure:
                    pass  # start() tries again, and says what is wrong
            raise
        self._chosen = (sensor, width, height, rate)

    def _choose(self, sensor: int, width: int, height: int, rate: int) -> Format:
        """Have it deliver that; see what has come of it."""
        what = f"{width}x{height} at {rate}"
        table = self._tables[sensor - 1] if 1 <= sensor <= len(self._tables) else {}
        choice = table.get((width, height), {}).get(rate)
        if choice is None:
            raise DeviceFailure(f"Sensor {sensor} cannot do {what}")
        with told(what):
            if len(self._tables) > 1 and self._node.input() != sensor - 1:
                self._node.choose_input(sensor - 1)
                # Each input may have ranges of its own (V4L2_EVENT_CTRL_CH_RANGE).
                self._controls = controls_of(self._node)
            got = self._node.set_format(width, height, choice.code)
            if (got.width, got.height, got.code) != (width, height, choice.code):
                raise DeviceFailure(
                    f"{what}: the camera delivers {got.code} {got.width}x{got.height} instead"
                )
            interval = self._node.set_interval(choice.interval)
        if interval is not None and whole(interval) != rate:
            raise DeviceFailure(f"{what}: the camera delivers {whole(interval)} a second instead")
        return got

    def start(self) -> None:
        # Another program may have changed it meanwhile.
        chosen = self._chosen or self._usual()
        self._stream = Stream(self._node, self._choose(*chosen))

    def _usual(self) -> tuple[int, int, int, int]:
        """What to begin with: the first input's smallest size, at the usual rate or less."""
        sensor = next(index for index, table in enumerate(self._tables) if table)
        (width, height), rates = list(self._tables[sensor].items())[-1]
        rate = max((rate for rate in rates if rate <= DEFAULT_RATE), default=min(rates))
        return sensor + 1, width, height, rate

    def read(self, timeout: float) -> Frame | None:
        if self._stream is None:
            raise DeviceFailure("The camera takes no pictures")
        return self._stream.read(timeout)

    def stop(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.stop()

    def close(self) -> None:
        self.stop()
        self._node.close()


def _inputs(node: Node, prefer: str) -> tuple[tuple[str, ...], list[Modes]]:
    """The inputs' names, and what each can do. Afterwards the chosen one is as it was."""
    names = [name or f"Sensor {number}" for number, name in enumerate(node.inputs(), 1)]
    names = names[:_MAX_SENSORS] or ["Sensor 1"]
    if len(names) == 1:
        return (names[0],), [modes_of(offers_of(node), prefer)]
    present = node.input()
    tables: list[Modes] = []
    try:
        for index in range(len(names)):
            try:
                node.choose_input(index)
            except OSError as error:
                if error.errno not in UNKNOWN:
                    raise
                tables.append({})
            else:
                tables.append(modes_of(offers_of(node), prefer))
    finally:
        node.choose_input(present)
    return tuple(names), tables
