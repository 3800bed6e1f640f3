"""
The lines on the control socket: one JSON object each, ended by a newline.

A request is ``{"do": NAME, ...}``; its answer is ``{"ok": true, ...}`` or
``{"ok": false, "error": TEXT}``. Requests on one connection are answered in
their order. Both ends use this module, so it imports nothing that is slow to
load; the server reads as strictly as the API does
(:mod:`rotoclear.api.strict_json`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

SOCKET_NAME = "control.sock"
"""The socket's name in the data folder."""

MAX_REQUEST = 65_536
"""Bytes of one request, without its newline."""

MAX_ANSWER = 16 * 2**20
"""Bytes of one answer that a client takes."""

_SUN_PATH = 107
"""Bytes that a socket's address can hold besides its final zero (unix(7))."""


def encode(message: Mapping[str, object]) -> bytes:
    """
    One line, with its newline.

    :raises TypeError: a value that JSON does not have.
    :raises ValueError: likewise: a number that is not finite.
    """
    return json.dumps(message, allow_nan=False, separators=(",", ":")).encode("ascii") + b"\n"


@contextmanager
def address(path: Path) -> Iterator[str]:
    """
    An address for the socket at ``path``, however long that is.

    A socket's address is short; a longer path is gone through an open
    descriptor of its folder, so the address is good within the ``with`` only.

    :raises OSError: the folder of a long path cannot be opened.
    """
    if len(os.fsencode(path)) <= _SUN_PATH:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
