"""
Inside the machine: the ``removable`` driver and a USB stick, pulled while it is written to.

``python -m tests.hil.guest_removable hand|udisks [FILE]``: mounted by hand, or by udisks2, which
must run then (``mkdir -p /run/dbus; dbus-daemon --system --fork; /usr/libexec/udisks2/udisksd &``).
For each plug and pull it writes ``plug`` or ``pull`` to FILE (``/share/ask``), which somebody
outside removes and obeys: a stick of 64 MiB with vfat and the label ``ROTO USB``, two of them one
after the other. udevd must run.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pyudev

from rotoclear.drivers.removable import RemovableStorage
from rotoclear.interfaces import DeviceFailure, DeviceGone, UdevDevice
from tests.drivers.contexts import Played
from tests.hil.guest_led import until


def devices() -> Sequence[UdevDevice]:
    """As the server hands them to the driver."""
    return [
        UdevDevice(
            path=device.sys_path,
            subsystem="block",
            node=device.device_node,
            properties=dict(device.properties),
        )
        for device in pyudev.Context().list_devices(subsystem="block", ID_FS_USAGE="filesystem")
        if device.device_node != "/dev/vda"  # the machine's own
    ]


def ask(file: str, what: str) -> None:
    with open(f"{file}.new", "w") as asked:
        asked.write(what)
    os.rename(f"{file}.new", file)


def write_until_it_fails(path: str, started: threading.Event) -> None:
    try:
        with open(f"{path}/recording.part", "wb") as file:
            while True:
                file.write(bytes(65536))
                file.flush()
                os.fsync(file.fileno())
                started.set()
                if file.tell() > 16_000_000:
                    file.seek(0)
    except OSError:
        pass


def is_gone(call: Callable[[], object]) -> bool:
    try:
        call()
    except DeviceGone:
        return True
    except DeviceFailure:
        pass
    return False


def main(way: str, file: str = "/share/ask") -> None:
    driver = RemovableStorage()
    played = Played(driver, {"mount": "auto" if way == "udisks" else "never"})
    names: list[str] = []
    changes: list[int] = []

    def found() -> bool:
        played.devices = devices()
        names[:] = driver.find()
        return bool(names)

    assert not found()
    for round_ in range(2):
        ask(file, "plug")
        if way == "hand":
            until("the stick", lambda: bool(devices()))
            assert not found()
            assert "not mounted" in played.said[-1], played.said
            os.makedirs("/mnt/by hand", exist_ok=True)
            changes.append(played.changes)
            subprocess.run(["mount", devices()[0].node, "/mnt/by hand"], check=True)
            until("word of the mount", lambda: played.changes > changes[-1])
        until(f"the volume; {played.said}", found)
        (identity,) = names
        assert identity.startswith("uuid:"), identity
        volume = driver.open(identity)
        described = volume.describe()
        assert described.name == "ROTO USB", described
        assert described.removable, described
        assert described.path.endswith("/rotoclear"), described
        assert 60_000_000 < volume.usage().total < 67_108_864, volume.usage()
        volume.probe()

        started = threading.Event()
        writer = threading.Thread(
            target=write_until_it_fails, args=(described.path, started), daemon=True
        )
        writer.start()
        assert started.wait(20)
        ask(file, "pull")

        def gone(identity: str = identity) -> bool:
            return not found() and identity not in names

        until("that it is gone", gone)
        # The kernel takes its names away one after another, the folder in sysfs last.
        for call in (volume.probe, volume.usage):
            until("that it says so", lambda call=call: is_gone(call))  # type: ignore[misc]
        volume.close()
        writer.join(20)
        assert not writer.is_alive()
        if way == "hand":
            # Nobody cleans up; the dead mount must not be taken for the next stick.
            if round_ == 1:
                subprocess.run(["umount", "-l", "/mnt/by hand"], check=True)
        else:
            until("udisks to clean up", lambda: "/media/" not in Path("/proc/mounts").read_text())
    driver.stop()
    print("fine;", played.said)


if __name__ == "__main__":
    main(*sys.argv[1:])
