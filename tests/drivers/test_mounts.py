"""What is mounted where: the kernel's own file, and mounts made for the test."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from rotoclear.drivers.mounts import (
    Mount,
    Watch,
    device_of,
    is_mount_point,
    mounts,
    number_of,
    of_device,
)

PLAYED = r"""28 1 0:23 / / rw,relatime - overlay ov rw,lowerdir=/lower
36 28 8:1 / /media/ROTO\040USB rw,nosuid shared:5 - vfat /dev/sda1 rw,fmask=0022
37 28 8:1 /sub /mnt/a\134b rw - vfat /dev/sda1 rw
38 28 8:1 / /mnt/ro ro,relatime - vfat /dev/sda1 rw
39 28 0:44 / /mnt/btrfs rw - btrfs /dev/sdb rw,subvol=/
40 28 0:45 / /mnt/errors rw master:1 propagate_from:2 - ext4 /dev/sdc ro,errors=remount-ro
nonsense
"""


def inside(script: str, *arguments: str) -> str:
    """What a script says in a mount namespace of its own, where it may mount."""
    command = ["unshare", "--map-root-user", "--mount", sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    return done.stdout.strip()


class Reading(SynchronousTestCase):
    def setUp(self) -> None:
        self.file = self.mktemp()
        Path(self.file).write_text(PLAYED)
        self.mounts = mounts(self.file)

    def test_each_mount_is_read(self) -> None:
        self.assertEqual([m.number for m in self.mounts], [28, 36, 37, 38, 39, 40])
        self.assertEqual(
            self.mounts[1],
            Mount(
                number=36,
                device="8:1",
                root="/",
                path="/media/ROTO USB",
                read_only=False,
                type="vfat",
                source="/dev/sda1",
            ),
        )
        self.assertEqual(self.mounts[2].path, "/mnt/a\\b")

    def test_read_only_is_a_mount_or_its_file_system(self) -> None:
        self.assertEqual([m.number for m in self.mounts if m.read_only], [38, 40])

    def test_the_best_mount_of_a_device_comes_first(self) -> None:
        self.assertEqual(
            [m.number for m in of_device(self.mounts, "8:1", "/dev/sda1")], [36, 37, 38]
        )

    def test_a_file_system_with_a_number_of_its_own_is_found_by_its_source(self) -> None:
        self.assertEqual([m.number for m in of_device(self.mounts, "8:16", "/dev/sdb")], [39])
        self.assertEqual(of_device(self.mounts, "8:48", "/dev/sdd"), [])
        self.assertEqual([device_of(m) for m in self.mounts[:2]], ["", "8:1"])

    def test_the_kernels_own_is_understood(self) -> None:
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
        self.assertEqual(len(mounts()), len(lines))


class Numbers(SynchronousTestCase):
    def test_a_path_leads_to_the_mount_that_is_there(self) -> None:
        here = {m.number: m.path for m in mounts()}
        self.assertEqual(here[number_of("/proc/self/status")], "/proc")
        self.assertTrue(is_mount_point("/proc"))
        self.assertFalse(is_mount_point("/proc/self"))
        with self.assertRaises(OSError):
            number_of(self.mktemp())

    def test_what_is_mounted_over_a_folder_is_told_from_it(self) -> None:
        """Even a bind mount of the same file system, which has the same device number."""
        folder = self.mktemp()
        os.makedirs(f"{folder}/inside")
        script = (
            "import subprocess, sys; from rotoclear.drivers.mounts import *\n"
            "path = sys.argv[1] + '/inside'; before = number_of(path), is_mount_point(path)\n"
            "subprocess.run(['mount', '--bind', sys.argv[1], path], check=True)\n"
            "after = number_of(path), is_mount_point(path)\n"
            "print(before[0] != after[0], before[1], after[1], mounts()[-1].number == after[0])\n"
        )
        self.assertEqual(inside(script, os.path.abspath(folder)), "True False True True")


class Watching(SynchronousTestCase):
    def test_a_mount_is_told_of(self) -> None:
        folder = self.mktemp()
        os.mkdir(folder)
        script = (
            "import subprocess, sys, threading; from rotoclear.drivers.mounts import Watch\n"
            "told = threading.Event(); watch = Watch(told.set); watch.start()\n"
            "path = sys.argv[1]\n"
            "for command in (['mount', '-t', 'tmpfs', 'x', path], ['umount', path]):\n"
            "    assert not told.is_set()\n"
            "    subprocess.run(command, check=True)\n"
            "    assert told.wait(10); told.clear()\n"
            "watch.stop(); print('fine')\n"
        )
        self.assertEqual(inside(script, os.path.abspath(folder)), "fine")

    def test_it_ends_when_asked_and_keeps_no_descriptor(self) -> None:
        before = os.listdir("/proc/self/fd")
        watch = Watch(lambda: None)
        watch.start()
        watch.stop()
        self.assertNotIn(watch, threading.enumerate())
        self.assertEqual(os.listdir("/proc/self/fd"), before)
