"""Messages of ``/api/v1``, as a client writes and reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from attrs import frozen

from rotoclear.values import Value

Message = dict[str, object]

API_PATH: Final = "/api/v1"
LIVE_PATH: Final = "/api/live"

MAX_MESSAGE: Final = {API_PATH: 4 * 2**20, LIVE_PATH: 64 * 2**20}
"""Bytes of a message that is read. What the server sends is far smaller."""


@frozen
class Login:
    """
    Who one is.

    :ivar username: ``""`` for who has not logged in.
    :ivar permissions: names such as ``"Device_rw"``.
    :ivar token: logs in again, until it expires.
    :ivar expires: when that is if nobody uses it, ISO 8601.
    """

    username: str = ""
    role: str = "anonymous"
    permissions: frozenset[str] = frozenset()
    token: str | None = None
    expires: str = ""

    def __repr__(self) -> str:
        return f"<Login of {self.username or 'nobody'} ({self.role})>"


def encode(message: Mapping[str, object]) -> str:
    """
    A message as text.

    :raises ValueError: there is something in it that JSON does not have.
    """
    try:
        return json.dumps(message, separators=(",", ":"), allow_nan=False)
    except TypeError as error:
        raise ValueError(f"A value must be a boolean, a number or a text: {error}") from None


def decode(text: str) -> Message | None:
    """A message of the server's; ``None`` if it is none."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


def state_of(message: Mapping[str, object]) -> dict[str, Value]:
    """The keys and values in an answer, without what else is in it."""
    return {
        name: value
        for name, value in message.items()
        if name not in ("id", "info") and isinstance(value, bool | int | str)
    }


def permissions_of(message: Mapping[str, object]) -> frozenset[str]:
    """The permissions in it."""
    found = message.get("permissions")
    return frozenset(map(str, found)) if isinstance(found, list) else frozenset()


def login_of(message: Mapping[str, object]) -> Login:
    """Who one is by an answer to a login that went well."""
    return Login(
        username=str(message.get("username", "")),
        role=str(message.get("role", "")),
        permissions=permissions_of(message),
        token=str(message.get("token", "")) or None,
        expires=str(message.get("expires", "")),
    )
