"""
What a server finds when it looks for plugins: ``python -m tests.hil.plugins FILE`` makes its cache.

The files are the same inside the machine; the look takes a second here and twenty there.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from rotoclear.devices.scan import Scan


async def look(reactor: Any, file: str) -> None:
    """As :mod:`rotoclear.devices.service` does."""
    scan = Scan(reactor, Path(file), sys.executable, sys.path)
    await scan.builtin()
    await scan.vendors()


if __name__ == "__main__":
    react(lambda reactor: Deferred.fromCoroutine(look(reactor, sys.argv[1])))
