"""
The power goes in a storm of changes, and comes back.

QEMU is killed: what the guest's kernel had not yet given to its disk is gone,
as in a real cut. What it had given is in the file, for the host goes on
running. So this proves that the server and its file system have written, and in
the right order; not that a real disk keeps what it says it has.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from tests.hil.conftest import DATA, MOUNT
from tests.hil.guest import GuestServer
from tests.hil.image import Image
from tests.hil.machine import Machine
from tests.hil.times import note, timed
from tests.robustness.kill9 import Storm

CONFIG: Final = 'enabled-drivers = ["directory"]\n'

CHECK: Final = (
    "import sqlite3, sys; "
    "print(sqlite3.connect(sys.argv[1]).execute('PRAGMA integrity_check').fetchall())"
)

SURE: Final = 1.5
"""Seconds after which a confirmed change is on the disk. Promised is 1, by a faster machine."""


def test_confirmed_changes_outlive_a_power_cut(
    parts: Image, machine: Machine, server: GuestServer, disk: Path
) -> None:
    """It is the machine with all the devices that is cut off."""
    storm = Storm.start(server, server.token)
    time.sleep(4)
    killed = time.monotonic()
    machine.kill()
    assert set(storm.join()) == {1006}
    assert storm.confirmed() > 20
    with Machine(parts, disk=disk) as after:
        after.run(MOUNT)
        after.run(f"mkdir /run/copy; cp {DATA}/rotoclear.db* /run/copy")
        assert after.run(f'python3 -c "{CHECK}" /run/copy/rotoclear.db') == "[('ok',)]"
        server = GuestServer(after, CONFIG, DATA)
        with timed("server: start after a power cut"):
            server.start()
        with server.client("admin") as client:
            lost = storm.check(client.get(), killed - SURE)
        note("power cut: age of the oldest change that was lost", max(0.0, killed - lost))
        server.stop()
        server.check_log()
