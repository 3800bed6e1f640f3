"""
The throw-away child of the scan: ``python -m rotoclear.devices.scanner MODULE FILE PARENT``.

It imports one plugin module, verifies the drivers in it, writes what it found
to descriptor 3 as JSON, and ends. What the module prints, raises, starts or
hangs in stays here.
"""

from __future__ import annotations

import importlib
import json
import os
import socket
import sys
from collections.abc import Sequence
from typing import NoReturn

from rotoclear.devices.host import DESCRIPTOR, die_with_parent
from rotoclear.devices.hostio import summary
from rotoclear.devices.kinds import KindError, is_driver, kind_of
from rotoclear.interfaces import ISimulated


def look(module: str) -> list[dict[str, object]]:
    """Import a module and say which drivers are in it."""
    found = []
    seen: set[int] = set()
    for attribute, thing in sorted(vars(importlib.import_module(module)).items()):
        if isinstance(thing, type) or id(thing) in seen or not is_driver(thing):
            continue
        seen.add(id(thing))
        name = getattr(thing, "name", None)
        entry: dict[str, object] = {
            "name": name if isinstance(name, str) and name else attribute,
            "attribute": attribute,
        }
        try:
            entry["kind"] = kind_of(thing)
            entry["simulated"] = bool(ISimulated.providedBy(thing))
        except KindError as error:
            entry["reason"] = str(error)
        except Exception as error:  # noqa: BLE001 - a plugin's object may do anything
            entry["reason"] = f"It cannot be verified: {summary(error)}"
        found.append(entry)
    return found


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
    module, file, parent = arguments
    die_with_parent(int(parent))
    os.setsid()
    channel = socket.socket(fileno=DESCRIPTOR)
    channel.set_inheritable(False)
    channel.setblocking(True)
    result: dict[str, object] = {"distribution": file}
    try:
        result["plugins"] = look(module)
        result["distribution"] = distribution_of(file)
    except BaseException as error:  # noqa: BLE001 - SystemExit is a fault here, too
        result["reason"] = summary(error)
    channel.sendall(json.dumps(result).encode() + b"\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
