"""
What the server and a driver's process say to each other.

Over one stream socket, in both directions, as :mod:`rotoclear.processes.framing`
has it: one of the structs below in each frame.
Numbers of devices and of requests are the server's choice; it uses none twice
within the life of a process.
"""

from __future__ import annotations

from typing import Final, Literal, TypeVar

from msgspec import Struct

from rotoclear.interfaces import UdevDevice
from rotoclear.processes.framing import Unpacker, pack
from rotoclear.values import Value

MAX_FRAME: Final = 1_048_576
"""Bytes of the longest frame, its length not counted."""

MAX_TEXT: Final = 2_000
"""Characters of a message for people; the sender cuts it."""

MAX_TRACEBACK: Final = 16_000
"""Characters of a traceback; the sender keeps its end."""


class _Message(Struct, tag_field="is", frozen=True, array_like=False):
    """Common to all messages: told apart by the name of their struct."""


# -- from the server -----------------------------------------------------------


class Start(_Message, frozen=True, tag="start"):
    """
    Comes first, once. Answered with :class:`Started`, or :class:`Stopped` and the end.

    The options are those of the configuration; the driver's defaults fill them up.
    """

    options: dict[str, object]
    data_dir: str = ""
    devices: tuple[UdevDevice, ...] = ()


class Present(_Message, frozen=True, tag="present"):
    """The devices of the kernel's that the driver is for, whenever they have changed."""

    devices: tuple[UdevDevice, ...]


class Open(_Message, frozen=True, tag="open"):
    """Open a device and have it describe itself. The :class:`Answer` is the description."""

    request: int
    device: int
    identity: str


class Call(_Message, frozen=True, tag="call"):
    """Call a method of an open device: one of :data:`METHODS` of its kind."""

    request: int
    device: int
    method: str
    arguments: tuple[Value, ...] = ()


class Stream(_Message, frozen=True, tag="stream"):
    """
    Send a camera's frames to one more viewer, over the socket that comes with this message.

    The descriptor is the oldest that was received and not used yet. Answered when
    the viewer has been added; what comes over that socket is
    :mod:`rotoclear.devices.ring`'s affair. The viewer ends it by closing its end.
    """

    request: int
    device: int


class SetKey(_Message, frozen=True, tag="set-key"):
    """Set one of the driver's own keys."""

    request: int
    name: str
    value: Value


class Close(_Message, frozen=True, tag="close"):
    """Close a device, once what was asked of it before is done."""

    request: int
    device: int


class Simulate(_Message, frozen=True, tag="simulate"):
    """Have a simulated device misbehave; see ``ISimulated``."""

    request: int
    action: str
    identity: str
    arguments: dict[str, Value]


class Stop(_Message, frozen=True, tag="stop"):
    """Close everything and end. The server waits a second, not longer."""


ToHost = Start | Present | Open | Call | Stream | SetKey | Close | Simulate | Stop

# -- from the driver's process -------------------------------------------------


class Started(_Message, frozen=True, tag="started"):
    """The driver has been loaded and started."""

    name: str
    kind: str
    simulated: bool


class Stopped(_Message, frozen=True, tag="stopped"):
    """
    The driver could not be loaded or started: the process ends.

    ``unusable``: it would not help to try again.
    """

    message: str
    traceback: str = ""
    unusable: bool = False


class Found(_Message, frozen=True, tag="found"):
    """What ``find`` has named. Comes about twice a second; that it comes is a sign of life."""

    identities: tuple[str, ...]


class Lost(_Message, frozen=True, tag="lost"):
    """``find`` failed. Comes in place of :class:`Found`."""

    message: str
    traceback: str = ""


class Answer(_Message, frozen=True, tag="answer"):
    """What was asked is done; what the method returned."""

    request: int
    result: object = None


class Refused(_Message, frozen=True, tag="refused"):
    """
    What was asked went wrong.

    ``failure``: the device refused; ``gone``: it is not there any more;
    ``value``: no such thing can be simulated; ``fault``: the driver is at
    fault, and its traceback is there.
    """

    request: int
    reason: Literal["failure", "gone", "value", "fault"]
    message: str
    traceback: str = ""


class Published(_Message, frozen=True, tag="published"):
    """One of the driver's own keys holds this now."""

    name: str
    value: Value


class Record(_Message, frozen=True, tag="record"):
    """Something for the log; ``level`` is one of :mod:`logging`'s numbers."""

    level: int
    text: str


FromHost = Started | Stopped | Found | Lost | Answer | Refused | Published | Record

METHODS: Final = {
    "camera": frozenset({"set", "select", "probe", "capture"}),
    "light": frozenset({"switch", "probe"}),
    "storage": frozenset({"usage", "probe"}),
}
"""What may be called, by the driver's kind."""

RESULTS: Final = frozenset({"usage", "capture"})
"""The methods whose result is of interest; the others' is dropped."""

# -- frames --------------------------------------------------------------------


def frame(message: ToHost | FromHost) -> bytes:
    """
    One message, ready to be sent.

    :raises WireError: it cannot be encoded or is too long.
    """
    return pack(message, MAX_FRAME)


M = TypeVar("M", ToHost, FromHost)


class Reader(Unpacker[M]):
    """
    Takes messages out of a stream.

    :param messages: the union of what the other side may say.
    """

    def __init__(self, messages: type[M]) -> None:
        super().__init__(messages, MAX_FRAME)  # type: ignore[arg-type]


def cut(text: str, length: int = MAX_TEXT) -> str:
    """A text for people, not longer than it may be, and such as can be sent."""
    text = text if len(text) <= length else text[: length - 1] + "\N{HORIZONTAL ELLIPSIS}"
    # Half a surrogate pair, as file names that are no UTF-8 have, cannot be encoded.
    return text.encode("utf-8", "replace").decode("utf-8")
