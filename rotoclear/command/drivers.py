"""``rotoclear driver``: which drivers there are, and whether one works on this machine."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rotoclear.command.errors import FAILED, OK, USAGE, CommandError
from rotoclear.command.folder import chosen, not_ours
from rotoclear.command.text import printable, table
from rotoclear.config import Configuration, load
from rotoclear.control import client
from rotoclear.control.wire import SOCKET_NAME


def run(arguments: Namespace) -> int:
    """``list`` or ``check``."""
    configuration = load(Path(arguments.config)) if arguments.config else Configuration()
    running = _of_the_server(chosen(arguments))
    if arguments.action == "list":
        return _list(running, configuration, as_json=arguments.json)
    return _check(arguments, running, configuration)


def _of_the_server(folder: Path) -> list[dict[str, Any]] | None:
    """What the server on a data folder says of its drivers; ``None`` if there is none."""
    try:
        status: Any = client.call(folder / SOCKET_NAME, "status", {})
    except client.NotRunning:
        return None
    except client.NotAllowed:
        raise not_ours(folder) from None
    except (client.ControlError, client.RefusedByServer) as error:
        raise CommandError(str(error)) from None
    drivers: list[dict[str, Any]] = status["devices"]["drivers"]
    return drivers


# -- list ----------------------------------------------------------------------


def _list(
    running: list[dict[str, Any]] | None, configuration: Configuration, *, as_json: bool
) -> int:
    drivers = running
    if drivers is None:
        from rotoclear.command.bench import look

        drivers = look(configuration)
    if as_json:
        print(json.dumps({"running": running is not None, "drivers": drivers}, indent=2))
        return OK
    print(listed(drivers))
    if running is None:
        print("\nNo server is running: this is what one would start, by the configuration.")
    return OK


def listed(drivers: Sequence[Mapping[str, Any]]) -> str:
    """A table, and what there is to say of those that do not run."""
    rows = [
        (
            driver["name"],
            driver["kind"],
            driver["group"],
            driver["state"],
            len(driver["devices"]),
            driver["distribution"],
        )
        for driver in drivers
    ]
    text = table(("NAME", "KIND", "GROUP", "STATE", "DEVICES", "FROM"), rows)
    reasons = [
        printable(f"{driver['name']}: {driver['reason']}")
        for driver in drivers
        if driver["reason"] and driver["state"] != "disabled"
    ]
    return "\n".join([text, *(["", *reasons] if reasons else [])])


# -- check ---------------------------------------------------------------------


def _check(
    arguments: Namespace, running: list[dict[str, Any]] | None, configuration: Configuration
) -> int:
    for driver in running or ():
        if driver["name"] == arguments.name and driver["pid"] is not None:
            return _told_by_server(driver)
    from rotoclear.command.bench import NoSuchDriver, check

    try:
        good = check(arguments.name, configuration, arguments.frame, chosen(arguments))
    except NoSuchDriver as error:
        raise CommandError(str(error), USAGE) from None
    return OK if good else FAILED


def _told_by_server(driver: Mapping[str, Any]) -> int:
    """It has the devices, so there is nothing to try: this is what it knows."""
    print("A server runs this driver, and has its devices. It says:")
    print(printable(f"  {driver['state']}, process {driver['pid']}, {driver['restarts']} restarts"))
    if driver["reason"]:
        print(printable(f"  {driver['reason']}"))
    for device in driver["devices"]:
        print(printable(f"  {device['identity']}: {device['state']} {device['reason']}".rstrip()))
    good = driver["state"] == "running" and all(
        device["state"] == "ok" for device in driver["devices"]
    )
    return OK if good else FAILED
