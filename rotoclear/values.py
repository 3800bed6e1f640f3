"""
What a state key may hold.

A value type takes what came off the wire and returns the one canonical form
of it, or says in words what is allowed. JSON has one number type, Python has
three: here ``75.0`` is the integer 75, ``75.5`` is refused, and neither is
``true`` a number nor ``1`` a boolean.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping

from attrs import field, frozen

Value = bool | int | str
"""A canonical value: what the model holds and what goes onto the wire."""

Schema = dict[str, object]
"""A JSON Schema (draft 2020-12) fragment."""


class InvalidValue(ValueError):
    """
    A value that a key cannot take.

    ``str()`` of it is for people and names what is allowed.
    """


class ValueType(ABC):
    """How one key's values look."""

    @abstractmethod
    def parse(self, raw: object) -> Value:
        """
        Return the canonical form of a decoded JSON value.

        :raises InvalidValue: with a message that names what is allowed.
        """

    def restore(self, saved: object) -> Value:
        """
        Return a value that was canonical when it was saved.

        :raises InvalidValue: it cannot have been.
        """
        return self.parse(saved)

    @abstractmethod
    def schema(self) -> Schema:
        """The JSON Schema of the canonical values, as they are sent to clients."""

    def input_schema(self) -> Schema:
        """The JSON Schema of what :meth:`parse` takes: the canonical values or more."""
        return self.schema()


@frozen
class Boolean(ValueType):
    """``true`` or ``false``, nothing that merely looks like it."""

    def parse(self, raw: object) -> Value:
        if isinstance(raw, bool):
            return raw
        raise InvalidValue("Value must be true or false")

    def schema(self) -> Schema:
        return {"type": "boolean"}


@frozen
class Integer(ValueType):
    """
    A whole number within bounds.

    :ivar minimum: the least that it may be, not under -(2**53 - 1).
    :ivar maximum: the most that it may be, not over 2**53 - 1.
    :ivar unit: what is counted, for people (``"bytes"``), or ``""``.
    :ivar choices: the numbers that can be had, ascending, or empty when all can.
    """

    minimum: int
    maximum: int
    unit: str = ""
    choices: tuple[int, ...] = ()

    def parse(self, raw: object) -> Value:
        if isinstance(raw, float) and raw.is_integer():
            raw = int(raw)
        if isinstance(raw, bool) or not isinstance(raw, int):
            raise InvalidValue(
                f"Value must be an integer between {self.minimum} and {self.maximum}"
            )
        if not self.minimum <= raw <= self.maximum:
            raise InvalidValue(f"Value must be between {self.minimum} and {self.maximum}")
        if self.choices and raw not in self.choices:
            raise InvalidValue(f"Value must be one of {_listed(map(str, self.choices))}")
        return raw

    def schema(self) -> Schema:
        if self.choices:
            return {"type": "integer", "enum": list(self.choices)}
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}


@frozen
class Choice(ValueType):
    """
    One of a few names.

    :ivar choices: the names.
    """

    choices: tuple[str, ...]

    def parse(self, raw: object) -> Value:
        if isinstance(raw, str) and raw in self.choices:
            return raw
        raise InvalidValue(f"Value must be one of {_listed(self.choices)}")

    def schema(self) -> Schema:
        return {"type": "string", "enum": list(self.choices)}


@frozen
class Text(ValueType):
    """
    Any text up to a length.

    :ivar max_length: characters.
    """

    max_length: int

    def parse(self, raw: object) -> Value:
        if isinstance(raw, str) and len(raw) <= self.max_length:
            return raw
        raise InvalidValue(f"Value must be a text of at most {self.max_length} characters")

    def schema(self) -> Schema:
        return {"type": "string", "maxLength": self.max_length}


_SIZE = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})", re.ASCII)


@frozen
class Size(ValueType):
    """
    A picture's size, ``"WIDTHxHEIGHT"`` in pixels.

    :ivar choices: the sizes that can be had, or empty when nobody knows yet
        and any size that is one will do.
    """

    choices: tuple[str, ...] = ()

    def parse(self, raw: object) -> Value:
        if self.choices:
            if isinstance(raw, str) and raw in self.choices:
                return raw
            raise InvalidValue(f"Value must be one of {_listed(self.choices)}")
        if isinstance(raw, str) and _SIZE.fullmatch(raw):
            return raw
        raise InvalidValue('Value must be a size such as "1920x1080" (width x height in pixels)')

    def schema(self) -> Schema:
        if self.choices:
            return {"type": "string", "enum": list(self.choices)}
        return {"type": "string", "pattern": f"^{_SIZE.pattern}$"}


def pixels(size: str) -> tuple[int, int]:
    """
    Width and height of a canonical :class:`Size` value.

    :raises InvalidValue: it is none.
    """
    match = _SIZE.fullmatch(size)
    if match is None:
        raise InvalidValue(f"{size!r} is not a size such as 1920x1080")
    return int(match[1]), int(match[2])


@frozen
class Mode(ValueType):
    """
    An automatic function: on, off, or one of the modes that the device names.

    :ivar names: the device's own mode names; ``"on"``, ``"auto"``, ``"off"``
        and ``"manual"`` are never among them, they mean ``true`` and ``false``.
    """

    names: tuple[str, ...] = ()
    _aliases: Mapping[str, bool] = field(
        init=False,
        repr=False,
        eq=False,
        factory=lambda: {"on": True, "auto": True, "off": False, "manual": False},
    )

    def parse(self, raw: object) -> Value:
        if isinstance(raw, bool):
            return raw
        if isinstance(raw, str):
            if raw in self._aliases:
                return self._aliases[raw]
            if raw in self.names:
                return raw
        raise InvalidValue(f"Value must be true, false or one of {_listed(self._accepted())}")

    def restore(self, saved: object) -> Value:
        # The camera that offers this mode may not be plugged in yet.
        return saved if isinstance(saved, str) else self.parse(saved)

    def _accepted(self) -> tuple[str, ...]:
        return (*self._aliases, *self.names)

    def schema(self) -> Schema:
        if not self.names:
            return {"type": "boolean"}
        return {"anyOf": [{"type": "boolean"}, {"type": "string", "enum": list(self.names)}]}

    def input_schema(self) -> Schema:
        return {"anyOf": [{"type": "boolean"}, {"type": "string", "enum": list(self._accepted())}]}


@frozen
class Recording(ValueType):
    """
    The state of the recorder: ``false``, ``true`` or ``"pause"``.

    ``"on"`` and ``"off"`` are taken for ``true`` and ``false``;
    ``"pause_release"`` is a step (from pause to running), not a state, and is
    returned as it is for the recorder to judge.
    """

    def parse(self, raw: object) -> Value:
        if isinstance(raw, bool):
            return raw
        if raw == "on":
            return True
        if raw == "off":
            return False
        if raw in ("pause", "pause_release"):
            return str(raw)
        raise InvalidValue('Value must be true, false, "on", "off", "pause" or "pause_release"')

    def schema(self) -> Schema:
        return {"anyOf": [{"type": "boolean"}, {"const": "pause"}]}

    def input_schema(self) -> Schema:
        names = ["on", "off", "pause", "pause_release"]
        return {"anyOf": [{"type": "boolean"}, {"type": "string", "enum": names}]}


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
