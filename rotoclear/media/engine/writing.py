"""
What the engine and the process that writes a film say to each other.

Over one stream socket, as :mod:`rotoclear.processes.framing` has it. One process writes
one file: closing a long one, and a disk that hangs, hold up nobody but it.
"""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

CLOCK_RATE: Final = 90_000
"""Ticks of a film's time in a second."""

PART: Final = ".part"
"""What is behind a film's name while it is being written."""

MAX_MESSAGE: Final = 32 * 2**20
"""Bytes of a message: one encoded picture."""


class _Message(Struct, tag_field="is", frozen=True):
    """Common to all messages."""


class Begin(_Message, frozen=True, tag="begin"):
    """
    Open a file. Comes first, once.

    :ivar volume: the folder to put it in, absolute; it gets a name of its own there.
    :ivar began: seconds since 1970: its name tells.
    :ivar reserve: bytes that must stay free on its volume.
    """

    volume: str
    began: float
    width: int
    height: int
    rate: int
    title: str
    reserve: int


class Packet(_Message, frozen=True, tag="packet"):
    """One encoded picture, in Annex B form. ``time`` is in ticks from the beginning."""

    time: int
    key: bool
    data: bytes


class End(_Message, frozen=True, tag="end"):
    """
    Close the file and give it its name.

    The end of the stream closes it, too, but leaves its name: the engine has died.
    """


ToWriter = Begin | Packet | End


class Waiting(_Message, frozen=True, tag="waiting"):
    """The process has started. Comes first."""


class Began(_Message, frozen=True, tag="began"):
    """The first picture is in the file. ``file`` will be its name, relative to the volume."""

    file: str
    began: float
    width: int
    height: int
    rate: int


class Done(_Message, frozen=True, tag="done"):
    """
    The file is complete, on the disk, and has its final name.

    :ivar duration: seconds that it plays.
    :ivar failed: why it is shorter than it should be, for people.
    """

    size: int
    duration: float
    frames: int
    failed: str = ""


class Hashed(_Message, frozen=True, tag="hashed"):
    """The file's SHA-256, in hexadecimal. Comes last."""

    sha256: str


class Trouble(_Message, frozen=True, tag="trouble"):
    """No more can be written, for people: :class:`Done` comes if something can be saved."""

    kind: Literal["full", "gone", "failed"]
    reason: str


FromWriter = Waiting | Began | Done | Hashed | Trouble


class Over(Struct, frozen=True):
    """The process has ended, with this status; never sent."""

    status: int
