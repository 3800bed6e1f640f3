"""
JSON Schemas of what goes over the wire, made from the key table.

Shared by the OpenAPI and the AsyncAPI document. They keep to words that JSON
Schema has had since draft 7, on which AsyncAPI 3.0 builds; OpenAPI 3.1 (draft
2020-12) reads them the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from rotoclear.api.strict_json import MAX_ID
from rotoclear.state.errors import (
    DEVICE_ERROR,
    INVALID_MESSAGE,
    INVALID_VALUE,
    MAX_KEY_ECHO,
    NOT_AVAILABLE,
    PERMISSION_DENIED,
    UNKNOWN_KEY,
)
from rotoclear.state.keys import Key, KeyTable
from rotoclear.state.permissions import PERMISSIONS, USER_ROLES
from rotoclear.values import (
    Boolean,
    Choice,
    Integer,
    Mode,
    Recording,
    Schema,
    Size,
    Text,
    Value,
    ValueType,
)

ID: Final[Schema] = {
    "description": "Whatever the client put into its message.",
    "anyOf": [{"type": "string", "maxLength": MAX_ID}, {"type": "integer"}],
}
"""The ``id`` that may accompany a message, and then comes back in each answer."""

SERVER_ERROR: Final = "Server error"
"""A fault of the server's own, which must not leave the client without an answer."""

ERRORS: Final[Mapping[str, str]] = {
    PERMISSION_DENIED: "The connection may not write (or read) the key; read-only keys too.",
    INVALID_VALUE: "Wrong type, out of range, or not one of the choices.",
    UNKNOWN_KEY: "There is no such key.",
    NOT_AVAILABLE: "Not right now: no camera, no storage, a recording is running.",
    DEVICE_ERROR: "The driver failed or did not answer; the key keeps its old value.",
    INVALID_MESSAGE: "Not JSON, not an object, binary, too deep, a key twice, or too many keys.",
    SERVER_ERROR: "A fault of the server; its log tells which.",
}
"""What ``error`` may say about a message or one key of it, and when."""

_KINDS: Final[Mapping[type[ValueType], str]] = {
    Boolean: "boolean",
    Integer: "integer",
    Choice: "choice",
    Text: "text",
    Size: "size",
    Mode: "mode",
    Recording: "recording",
}

KINDS: Final[tuple[str, ...]] = tuple(_KINDS.values())
"""The names of the value types, as :func:`kind` gives them."""


def kind(value_type: ValueType) -> str:
    """What sort of value this is, in one word of :data:`KINDS`."""
    return next(word for base, word in _KINDS.items() if isinstance(value_type, base))


def choices(value_type: ValueType) -> tuple[Value, ...] | None:
    """The canonical values, if they can be counted out; else ``None``."""
    match value_type:
        case Boolean():
            return (False, True)
        case Choice(choices=names):
            return names
        case Integer(choices=numbers):
            return numbers or None
        case Size(choices=sizes):
            return sizes or None
        case Mode(names=names):
            return (False, True, *names)
        case Recording():
            return (False, True, "pause")
        case _:
            return None


def reference(name: str) -> Schema:
    """A reference to a schema of the document's own components."""
    return {"$ref": f"#/components/schemas/{name}"}


def record(
    properties: Mapping[str, Schema], *, required: Iterable[str] | None = None, doc: str = ""
) -> Schema:
    """
    An object that has these properties and no others.

    :param required: those that are always there; all of them unless given.
    """
    schema: Schema = {
        "type": "object",
        "properties": dict(properties),
        "additionalProperties": False,
    }
    needed = list(properties if required is None else required)
    if needed:
        schema["required"] = needed
    if doc:
        schema["description"] = doc
    return schema


def text(doc: str = "", **more: object) -> Schema:
    """A string."""
    schema: Schema = {"type": "string", **more}
    if doc:
        schema["description"] = doc
    return schema


def array(items: Schema, doc: str = "") -> Schema:
    """A list whose members are all alike."""
    schema: Schema = {"type": "array", "items": items}
    if doc:
        schema["description"] = doc
    return schema


def canonical(key: Key) -> Schema:
    """What the server sends for this key."""
    return {**key.type.schema(), **_about(key), "default": key.default}


def accepted(key: Key) -> Schema:
    """What a client may send for this key: the canonical values or more."""
    return {**key.type.input_schema(), **_about(key)}


def _about(key: Key) -> Schema:
    about: Schema = {
        "title": key.name,
        "description": key.doc,
        "readOnly": not key.write,
        "x-observable": key.observable,
        "x-group": key.group,
        "x-saved": key.saved,
        "x-read": sorted(key.read),
        "x-write": sorted(key.write),
    }
    if isinstance(key.type, Integer) and key.type.unit:
        about["x-unit"] = key.type.unit
    return about


def values(keys: KeyTable) -> dict[str, Schema]:
    """Every key as a property that refers to the schema of its name."""
    return {name: reference(name) for name in keys}


def refusal() -> dict[str, Schema]:
    """The properties of an error: why a message, or one key of it, was refused."""
    return {
        "error": text(
            " ".join(f"`{name}`: {meaning}" for name, meaning in ERRORS.items()),
            enum=list(ERRORS),
        ),
        "key": text(
            f"The key concerned, cut at {MAX_KEY_ECHO} characters.", maxLength=MAX_KEY_ECHO
        ),
        "message": text("For people: names the range, the choices, the permission."),
    }


def state_schemas(keys: KeyTable) -> dict[str, Schema]:
    """
    The schemas that both documents name.

    Each key has one of its own, under its name; those for more than one key
    begin with a capital.
    """
    return {
        "Key": text("The name of a state key.", enum=list(keys)),
        "Permission": text("The name of a permission.", enum=list(PERMISSIONS)),
        "Role": text("What a user may do, in one word.", enum=list(USER_ROLES)),
        **{key.name: canonical(key) for key in keys.values()},
        "State": record(
            values(keys),
            required=(),
            doc="State keys and their values, as many as the message is about.",
        ),
        "Refusal": record(
            refusal(),
            required=("error", "message"),
            doc="Why a message, or one key of it, was refused.",
        ),
    }
