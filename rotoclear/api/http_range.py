"""Parts of files: ``Range``, ``If-Range`` and ``If-None-Match`` (RFC 9110 13 and 14)."""

from __future__ import annotations

import re
from typing import Final

from attrs import frozen

_RANGE: Final = re.compile(rb"bytes *= *(\d{0,19}) *- *(\d{0,19})", re.IGNORECASE)


@frozen
class Span:
    """
    Some of a file.

    :ivar begin: its first byte.
    :ivar end: the one behind its last.
    """

    begin: int
    end: int


class Unsatisfiable(Exception):
    """The file has nothing there."""


def requested(value: bytes | None, size: int) -> Span | None:
    """
    What a ``Range`` header asks for.

    :param size: of the file, in bytes.
    :return: ``None``: all of it. Several ranges at once are not served, which a
        server is free to do, nor is what is no range: then all of it is, too.
    :raises Unsatisfiable: the file has nothing there.
    """
    match = _RANGE.fullmatch(value.strip()) if value is not None else None
    if match is None or match[1] == match[2] == b"":
        return None
    if not match[1]:
        length = min(int(match[2]), size)
        if not length:
            raise Unsatisfiable
        return Span(size - length, size)
    first = int(match[1])
    last = int(match[2]) if match[2] else size - 1
    if match[2] and last < first:
        return None
    if first >= size:
        raise Unsatisfiable
    return Span(first, min(last + 1, size))


def names(value: bytes | None, tag: bytes) -> bool:
    """Whether ``If-None-Match`` names this version."""
    if value is None:
        return False
    listed = [entry.strip().removeprefix(b"W/") for entry in value.split(b",")]
    return tag in listed or b"*" in listed
