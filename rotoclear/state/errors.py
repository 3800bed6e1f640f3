"""Why a change or a query was refused: the wire's names for it, and the exceptions behind them."""

from __future__ import annotations

from typing import Final

from attrs import frozen

PERMISSION_DENIED: Final = "Permission denied"
"""Whoever asks may not write (or read) the key; read-only keys too."""
INVALID_VALUE: Final = "Invalid value"
"""Wrong type, out of range, or not one of the choices."""
UNKNOWN_KEY: Final = "Unknown key"
"""There is no such key."""
NOT_AVAILABLE: Final = "Not available"
"""Not now: no camera, no storage, a recording is running."""
DEVICE_ERROR: Final = "Device error"
"""The driver failed or did not answer; the key keeps its old value."""
INVALID_MESSAGE: Final = "Invalid message"
"""No message at all: not JSON, not an object, too deep, too many keys."""

MAX_KEY_ECHO: Final = 64
"""Characters of a key that an error repeats: what came from outside goes back cut."""


@frozen
class Refusal:
    """
    Why one key was not changed, or not shown.

    :ivar error: one of this module's names.
    :ivar key: the key, as it was asked for.
    :ivar message: for people: names the range, the choices, the permission.
    """

    error: str
    key: str
    message: str


class NotAvailable(Exception):
    """A change makes no sense right now. ``str()`` tells people why."""


class DeviceError(Exception):
    """A device failed at a change. ``str()`` tells people how."""
