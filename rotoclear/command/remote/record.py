"""``rotoclear record``: begin, pause, resume or end a recording."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from rotoclear.command.errors import OK
from rotoclear.command.remote.get import show
from rotoclear.command.remote.options import RECORD
from rotoclear.command.remote.session import run_with

if TYPE_CHECKING:
    from rotoclear.client.asyncio import Client


def run(arguments: Namespace) -> int:
    """Have it done."""
    return run_with(arguments, record)


async def record(client: Client, arguments: Namespace) -> int:
    """Returns when the recorder has done it."""
    value = await client.set("record", RECORD[arguments.action])
    if arguments.json:
        show({"record": value}, as_json=True)
    return OK
