"""The processes that a server has started, found by what they run."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.harness import Server

ENGINE: Final = "rotoclear.media.engine"
WRITER: Final = "rotoclear.media.engine.writer"


def processes(server: Server, module: str) -> list[int]:
    """Those that run a module, also when the server itself has died."""
    mine = str(server.folder).encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().split(b"\0")
            environment = (folder / "environ").read_bytes()
        except OSError:
            continue
        if module.encode() in command and mine in environment:
            found.append(int(folder.name))
    return found
