"""``rotoclear get``: read keys."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING

from rotoclear.command.errors import OK
from rotoclear.command.remote.session import run_with
from rotoclear.command.remote.values import shown

if TYPE_CHECKING:
    from rotoclear.client.asyncio import Client


def run(arguments: Namespace) -> int:
    """Ask for them, and print them."""
    return run_with(arguments, get)


async def get(client: Client, arguments: Namespace) -> int:
    """All of them or none: half an answer would be taken for a whole one."""
    values = await client.get_all(*arguments.keys)
    if arguments.keys:  # in the order they were asked for
        values = {key: values[key] for key in dict.fromkeys(arguments.keys)}
    if not arguments.json and len(arguments.keys) == 1:
        print(shown(values[arguments.keys[0]]))
    else:
        show(values, as_json=arguments.json)
    return OK


def show(values: Mapping[str, object], *, as_json: bool) -> None:
    """Values as lines that ``rotoclear set`` takes, or as a JSON object."""
    if as_json:
        print(json.dumps(values, indent=2, ensure_ascii=False))
        return
    for key, value in values.items():
        print(f"{key}={shown(value)}")
