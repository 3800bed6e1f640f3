"""A USB disk is recorded on while it is there, and the internal folder while it is not."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.harness import Client
from tests.hil.guest import there
from tests.hil.machine import Machine
from tests.hil.plugged import Disk
from tests.hil.times import timed

LABEL = "/dev/disk/by-label/HILSTICK"


def test_a_usb_disk_is_preferred_and_may_be_pulled_while_it_is_written(
    admin: Client, machine: Machine, tmp_path: Path
) -> None:
    image = tmp_path / "disk.img"
    subprocess.run(["truncate", "-s", "64M", image], check=True)
    subprocess.run(["/sbin/mkfs.vfat", "-n", "HILSTICK", image], check=True, capture_output=True)
    there(admin, {"storage-exists": True})
    internal = str(admin.get("storage-name")["storage-name"])
    disk = Disk(machine, str(image), "HIL-DISK")
    for _ in range(2):
        disk.plug()
        machine.wait(f"[ -e {LABEL} ]")
        with timed("USB disk mounted: until it is what is recorded on"):
            machine.run(f"mkdir -p /media/hil && mount {LABEL} /media/hil")
            there(admin, {"storage-name": "HILSTICK", "storage-exists": True})
        machine.run("dd if=/dev/zero of=/media/hil/file bs=64k count=900 >/dev/null 2>&1 &")
        machine.wait("[ -s /media/hil/file ]")
        with timed("USB disk pulled while it is written: until the internal one is recorded on"):
            disk.pull()
            there(admin, {"storage-name": internal, "storage-exists": True})
        machine.run("umount -l /media/hil")
        machine.wait(f"[ ! -e {LABEL} ]")
