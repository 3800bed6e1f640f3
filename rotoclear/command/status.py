"""``rotoclear status --local``: how the server on a data folder is, by its control socket."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Mapping
from typing import Any, Final

from rotoclear.command.asking import ask
from rotoclear.command.errors import OK
from rotoclear.command.folder import chosen
from rotoclear.command.text import fields, records


def run_local(arguments: Namespace) -> int:
    """Ask it, and print what it says."""
    status = ask(chosen(arguments), "status")
    if arguments.json:
        print(json.dumps(status, indent=2, ensure_ascii=False))
    else:
        print(described(status))
    return OK


_DETAILS: Final = ("distribution", "group", "file", "matches", "keys", "options")
"""What is only told of a driver by ``rotoclear driver list --json`` and ``status --json``."""


def described(status: Mapping[str, object]) -> str:
    """The server's answer for people: a line about it, and a table for each kind of device."""
    parts = [
        f"rotoclear {status.get('version')}, process {status.get('pid')}, "
        f"{status.get('users')} {'user' if status.get('users') == 1 else 'users'}"
    ]
    return "\n\n".join([*parts, *devices(status.get("devices"))])


def devices(told: object) -> list[str]:
    """What a server says of its devices: a table for each kind."""
    if not isinstance(told, dict):
        return []
    parts = []
    for name, rows in told.items():
        if name == "drivers" and isinstance(rows, list):
            rows = [_short(row) for row in rows if row.get("state") != "disabled"]
        if isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows):
            parts.append(f"{name}:\n{records(rows)}")
        else:
            parts.append(fields({name: rows}))
    return parts


def _short(driver: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in driver.items() if name not in _DETAILS}
