"""``rotoclear watch``: follow keys as they change."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rotoclear.command.errors import OK
from rotoclear.command.remote.choosing import chosen, stored
from rotoclear.command.remote.session import on
from rotoclear.command.remote.together import until_first

if TYPE_CHECKING:
    from rotoclear.client.asyncio import Client


def run(arguments: Namespace) -> int:
    """A table for people, JSON lines for programs."""
    target = chosen(arguments, stored())
    terminal = sys.stdin.isatty() and sys.stdout.isatty() and not arguments.json

    async def watch(client: Client, arguments: Namespace) -> int:
        if arguments.keys:
            await client.get_all(*arguments.keys)  # says which there are not, and which one may not
        if terminal:
            from rotoclear.command.remote import screen

            if screen.available():
                return await screen.show(client, arguments.keys, target.server)
        await until_first([_lines(client, arguments.keys)], [_notes(client, target.server)])
        return OK

    return on(target, arguments, watch, reconnect=True)


async def _lines(client: Client, keys: list[str]) -> None:
    """A line for each value there is, then for each change."""
    async for change in client.watch(*keys):
        told = {"time": _now(), "key": change.key, "value": change.value}
        print(json.dumps(told, ensure_ascii=False), flush=True)


async def _notes(client: Client, server: str) -> None:
    """Who reads the lines cannot see that none come because there is no connection."""
    from rotoclear.client import ConnectionState

    lost = False
    async for state in client.states():
        if state is ConnectionState.WAITING and not lost:
            lost = True
            print(f"rotoclear: the connection to {server} is lost; trying again", file=sys.stderr)
        elif state is ConnectionState.READY and lost:
            lost = False
            print(f"rotoclear: connected to {server} again", file=sys.stderr)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
