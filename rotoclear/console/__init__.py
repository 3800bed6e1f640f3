"""
The page in the browser, as files that are served as they are: nothing is built.

They are read once, before the server takes connections, and kept in memory, also compressed:
together they are smaller than one picture, and no address from outside becomes a file name.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from attrs import frozen

CONTENT_TYPES: Final[Mapping[str, bytes]] = {
    ".css": b"text/css; charset=utf-8",
    ".html": b"text/html; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml",
    ".ts": b"text/plain; charset=utf-8",
    ".webmanifest": b"application/manifest+json",
}
"""What is served, by the end of its name; all else in the folder (this module) is not."""


@frozen
class Asset:
    """
    A file of the page.

    :ivar tag: names this version (an ``ETag``, RFC 9110 8.8.3).
    :ivar packed: it with gzip.
    """

    content: bytes
    packed: bytes
    tag: bytes
    content_type: bytes


@functools.cache
def assets() -> Mapping[str, Asset]:
    """
    All files, by their names: ``"index.html"``, ``"app/main.js"``.

    The first call reads them, and blocks for some milliseconds.
    """
    root = files(__package__)
    return {**_read(root, ""), **_read(root / "app", "app/")}


def _read(folder: Traversable, prefix: str) -> dict[str, Asset]:
    return {
        prefix + file.name: _asset(file, CONTENT_TYPES[suffix])
        for file in folder.iterdir()
        if (suffix := "." + file.name.rpartition(".")[2]) in CONTENT_TYPES and file.is_file()
    }


def _asset(file: Traversable, content_type: bytes) -> Asset:
    content = file.read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:32]
    # Without the time in it: the same file is the same bytes, on whatever day.
    packed = gzip.compress(content, 9, mtime=0)
    return Asset(content, packed, f'"{digest}"'.encode("ascii"), content_type)
