"""
What the server and the process that handles a volume's files say to each other.

As :mod:`rotoclear.processes.framing` has it, over one stream socket (descriptor 3). Names
are relative to the volume.
"""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

MAX_MESSAGE: Final = 2 * 2**20
"""Bytes of a message."""

MAX_READ: Final = 2**20
"""Bytes that may be asked for at once."""


class _Message(Struct, tag_field="is", frozen=True):
    """Common to all messages."""


class Open(_Message, frozen=True, tag="open"):
    """Open a file for reading. The answer is its :class:`Opened`."""

    request: int
    name: str


class Read(_Message, frozen=True, tag="read"):
    """Read from an open file. The answer is bytes, fewer at its end."""

    request: int
    handle: int
    offset: int
    length: int


class Close(_Message, frozen=True, tag="close"):
    """Let go of an open file. Not answered."""

    handle: int


class Remove(_Message, frozen=True, tag="remove"):
    """
    Remove a file, and the folders that are empty then. One that is not there is removed.

    :ivar unfinished: likewise the one with ``.part`` behind its name; while someone has it
        in hand all is refused as ``busy``.
    """

    request: int
    name: str
    unfinished: bool = False


class Digest(_Message, frozen=True, tag="digest"):
    """The answer is the file's SHA-256 in hexadecimal. It may take minutes."""

    request: int
    name: str


class Adopt(_Message, frozen=True, tag="adopt"):
    """
    Look after a film that may not have been closed.

    One with ``.part`` behind its name is cut behind its last whole fragment, if it was
    not closed, and gets its name. The answer is an :class:`Adopted`, or ``None`` if there is
    nothing to play: then nothing is left of it.

    :ivar patience: seconds for which whoever still writes it is waited for; after
        that it is refused as ``busy``.
    """

    request: int
    name: str
    patience: float


class Parts(_Message, frozen=True, tag="parts"):
    """
    The answer is the names of all films with ``.part`` behind their names, without it.

    Pictures with ``.part`` that nobody writes any more are removed.
    """

    request: int


class Sizes(_Message, frozen=True, tag="sizes"):
    """
    The answer is the size of each file, or -1 for those that are not there.

    ``None`` for those of which the volume does not tell.
    """

    request: int
    names: tuple[str, ...]


ToFiles = Open | Read | Close | Remove | Digest | Adopt | Parts | Sizes


class Opened(Struct, frozen=True):
    """An open file, of so many bytes."""

    handle: int
    size: int


class Adopted(Struct, frozen=True):
    """
    A film that can be played.

    :ivar modified: seconds since 1970, when it was last written.
    :ivar cut: it was not closed: something may be missing at its end.
    """

    size: int
    duration: float
    width: int
    height: int
    frames: int
    modified: float
    cut: bool


Kind = Literal["missing", "busy", "damaged", "failed"]
"""
Why something was refused: there is no such file; someone still writes it; it is not
what it should be, and never will; or, for now, it did not work.
"""


class Answer(_Message, frozen=True, tag="answer"):
    """What was asked is done."""

    request: int
    result: object = None


class Refused(_Message, frozen=True, tag="refused"):
    """It went wrong. ``message`` is for people."""

    request: int
    message: str
    kind: Kind


FromFiles = Answer | Refused
