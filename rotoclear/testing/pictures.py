"""Whether pictures are what they should be."""

from __future__ import annotations

import time
from typing import Final

from attrs import define, field

from rotoclear.devices.ring import Picture
from rotoclear.interfaces import CameraDescription
from rotoclear.testing.fault import Fault
from rotoclear.testing.jpeg import size_of

HOUR: Final = 3_600_000_000_000


@define
class Album:
    """
    Pictures of one camera, from its start on.

    :ivar width: that was chosen, as the height.
    """

    identity: str
    description: CameraDescription
    width: int
    height: int
    _began: int = field(factory=time.monotonic_ns)
    _last: Picture | None = None

    def add(self, picture: Picture) -> None:
        """
        The next picture.

        :raises Fault: it is wrong.
        """
        self._look(picture)
        self._time(picture)
        last, self._last = self._last, picture
        if last is None:
            return
        if picture.timestamp <= last.timestamp:
            raise Fault(
                f"A picture of {self.identity} was taken at {picture.timestamp}, after one that "
                f"was taken at {last.timestamp}: timestamps must rise.",
                where="Frame.timestamp",
                asks="nanoseconds of CLOCK_MONOTONIC when it was taken",
                mend="use the driver's own timestamp of the buffer, and return each picture once",
            )
        if picture.sequence <= last.sequence:
            raise Fault(
                f"A picture of {self.identity} has the sequence number {picture.sequence}, after "
                f"one with {last.sequence}: they must rise.",
                where="Frame.sequence",
                asks="it counts what the camera has taken since start(), those too that were lost",
                mend="count up, from start() to stop(), and return each picture once",
            )

    def _look(self, picture: Picture) -> None:
        if picture.format not in self.description.formats:
            raise Fault(
                f"A picture of {self.identity} is in {picture.format}, and the description names "
                f"{', '.join(self.description.formats)}.",
                where="Frame.format",
                asks="one of the description's formats",
                mend="name all formats that may come in the description",
            )
        size = (picture.width, picture.height)
        if picture.format == "mjpeg":
            size = size_of(picture.data) or size
        if (picture.width, picture.height) != size:
            raise Fault(
                f"A picture of {self.identity} says that it is {picture.width}x{picture.height}, "
                f"and the JPEG in it is {size[0]}x{size[1]}.",
                where="Frame.width",
                asks="the picture's size in pixels",
                mend="say what the camera delivers",
            )
        if size != (self.width, self.height):
            raise Fault(
                f"A picture of {self.identity} is {size[0]}x{size[1]}, and {self.width}x"
                f"{self.height} was chosen with select().",
                where="ICamera.select",
                asks="return when the head delivers what was chosen",
                mend="apply what select() was told in start() at the latest, and raise "
                "DeviceFailure if the hardware chose something else (VIDIOC_S_FMT may)",
            )

    def _time(self, picture: Picture) -> None:
        now = time.monotonic_ns()
        if self._began - 1_000_000_000 <= picture.timestamp <= now:
            return
        if abs(picture.timestamp - time.time_ns()) < HOUR:
            clock = "the wall clock's (CLOCK_REALTIME)"
        else:
            clock = f"{(picture.timestamp - now) / 1e9:+.3f} s from now"
        raise Fault(
            f"The timestamp of a picture of {self.identity} is {picture.timestamp}, {clock}.",
            where="Frame.timestamp",
            asks="nanoseconds of CLOCK_MONOTONIC when it was taken",
            mend="take time.monotonic_ns(), or the kernel's timestamp if the buffer says that it "
            "is a monotonic one (V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC)",
        )
