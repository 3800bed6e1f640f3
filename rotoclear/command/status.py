"""``rotoclear status``: how a running server is."""

from __future__ import annotations

import json
from argparse import Namespace

from rotoclear.command.asking import ask
from rotoclear.command.errors import OK
from rotoclear.command.folder import chosen


def run(arguments: Namespace) -> int:
    """Ask it, and print what it says."""
    status = ask(chosen(arguments), "status")
    if arguments.json:
        print(json.dumps(status, indent=2, ensure_ascii=False))
    return OK
