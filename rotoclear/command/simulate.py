"""``rotoclear simulate``: rehearse what can happen to a device."""

from __future__ import annotations

import json
import re
from argparse import Namespace

from rotoclear.command.asking import ask
from rotoclear.command.errors import OK, USAGE, CommandError
from rotoclear.command.folder import chosen
from rotoclear.command.text import fields


def run(arguments: Namespace) -> int:
    """Ask the running server for it."""
    request = {"action": arguments.action, "target": arguments.target, "arguments": {}}
    if arguments.action == "fault":
        request["action"] = arguments.kind
        request["arguments"] = dict(_argument(text) for text in arguments.arguments)
    result = ask(chosen(arguments), "simulate", request).get("result")
    if arguments.action == "show" and arguments.json:
        print(json.dumps(result, indent=2, ensure_ascii=False))
    elif isinstance(result, dict):
        print(fields(result))
    return OK


def _argument(text: str) -> tuple[str, bool | int | str]:
    """``NAME=VALUE``; a value that looks like a number or a boolean is one."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise CommandError(f"{text!r} is not NAME=VALUE, milliseconds=500, say", USAGE)
    if re.fullmatch(r"-?[0-9]{1,18}", value):
        return name, int(value)
    return name, {"true": True, "false": False}.get(value, value)
