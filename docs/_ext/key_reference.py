"""
Pages from the key table.

``rotoclear-keys``
    every key, under the headings of the table.
``rotoclear-matrix``
    which role may read and which may write it.
``rotoclear-roles``
    which role holds which permissions.
``rotoclear-errors``
    what an error may be called, and when.
"""

from __future__ import annotations

import json
from itertools import groupby

from generated import Generated, code, heading, indented, table
from sphinx.application import Sphinx

from rotoclear.api.schemas import ERRORS, kind
from rotoclear.state.keys import KEYS, Key
from rotoclear.state.permissions import PERMISSIONS, ROLES
from rotoclear.values import Boolean, Choice, Integer, Mode, Recording, Size, Text, Value, ValueType


class Keys(Generated):
    """Every key."""

    def text(self) -> str:
        lines: list[str] = []
        for group, keys in groupby(KEYS, lambda key: key.group):
            lines += heading(group, "-")
            for key in keys:
                lines += _described(key)
        return "\n".join(lines)


class Matrix(Generated):
    """Keys by roles."""

    def text(self) -> str:
        rows = [["Key", *(role.capitalize() for role in ROLES)]]
        for key in KEYS:
            rows.append([f":ref:`{key.name} <key-{key.name}>`"])
            for permissions in ROLES.values():
                may = ["read"] if key.readable(permissions) else []
                may += ["write"] if key.writable(permissions) else []
                rows[-1].append(", ".join(may) or "\N{EM DASH}")
        return "\n".join(table(rows))


class Roles(Generated):
    """Permissions by roles."""

    def text(self) -> str:
        rows = [["Permission", *(role.capitalize() for role in ROLES)]]
        for permission in PERMISSIONS:
            held = ["yes" if permission in held else "\N{EM DASH}" for held in ROLES.values()]
            rows.append([code(permission), *held])
        return "\n".join(table(rows))


class Errors(Generated):
    """The errors of the WebSocket API."""

    def text(self) -> str:
        rows = [["``error``", "When"], *([code(name), doc] for name, doc in ERRORS.items())]
        return "\n".join(table(rows))


def _described(key: Key) -> list[str]:
    """A key's section."""
    message = {key.name: _example(key.type)} if key.write else {"get": [key.name]}
    write = " or ".join(map(code, sorted(key.write))) or "nobody: it is read-only"
    fields = [
        f":Values: {_values(key.type)}",
        f":Type: {kind(key.type)}",
        f":Default: {code(json.dumps(key.default))}",
        f":Read: {' or '.join(map(code, sorted(key.read)))}",
        f":Write: {write}",
        f":Kept over a restart: {'yes' if key.saved else 'no'}",
        f":Observable: {code(key.observable)}",
    ]
    return [
        f".. _key-{key.name}:",
        *heading(key.name, "~"),
        key.doc,
        "",
        *fields,
        "",
        ".. code-block:: json",
        "",
        *indented([json.dumps(message)]),
        "",
    ]


def _values(value_type: ValueType) -> str:
    """What a key may hold, for people."""
    match value_type:
        case Boolean():
            return "``true``, ``false``"
        case Integer(minimum=low, maximum=high, unit=unit):
            return f"{low} to {high}" + (f" ({unit})" if unit else "")
        case Choice(choices=names):
            return ", ".join(code(json.dumps(name)) for name in names)
        case Text(max_length=length):
            return f"text of up to {length} characters"
        case Size():
            return '``"WIDTHxHEIGHT"``; right now one of the active camera\'s sizes'
        case Mode():
            return (
                "``true``, ``false``, or the name of a mode that the active camera offers; "
                '``"on"`` and ``"auto"`` are taken for ``true``, ``"off"`` and ``"manual"`` '
                "for ``false``"
            )
        case Recording():
            return (
                '``false``, ``true``, ``"pause"``; ``"on"`` and ``"off"`` are taken for '
                '``true`` and ``false``, ``"pause_release"`` ends a pause'
            )
    raise AssertionError(f"{value_type} has no words")


def _example(value_type: ValueType) -> Value:
    """A value that is not the default of most keys of this type."""
    match value_type:
        case Integer(minimum=low, maximum=high):
            return next(number for number in (75, 25, 2) if low <= number <= high)
        case Choice(choices=names):
            return names[-1]
        case Size():
            return "1280x720"
        case Mode():
            return False
        case _:
            return True


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_directive("rotoclear-keys", Keys)
    app.add_directive("rotoclear-matrix", Matrix)
    app.add_directive("rotoclear-roles", Roles)
    app.add_directive("rotoclear-errors", Errors)
    return {"parallel_read_safe": True}
