"""``rotoclear keys``: what keys there are, and what they may be right now."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rotoclear.command.errors import OK, CommandError
from rotoclear.command.remote.session import run_with
from rotoclear.command.remote.values import shown, suggestion
from rotoclear.command.text import table

if TYPE_CHECKING:
    from rotoclear.client.asyncio import Client


def run(arguments: Namespace) -> int:
    """Ask for the server's own table, and print it."""
    return run_with(arguments, keys)


async def keys(client: Client, arguments: Namespace) -> int:
    """All of them, or those that were named."""
    told: Mapping[str, Mapping[str, Any]] = await client.keys()
    for key in arguments.keys:
        if key not in told:
            raise CommandError(
                f"there is no key {key!r} that you may read{suggestion(key, told)}; "
                "rotoclear keys lists them"
            )
    chosen = {key: told[key] for key in (arguments.keys or told)}
    if arguments.json:
        print(json.dumps(chosen, indent=2, ensure_ascii=False))
    else:
        rows = [
            (key, allowed(about), "yes" if about.get("writable") else "no", about.get("doc", ""))
            for key, about in chosen.items()
        ]
        print(table(("KEY", "MAY BE", "WRITABLE", "WHAT IT IS"), rows))
    return OK


def allowed(about: Mapping[str, Any]) -> str:
    """What a key may be, in a few words."""
    choices = about.get("choices")
    if choices:
        return ", ".join(map(shown, choices))
    match about.get("type"):
        case "integer":
            return f"{about.get('minimum')}-{about.get('maximum')} {about.get('unit', '')}".rstrip()
        case "boolean":
            return "true, false"
        case "recording":
            return "true, false, pause, pause_release"
        case "size":
            return "WIDTHxHEIGHT"
        case other:
            return str(other)
