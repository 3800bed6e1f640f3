"""``rotoclear status``: how a server is, as far as one may know."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from rotoclear.command.errors import OK, USAGE, CommandError
from rotoclear.command.remote.choosing import Target, chosen, stored
from rotoclear.command.remote.progress import time_shown
from rotoclear.command.remote.session import on
from rotoclear.command.status import devices, run_local


def run(arguments: Namespace) -> int:
    """Ask for it over the network, or by the control socket."""
    if arguments.local or arguments.data_dir or arguments.config:
        if arguments.server or arguments.cafile or arguments.fingerprint:
            raise CommandError("a server of this machine is asked without --server", USAGE)
        return run_local(arguments)
    target = chosen(arguments, stored())

    async def status(client: Any, arguments: Namespace) -> int:
        told = await client.status()
        if arguments.json:
            print(json.dumps(told, indent=2, ensure_ascii=False))
        else:
            print(described(told, target))
        return OK

    return on(target, arguments, status)


def described(told: Mapping[str, Any], target: Target) -> str:
    """The server's answer for people."""
    cameras = told.get("cameras") or []
    recording = {True: "recording", "pause": "recording paused", False: "not recording"}
    heads = f"{'camera' if len(cameras) == 1 else 'cameras'} {', '.join(map(str, cameras))}"
    parts = [
        f"rotoclear {told.get('version')} at {target.server}",
        f"up {time_shown(told.get('uptime', 0))}",
        heads if cameras else "no camera",
    ]
    if "recording" in told:
        parts.append(recording.get(told["recording"], str(told["recording"])))
    if "connections" in told:
        parts.append(f"{told['connections']} connected")
    line = ", ".join(parts)
    if "devices" in told:
        return "\n\n".join([line, *devices(told["devices"])])
    return f"{line}\nMore is told to those who are logged in, and to rotoclear status --local."
