"""
``rotoclear completion``, and what words go on with.

argcomplete does it: the shell starts this command with what has been typed so
far, and it answers from its own parsers and the key table. No server is asked.
"""

from __future__ import annotations

import argparse
from typing import Any

from rotoclear.command.errors import OK


def run(arguments: argparse.Namespace) -> int:
    """Print the shell's part of it."""
    from argcomplete.shell_integration import shellcode

    print(shellcode(["rotoclear"], shell=arguments.shell))
    return OK


def complete(parser: argparse.ArgumentParser) -> None:
    """Answer the shell, and end; do nothing if it has not asked."""
    import argcomplete

    argcomplete.autocomplete(parser, always_complete_options=False)


# -- completers: what a word may be --------------------------------------------


def readable(**said: Any) -> list[str]:
    """Every key that a server has."""
    from rotoclear.state.keys import KEYS

    return [key.name for key in KEYS]


def changes(prefix: str, **said: Any) -> list[str]:
    """``KEY=`` for those that can be set, and behind it what the key may be."""
    from rotoclear.state.keys import KEYS

    writable = {key.name: key for key in KEYS if key.write}
    name, equals, _ = prefix.partition("=")
    if not equals:
        return [f"{name}=" for name in writable]
    key = writable.get(name)
    return [] if key is None else [f"{name}={word}" for word in words(key.type)]


def words(kind: Any) -> list[str]:
    """The values that can be counted out, as ``rotoclear set`` takes them."""
    from rotoclear.values import Boolean, Choice, Mode, Recording

    match kind:
        case Boolean() | Mode():
            return ["on", "off"]
        case Recording():
            return ["on", "off", "pause", "pause_release"]
        case Choice():
            return list(kind.choices)
        case _:
            return []


def stored(**said: Any) -> list[str]:
    """What can be downloaded."""
    return ["last-recording", "last-snapshot"]
