"""A folder to record in: real folders, and real file systems in a mount namespace."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rotoclear.devices.describe import description, usage
from rotoclear.devices.kinds import kind_of
from rotoclear.drivers.directory import FolderStorage
from rotoclear.interfaces import (
    DeviceGone,
    DriverUnusable,
    IStorageDriver,
    IVolume,
    Setting,
)
from rotoclear.plugins import rotoclear_directory
from tests.drivers.contexts import Played

NOBODY = 65534

MOUNTED = """
import os, subprocess, sys
from rotoclear.drivers.directory import FolderStorage
from rotoclear.interfaces import DeviceFailure, DeviceGone
from tests.drivers.contexts import Played

path = sys.argv[1]
driver = FolderStorage()
played = Played(driver, {"folder": path, "mount-point": True})

def run(*command):
    subprocess.run(command, check=True)

def failure(call):
    try:
        call()
    except DeviceFailure as failure:
        return type(failure).__name__ + ": " + str(failure)
    return "none"

"""


def mounted(script: str, path: str) -> list[str]:
    """What a script prints where it may mount things, line by line."""
    command = ["unshare", "--map-root-user", "--mount", sys.executable, "-c", MOUNTED + script]
    done = subprocess.run([*command, path], check=True, capture_output=True, text=True, timeout=60)
    return done.stdout.splitlines()


class FolderCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.data_dir = Path(self.mktemp()).absolute()
        self.data_dir.mkdir()

    def started(self, **options: Setting) -> FolderStorage:
        driver = FolderStorage()
        self.played = Played(driver, options, str(self.data_dir))
        return driver


class Finding(FolderCase):
    def test_it_is_a_driver_of_volumes(self) -> None:
        verifyObject(IStorageDriver, rotoclear_directory.folder_storage)
        self.assertEqual(kind_of(rotoclear_directory.folder_storage), "storage")

    def test_a_folder_in_the_data_folder_is_made(self) -> None:
        driver = self.started()
        self.assertEqual(driver.find(), ["internal"])
        made = self.data_dir / "media"
        self.assertEqual(made.stat().st_mode & 0o7777, 0o700)
        described = driver.open("internal").describe()
        self.assertEqual(
            (described.path, described.name, described.removable),
            (str(made), "Internal storage", False),
        )

    def test_another_folder_is_another_volume_the_same_next_time(self) -> None:
        folder = str(self.data_dir / "deep/down")
        driver = self.started(folder=folder, name="Disk")
        (identity,) = driver.find()
        self.assertEqual(identity, f"folder:{folder}")
        self.assertTrue(os.path.isdir(folder))
        volume = driver.open(identity)
        verifyObject(IVolume, volume)
        described = volume.describe()
        self.assertEqual(
            description("storage", identity, msgspec.to_builtins(described)), described
        )
        self.assertEqual((described.name, described.path), ("Disk", folder))
        self.assertEqual(self.started(folder=f"{folder}/").find(), [identity])

    def test_an_odd_path_has_an_identity_too(self) -> None:
        identities = set()
        for name in ("Ä", "x" * 130):
            driver = self.started(folder=str(self.data_dir / name))
            (identity,) = driver.find()
            described = driver.open(identity).describe()
            description("storage", identity, msgspec.to_builtins(described))
            identities.add(identity)
        self.assertEqual(len(identities), 2)

    def test_a_relative_path_is_refused(self) -> None:
        with self.assertRaisesRegex(DriverUnusable, "no absolute path"):
            self.started(folder="media")

    def test_a_file_in_its_place_is_said_once(self) -> None:
        (self.data_dir / "media").write_text("")
        driver = self.started()
        self.assertEqual([driver.find(), driver.find()], [[], []])
        (said,) = self.played.said
        self.assertRegex(said, "media: Not a directory")
        (self.data_dir / "media").unlink()
        self.assertEqual(driver.find(), ["internal"])

    def test_a_folder_of_somebody_else_is_said_once(self) -> None:
        (self.data_dir / "media").mkdir()
        (self.data_dir / "media").chmod(0o500)
        if os.geteuid() == 0:
            # access(2) asks for the real user.
            os.setresuid(NOBODY, NOBODY, 0)
            self.addCleanup(os.setresuid, 0, 0, 0)
        driver = self.started()
        self.assertEqual([driver.find(), driver.find()], [[], []])
        (said,) = self.played.said
        self.assertRegex(said, "media: Permission denied.*user")

    def test_what_is_not_there_cannot_be_opened(self) -> None:
        with self.assertRaises(DeviceGone):
            self.started().open("folder:/other")


class Using(FolderCase):
    def test_it_says_how_full_it_is(self) -> None:
        volume = self.started()
        volume.find()
        status = os.statvfs(self.data_dir)
        shown = volume.open("internal").usage()
        self.assertEqual(usage(msgspec.to_builtins(shown)), shown)
        self.assertEqual(shown.total, status.f_blocks * status.f_frsize)
        self.assertLess(abs(shown.free - status.f_bavail * status.f_frsize), shown.total / 10)

    def test_nothing_is_left_in_it(self) -> None:
        driver = self.started()
        driver.find()
        volume = driver.open("internal")
        volume.probe()
        volume.close()
        driver.stop()
        self.assertEqual(os.listdir(self.data_dir / "media"), [])

    def test_removed_it_is_gone_and_comes_back(self) -> None:
        driver = self.started()
        driver.find()
        volume = driver.open("internal")
        volume.probe()
        (self.data_dir / "media").rmdir()
        for call in (volume.probe, volume.usage):
            with self.assertRaises(DeviceGone):
                call()
        self.assertEqual(driver.find(), ["internal"])
        volume.probe()


class Mounted(FolderCase):
    def test_only_what_is_mounted_is_a_volume(self) -> None:
        lines = mounted(
            """
print(driver.find(), len(played.said))
run("mount", "-t", "tmpfs", "-o", "size=1m", "x", path)
(identity,) = driver.find()
volume = driver.open(identity)
volume.probe()
print(volume.usage().total)
run("umount", path)
print(failure(volume.probe))
print(driver.find(), failure(lambda: driver.open(identity)))
""",
            str(self.data_dir),
        )
        path = self.data_dir
        self.assertEqual(
            lines,
            [
                "[] 1",
                "1048576",
                f"DeviceGone: Nothing is mounted at {path} any more",
                f"[] DeviceGone: Nothing is mounted at {path}",
            ],
        )

    def test_nothing_is_made_where_nothing_is_mounted(self) -> None:
        driver = self.started(folder=str(self.data_dir / "disk"), mount_point=True)
        self.assertEqual(driver.find(), [])
        self.assertEqual(os.listdir(self.data_dir), [])

    def test_one_that_has_become_read_only_fails_and_is_not_found(self) -> None:
        lines = mounted(
            """
run("mount", "-t", "tmpfs", "x", path)
(identity,) = driver.find()
volume = driver.open(identity)
run("mount", "-o", "remount,ro", path)
print(failure(volume.probe).partition(" now")[0])
print(driver.find(), played.said)
run("mount", "-o", "remount,rw", path)
volume.probe()
print(len(driver.find()))
""",
            str(self.data_dir),
        )
        path = self.data_dir
        self.assertEqual(
            lines,
            [
                f"DeviceFailure: The file system of {path} is read-only",
                f"[] ['The folder {path}: Read-only file system']",
                "1",
            ],
        )

    def test_a_full_one_can_be_opened(self) -> None:
        lines = mounted(
            """
run("mount", "-t", "tmpfs", "-o", "size=64k", "x", path)
try:
    with open(path + "/big", "wb") as file:
        file.write(bytes(1_000_000))
except OSError:
    pass
(identity,) = driver.find()
print(driver.open(identity).usage().free)
""",
            str(self.data_dir),
        )
        self.assertEqual(lines, ["0"])

    def test_one_that_takes_no_file_cannot_be_opened(self) -> None:
        """In /proc nobody can make a file, though it is not read-only and root may write."""
        lines = mounted(
            """
run("mount", "--rbind", "/proc", path)
driver.find()
print(failure(lambda: driver.open("folder:" + path)).split(":")[0])
""",
            str(self.data_dir),
        )
        self.assertEqual(lines, ["DeviceFailure"])
