"""
A device node of a camera, and the V4L2 calls that the driver makes.

This is the one place where ``ioctl`` is called, with linuxpy's structures and
numbers. Its ``Device`` is not used: on some drivers it cannot list the formats,
and after a failed start or an unplug it does not let go of the buffers. Nothing
is kept here but the descriptor, so calls from several threads do no harm to
each other. All methods raise :exc:`OSError` as the kernel answers.

https://docs.kernel.org/userspace-api/media/v4l/user-func.html
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import select
from collections.abc import Iterator
from ctypes import c_int
from fractions import Fraction
from typing import Any, Final, Protocol

from attrs import frozen

from rotoclear.drivers.v4l2_errors import UNKNOWN

CAPTURE: Final = 1
"""V4L2_BUF_TYPE_VIDEO_CAPTURE."""

_MMAP: Final = 1
_MOST: Final = 256
"""Of formats, sizes, intervals and inputs: a driver whose list does not end must not stop us."""

_NS: Final = 1_000_000_000


@frozen
class Capability:
    """What VIDIOC_QUERYCAP says; ``flags`` are those of this node (``device_caps``)."""

    driver: str
    card: str
    bus: str
    flags: int


@frozen
class Control:
    """What VIDIOC_QUERYCTRL says of a control."""

    id: int
    type: int
    minimum: int
    maximum: int
    step: int
    default: int
    flags: int


@frozen
class Range:
    """
    Sizes or intervals from one to another.

    :ivar step: 0 or 1: anything between will do.
    """

    low: tuple[int, int]
    high: tuple[int, int]
    step: tuple[int, int]


@frozen
class Format:
    """
    What VIDIOC_S_FMT has set.

    :ivar code: a FourCC such as ``"YUYV"``.
    :ivar stride: bytes from one line to the next.
    """

    width: int
    height: int
    code: str
    stride: int


@frozen
class Buffer:
    """
    A buffer that was dequeued.

    :ivar time: nanoseconds.
    """

    index: int
    used: int
    flags: int
    sequence: int
    time: int


class View(Protocol):
    """A buffer's memory."""

    def close(self) -> None: ...


def code(number: int) -> str:
    """A FourCC's text."""
    return (number & 0x7FFFFFFF).to_bytes(4, "little").decode("latin-1")


def number(text: str) -> int:
    """A text's FourCC."""
    return int.from_bytes(text.encode("latin-1"), "little")


class Node:
    """
    An open node.

    :param raw: the module ``linuxpy.video.raw``.
    :param path: ``"/dev/video0"``.
    """

    def __init__(self, raw: Any, path: str) -> None:
        self._raw = raw
        self.path = path
        self._fd = self._open()

    def _open(self) -> int:
        return os.open(self.path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def reopen(self) -> None:
        """Open it anew, under the same descriptor: it lets go of what it held for us."""
        new = self._open()
        try:
            os.dup2(new, self._fd, inheritable=False)
        finally:
            os.close(new)

    def close(self) -> None:
        """Let go of it."""
        os.close(self._fd)

    def _ask(self, name: str, argument: Any) -> Any:
        fcntl.ioctl(self._fd, self._raw.IOC[name], argument)
        return argument

    # -- what it is ------------------------------------------------------------

    def capability(self) -> Capability:
        answer = self._ask("QUERYCAP", self._raw.v4l2_capability())
        flags = answer.capabilities
        if flags & self._raw.Capability.DEVICE_CAPS:
            flags = answer.device_caps
        return Capability(_text(answer.driver), _text(answer.card), _text(answer.bus_info), flags)

    def inputs(self) -> list[str]:
        """Their names."""
        return [_text(item.name) for item in self._all("ENUMINPUT", self._raw.v4l2_input())]

    def formats(self) -> list[str]:
        """Their FourCCs."""
        asked = self._raw.v4l2_fmtdesc(type=CAPTURE)
        return [code(item.pixelformat) for item in self._all("ENUM_FMT", asked)]

    def sizes(self, fourcc: str) -> list[tuple[int, int] | Range]:
        """Widths and heights."""
        result: list[tuple[int, int] | Range] = []
        asked = self._raw.v4l2_frmsizeenum(pixel_format=number(fourcc))
        for item in self._all("ENUM_FRAMESIZES", asked):
            if item.type == self._raw.Frmsizetypes.DISCRETE:
                result.append((item.m1.discrete.width, item.m1.discrete.height))
                continue
            steps = item.m1.stepwise
            result.append(
                Range(
                    (steps.min_width, steps.min_height),
                    (steps.max_width, steps.max_height),
                    (steps.step_width, steps.step_height),
                )
            )
            break  # there is only one of these
        return result

    def intervals(
        self, fourcc: str, width: int, height: int
    ) -> list[Fraction | tuple[Fraction, Fraction]]:
        """Seconds from one picture to the next: single ones, or shortest and longest."""
        result: list[Fraction | tuple[Fraction, Fraction]] = []
        asked = self._raw.v4l2_frmivalenum(pixel_format=number(fourcc), width=width, height=height)
        for item in self._all("ENUM_FRAMEINTERVALS", asked):
            if item.type == self._raw.Frmivaltypes.DISCRETE:
                single = _fraction(item.m1.discrete)
                if single:
                    result.append(single)
                continue
            low, high = _fraction(item.m1.stepwise.min), _fraction(item.m1.stepwise.max)
            if high:
                result.append((low or high, high))
            break
        return result

    def _all(self, name: str, asked: Any) -> Iterator[Any]:
        for index in range(_MOST):
            asked.index = index
            try:
                self._ask(name, asked)
            except OSError as error:
                if error.errno in UNKNOWN:
                    return
                raise
            yield asked

    # -- controls --------------------------------------------------------------

    def control(self, number: int) -> Control | None:
        """What it says of a control, or ``None`` if it has none of that number."""
        try:
            answer = self._ask("QUERYCTRL", self._raw.v4l2_queryctrl(id=number))
        except OSError as error:
            if error.errno in UNKNOWN:
                return None
            raise
        return Control(
            number,
            answer.type,
            answer.minimum,
            answer.maximum,
            answer.step,
            answer.default_value,
            answer.flags,
        )

    def menu(self, control: Control) -> frozenset[int]:
        """The entries of a menu that can be chosen."""
        entries = set()
        for index in range(max(control.minimum, 0), min(control.maximum, _MOST) + 1):
            try:
                self._ask("QUERYMENU", self._raw.v4l2_querymenu(id=control.id, index=index))
            except OSError as error:
                if error.errno not in UNKNOWN:
                    raise
            else:
                entries.add(index)
        return frozenset(entries)

    def get(self, number: int) -> int:
        """A control's value."""
        return int(self._ask("G_CTRL", self._raw.v4l2_control(id=number)).value)

    def set(self, number: int, value: int) -> None:
        """Set a control."""
        self._ask("S_CTRL", self._raw.v4l2_control(id=number, value=value))

    # -- what it delivers ------------------------------------------------------

    def input(self) -> int:
        """The chosen input; 0 if it knows of none."""
        answer = c_int()
        try:
            self._ask("G_INPUT", answer)
        except OSError as error:
            if error.errno not in UNKNOWN:
                raise
        return answer.value

    def choose_input(self, index: int) -> None:
        self._ask("S_INPUT", c_int(index))

    def set_format(self, width: int, height: int, fourcc: str) -> Format:
        """Ask for a format; what has come of it."""
        asked = self._raw.v4l2_format(type=CAPTURE)
        asked.fmt.pix.width = width
        asked.fmt.pix.height = height
        asked.fmt.pix.pixelformat = number(fourcc)
        asked.fmt.pix.field = self._raw.Field.NONE
        pix = self._ask("S_FMT", asked).fmt.pix
        return Format(pix.width, pix.height, code(pix.pixelformat), pix.bytesperline)

    def interval(self) -> Fraction | None:
        """Seconds from one picture to the next, or ``None`` if it does not know."""
        asked = self._raw.v4l2_streamparm(type=CAPTURE)
        try:
            self._ask("G_PARM", asked)
        except OSError as error:
            if error.errno in UNKNOWN:
                return None
            raise
        return _fraction(asked.parm.capture.timeperframe)

    def set_interval(self, interval: Fraction) -> Fraction | None:
        """Ask for one; what has come of it, or ``None`` if it cannot be told anything."""
        asked = self._raw.v4l2_streamparm(type=CAPTURE)
        asked.parm.capture.timeperframe.numerator = interval.numerator
        asked.parm.capture.timeperframe.denominator = interval.denominator
        try:
            self._ask("S_PARM", asked)
        except OSError as error:
            if error.errno == errno.ENOTTY:
                return None
            raise
        return _fraction(asked.parm.capture.timeperframe)

    # -- pictures --------------------------------------------------------------

    def request(self, count: int) -> int:
        """Have that many buffers, or with 0 none; how many there are."""
        asked = self._raw.v4l2_requestbuffers(type=CAPTURE, memory=_MMAP, count=count)
        return int(self._ask("REQBUFS", asked).count)

    def map(self, index: int) -> mmap.mmap:
        """A buffer's memory."""
        asked = self._raw.v4l2_buffer(type=CAPTURE, memory=_MMAP, index=index)
        self._ask("QUERYBUF", asked)
        return mmap.mmap(self._fd, asked.length, offset=asked.m.offset)

    def queue(self, index: int) -> None:
        """Let the camera fill a buffer."""
        self._ask("QBUF", self._raw.v4l2_buffer(type=CAPTURE, memory=_MMAP, index=index))

    def dequeue(self) -> Buffer | None:
        """The next buffer that is full, or ``None`` if none is."""
        asked = self._raw.v4l2_buffer(type=CAPTURE, memory=_MMAP)
        try:
            self._ask("DQBUF", asked)
        except BlockingIOError:
            return None
        stamp = asked.timestamp.secs * _NS + asked.timestamp.usecs * 1000
        return Buffer(asked.index, asked.bytesused, asked.flags, asked.sequence, stamp)

    def wait(self, timeout: float) -> bool:
        """
        Wait until a buffer is full.

        :param timeout: seconds.
        :return: whether there is something, be it an error.
        """
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        return bool(poll.poll(max(0, round(timeout * 1000))))

    def stream_on(self) -> None:
        self._ask("STREAMON", c_int(CAPTURE))

    def stream_off(self) -> None:
        self._ask("STREAMOFF", c_int(CAPTURE))


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").strip()


def _fraction(fract: Any) -> Fraction | None:
    if not fract.numerator or not fract.denominator:
        return None
    return Fraction(fract.numerator, fract.denominator)
