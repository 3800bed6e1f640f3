"""
The throw-away child of the scan: ``python -m rotoclear.devices.scanner PARENT MODULE FILE ...``.

It imports plugin modules, verifies the drivers in them, writes to descriptor 3
what it has found in each (:mod:`rotoclear.devices.found`, a line of JSON), and
ends. What the modules print, raise, start or hang in stays here.
"""

from __future__ import annotations

import importlib
import os
import socket
import sys
from collections.abc import Iterable, Sequence
from typing import NoReturn

import msgspec

from rotoclear.devices import declared
from rotoclear.devices.found import FoundDriver, Result
from rotoclear.devices.host import DESCRIPTOR
from rotoclear.devices.hostio import summary
from rotoclear.devices.kinds import KindError, is_driver, kind_of
from rotoclear.interfaces import ISimulated
from rotoclear.processes.parent import die_with_parent, keep_offspring


def look(module: str, file: str) -> Result:
    """Import a module and say which drivers are in it."""
    drivers: dict[str, object] = {}
    for attribute, thing in sorted(vars(importlib.import_module(module)).items()):
        known = any(thing is driver for driver in drivers.values())
        if not isinstance(thing, type) and not known and is_driver(thing):
            drivers[attribute] = thing
    return Result(
        distribution=distribution_of(file),
        files=tuple(sorted(files_of(drivers.values()) - {file})),
        plugins=tuple(verified(attribute, driver) for attribute, driver in drivers.items()),
    )


def verified(attribute: str, driver: object) -> FoundDriver:
    """What there is to say of one driver, or the reason why it is refused."""
    name = attribute
    try:
        said = getattr(driver, "name", None)
        name = said if isinstance(said, str) and said else attribute
        return FoundDriver(
            name=name,
            attribute=attribute,
            kind=kind_of(driver),
            simulated=bool(ISimulated.providedBy(driver)),
            matches=declared.matches(driver),
            options=declared.options(driver),
            keys=declared.keys(driver),
        )
    except KindError as error:
        reason = str(error)
    except Exception as error:  # noqa: BLE001 - a plugin's object may do anything
        reason = f"It cannot be verified: {summary(error)}"
    return FoundDriver(name=name, attribute=attribute, reason=reason)


def files_of(drivers: Iterable[object]) -> set[str]:
    """The source files that their classes are written in: what they say may change with those."""
    modules = {base.__module__ for driver in drivers for base in type(driver).__mro__}
    files = (getattr(sys.modules.get(name), "__file__", None) for name in modules)
    return {file for file in files if isinstance(file, str)}


def distribution_of(file: str) -> str:
    """Who has installed a file: name and version; the file itself if nobody says so."""
    from importlib.metadata import distributions
    from pathlib import Path

    tail = "/".join(Path(file).parts[-3:])
    for distribution in distributions():
        text = distribution.read_text("RECORD") or ""
        if tail not in text:  # much quicker than to read it properly
            continue
        mine = (entry for entry in distribution.files or () if str(entry) == tail)
        if any(os.path.samefile(entry.locate(), file) for entry in mine):  # noqa: PTH121
            return f"{distribution.metadata['Name']} {distribution.version}"
    return file


def main(arguments: Sequence[str]) -> NoReturn:
    """Be the child."""
    parent, *modules = arguments
    die_with_parent(int(parent))
    keep_offspring()
    os.setsid()
    channel = socket.socket(fileno=DESCRIPTOR)
    channel.set_inheritable(False)
    channel.setblocking(True)
    for module, file in zip(modules[::2], modules[1::2], strict=True):
        try:
            result = look(module, file)
        except BaseException as error:  # noqa: BLE001 - SystemExit is a fault here, too
            result = Result(distribution=file, reason=summary(error))
        channel.sendall(msgspec.json.encode(result) + b"\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
