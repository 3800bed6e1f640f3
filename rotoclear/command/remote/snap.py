"""``rotoclear snap``: take a picture."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import TYPE_CHECKING

from rotoclear.command.errors import OK
from rotoclear.command.remote.download import fetch, refuse_existing
from rotoclear.command.remote.session import run_with

if TYPE_CHECKING:
    from rotoclear.client.asyncio import Client


def run(arguments: Namespace) -> int:
    """Have it taken; fetch it if that is wanted."""
    if arguments.output is not None:
        refuse_existing(arguments.output, force=arguments.force)  # before there is a picture
    return run_with(arguments, snap)


async def snap(client: Client, arguments: Namespace) -> int:
    """Returns when it is stored."""
    await client.set("snap", True)
    # If two snap at once this may be the other's, which is as new.
    id_ = str(await client.get("last-snapshot"))
    told: dict[str, object] = {"id": id_}
    if arguments.output is not None:
        entry = await client.entry("snapshots", id_)
        told["file"] = await fetch(client, entry, arguments.output, force=arguments.force)
    if arguments.json:
        if arguments.output != "-":
            print(json.dumps(told))
    elif arguments.output is None:
        print(id_)
    return OK
