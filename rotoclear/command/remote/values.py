"""
Values as people type them, and as they are shown to them.

What a key takes is the server's to say: a word that cannot be what the key
holds is sent to it as it is, and its answer names what is allowed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from rotoclear.command.errors import USAGE, CommandError
from rotoclear.command.text import printable

if TYPE_CHECKING:
    from rotoclear.values import Value

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_WORDS: Final = {"true": True, "on": True, "yes": True, "false": False, "off": False, "no": False}


def change(text: str) -> tuple[str, str]:
    """
    A ``KEY=VALUE``.

    :raises CommandError: it is none.
    """
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise CommandError(f"{text!r} is not KEY=VALUE, brightness=75, say", USAGE)
    return name, value


def typed(text: str, kind: str) -> Value:
    """
    What somebody means by a word.

    :param kind: the key's ``type``, as ``/api/keys`` names it.
    """
    match kind:
        case "boolean" | "mode" | "recording":
            return _WORDS.get(text.lower(), text)
        case "integer" if _INTEGER.fullmatch(text):
            return int(text)
        case _:
            return text


def kinds() -> dict[str, str]:
    """The types of the keys that every server has."""
    from rotoclear.state.keys import KEYS
    from rotoclear.values import Boolean, Integer, Mode, Recording

    names = {Boolean: "boolean", Integer: "integer", Mode: "mode", Recording: "recording"}
    return {key.name: names.get(type(key.type), "text") for key in KEYS}


def shown(value: object) -> str:
    """A value as ``rotoclear set`` would take it back: a text bare, everything else as JSON."""
    return printable(value) if isinstance(value, str) else json.dumps(value)


def suggestion(name: str, known: Iterable[str]) -> str:
    """``; did you mean brightness?``, or nothing."""
    close = get_close_matches(name.lower().replace("_", "-"), known, n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""
