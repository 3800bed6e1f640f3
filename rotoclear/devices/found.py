"""What the scan's child tells the server of a module: data, never a plugin's objects."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from attrs import fields_dict
from msgspec import Struct

from rotoclear.devices.kinds import DriverKind
from rotoclear.interfaces import DriverKey, Match, Option
from rotoclear.values import Boolean, Choice, Integer, Text, ValueType


class FoundDriver(Struct, frozen=True):
    """One driver of a module; see :class:`~rotoclear.devices.plugin.Plugin`."""

    name: str
    attribute: str
    kind: DriverKind | None = None
    simulated: bool = False
    matches: tuple[Match, ...] = ()
    options: tuple[Option, ...] = ()
    keys: tuple[DriverKey, ...] = ()
    reason: str = ""


class Result(Struct, frozen=True):
    """
    All that there is to say of a module.

    :ivar distribution: who has installed it: name and version, else the file.
    :ivar files: those besides its own that its drivers are written in.
    :ivar plugins: the drivers in it.
    :ivar reason: why it could not be looked into, for people.
    """

    distribution: str
    files: tuple[str, ...] = ()
    plugins: tuple[FoundDriver, ...] = ()
    reason: str = ""


_TYPES: Final[dict[frozenset[str], type[ValueType]]] = {
    frozenset(fields_dict(kind)): kind for kind in (Boolean, Integer, Choice, Text)
}
"""The types that a driver's key may have, told apart by what they consist of."""


def value_type(wanted: type, raw: Any) -> Any:
    """Make a key's type of its data: a ``dec_hook`` of msgspec's."""
    if wanted is not ValueType:
        raise NotImplementedError(wanted)
    return msgspec.convert(raw, _TYPES[frozenset(raw)])


def decode(data: bytes) -> Result | None:
    """A child's words; ``None`` if they make no sense."""
    try:
        return msgspec.json.decode(data, type=Result, dec_hook=value_type)
    except (msgspec.MsgspecError, ValueError, KeyError, TypeError):
        return None
