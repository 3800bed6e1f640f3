"""``rotoclear recordings``, ``rotoclear snapshots``: what is stored."""

from __future__ import annotations

import json
from argparse import Namespace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from attrs import asdict

from rotoclear.command.errors import OK
from rotoclear.command.remote.progress import bytes_shown, time_shown
from rotoclear.command.remote.session import run_with
from rotoclear.command.text import table

if TYPE_CHECKING:
    from rotoclear.client import Entry
    from rotoclear.client.asyncio import Client

_PAGE: Final = 500
"""The most that the server lists at once."""


def run(arguments: Namespace) -> int:
    """Ask for the catalogue, and print it."""
    return run_with(arguments, listing)


async def listing(client: Client, arguments: Namespace) -> int:
    """The newest, or all of them."""
    entries: list[Entry] = []
    before: str | None = ""
    while before is not None and (arguments.all or len(entries) < arguments.limit):
        room = _PAGE if arguments.all else min(_PAGE, arguments.limit - len(entries))
        page = await client.page(arguments.kind, limit=room, before=before)
        entries += page.entries
        before = page.next
    if arguments.json:
        print(json.dumps([row(entry) for entry in entries], indent=2, ensure_ascii=False))
    elif entries:
        print(listed(entries, films=arguments.kind == "recordings"))
    return OK


def row(entry: Entry) -> dict[str, Any]:
    """An entry as the server has it."""
    return asdict(entry, value_serializer=lambda _, __, value: _plain(value))


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value


def listed(entries: list[Entry], *, films: bool) -> str:
    """For people, with this machine's local time."""
    head = ["ID", "BEGUN", "LENGTH", "SIZE", "PICTURE", "VOLUME", "STATE"]
    rows = [
        [
            entry.id,
            entry.began.astimezone().strftime("%F %T"),
            time_shown(entry.duration),
            bytes_shown(entry.size),
            f"{entry.width}x{entry.height}",
            entry.volume,
            _state(entry),
        ]
        for entry in entries
    ]
    if not films:
        for line in (head, *rows):
            del line[2]
    return table(head, rows)


def _state(entry: Entry) -> str:
    if entry.available or entry.state in ("recording", "damaged"):
        return entry.state
    return f"{entry.state}, away"
