"""``rotoclear set``: change keys."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rotoclear.command.errors import OK, USAGE, CommandError
from rotoclear.command.remote.get import show
from rotoclear.command.remote.session import run_with
from rotoclear.command.remote.values import change, kinds, typed

if TYPE_CHECKING:
    from rotoclear.client.asyncio import Client


def run(arguments: Namespace) -> int:
    """Have them changed, and print what they are then."""
    words = arguments.changes
    if len(words) == 2 and "=" not in "".join(words):
        raise CommandError(f"what is set is one word: {'='.join(words)}", USAGE)
    changes = list(map(change, words))
    for key, value in changes:
        if dict(changes)[key] != value:
            raise CommandError(f"two values for {key}", USAGE)
    return run_with(arguments, set_)


async def set_(client: Client, arguments: Namespace) -> int:
    """All in one message, so that those that depend on each other are judged together."""
    from rotoclear.client import SomeRefused

    changes = dict(map(change, arguments.changes))
    types = await _types(client, changes)
    wanted = {key: typed(text, types.get(key, "text")) for key, text in changes.items()}
    try:
        values = await client.set_all(wanted)
    except SomeRefused as error:
        if error.values:
            show(error.values, as_json=arguments.json)
        raise
    show({key: values[key] for key in changes}, as_json=arguments.json)
    return OK


async def _types(client: Client, keys: Iterable[str]) -> dict[str, str]:
    """What each key holds. The server is asked only for those that not every server has."""
    types = kinds()
    if all(key in types for key in keys):
        return types
    told = await client.keys()
    return {**types, **{key: str(about.get("type")) for key, about in told.items()}}
