"""
What the server and the process that pushes the film say to each other.

Over one stream socket, as :mod:`rotoclear.processes.framing` has it. One process is
one connection to the other server: a library that waits for it holds up nobody.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct, field

MAX_MESSAGE: Final = 32 * 2**20
"""Bytes of a message: one encoded picture."""


class _Message(Struct, tag_field="is", frozen=True):
    """Common to all messages."""


class Begin(_Message, frozen=True, tag="begin"):
    """
    Where to push to. Comes first, once. The address may hold a password.

    :ivar authorities: a file with the certificates that are trusted; ``""``: the system's.
    """

    url: str
    authorities: str = ""


class Packet(_Message, frozen=True, tag="packet"):
    """One picture in Annex B form; the first is a keyframe. ``time`` is in nanoseconds."""

    time: int
    key: bool
    data: bytes = field(default=b"")


ToPublisher = Begin | Packet


class Ready(_Message, frozen=True, tag="ready"):
    """It has loaded its libraries, and takes pictures from now on."""


class Pushed(_Message, frozen=True, tag="pushed"):
    """So many pictures have been taken by the other server; sent for each."""

    frames: int


class Failed(_Message, frozen=True, tag="failed"):
    """It is over, for people; no address in it. The process ends."""

    reason: str


FromPublisher = Ready | Pushed | Failed
