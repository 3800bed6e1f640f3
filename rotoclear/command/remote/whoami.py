"""``rotoclear whoami``: who is logged in, and what they may do."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import TYPE_CHECKING

from rotoclear.command.errors import OK
from rotoclear.command.remote.choosing import chosen, stored
from rotoclear.command.remote.session import on
from rotoclear.command.text import fields

if TYPE_CHECKING:
    from rotoclear.client.asyncio import Client


def run(arguments: Namespace) -> int:
    """Ask the server: it may have changed its mind."""
    target = chosen(arguments, stored())

    async def whoami(client: Client, arguments: Namespace) -> int:
        told: dict[str, object] = {
            "server": target.server,
            "username": client.username if client.token else None,
            "role": client.role if client.token else "anonymous",
            "permissions": sorted(client.permissions),
            "expires": client.expires or None,
        }
        if arguments.json:
            print(json.dumps(told, indent=2, ensure_ascii=False))
        else:
            print(fields({name: value for name, value in told.items() if value is not None}))
        return OK

    return on(target, arguments, whoami)
