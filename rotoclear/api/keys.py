"""What ``GET /api/keys`` says about the keys: what each is, and what it may be right now."""

from __future__ import annotations

from rotoclear.api.schemas import choices, kind
from rotoclear.state.keys import Key
from rotoclear.state.model import Model
from rotoclear.state.permissions import Permissions
from rotoclear.values import Integer, ValueType

Description = dict[str, object]
"""One key, ready for JSON."""


def describe_keys(model: Model, permissions: Permissions) -> dict[str, Description]:
    """
    Describe every key that someone who holds these permissions may read.

    :return: descriptions by name, in the order of the table.
    """
    return {
        name: describe(key, model.type_of(name), permissions)
        for name, key in model.keys.items()
        if key.readable(permissions)
    }


def describe(key: Key, now: ValueType, permissions: Permissions) -> Description:
    """
    Describe one key.

    ``minimum``, ``maximum`` and ``unit`` are there for integers, ``choices``
    for values that can be counted out.

    :param now: what its values look like at this moment.
    """
    description: Description = {
        "type": kind(now),
        "schema": now.schema(),
        "input-schema": now.input_schema(),
        "default": key.default,
        "writable": key.writable(permissions),
        "saved": key.saved,
        "read": sorted(key.read),
        "write": sorted(key.write),
        "group": key.group,
        "observable": key.observable,
        "doc": key.doc,
    }
    if isinstance(now, Integer):
        description |= {"minimum": now.minimum, "maximum": now.maximum, "unit": now.unit}
    possible = choices(now)
    if possible is not None:
        description["choices"] = list(possible)
    return description
