"""Sticks, on played sysfs and mountinfo; tests/hil/guest_removable.py has the kernel's."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rotoclear.devices.describe import description
from rotoclear.devices.kinds import kind_of
from rotoclear.drivers.mounts import number_of
from rotoclear.drivers.removable import RemovableStorage
from rotoclear.interfaces import (
    DeviceFailure,
    DeviceGone,
    DriverUnusable,
    IStorageDriver,
    IVolume,
    Setting,
    UdevDevice,
)
from rotoclear.plugins import rotoclear_removable
from tests.drivers.contexts import Played

USB = "devices/pci0/usb1/1-1/1-1:1.0/host0/target0/0:0:0:0/block"


class StickCase(SynchronousTestCase):
    """
    Sticks are folders in sysfs, and their mounts folders of this disk.

    So that the mounts' numbers are right, all have the number of the mount that this disk has.
    """

    def setUp(self) -> None:
        self.top = Path(self.mktemp()).absolute()
        self.sysfs = self.top / "sys"
        (self.sysfs / "dev/block").mkdir(parents=True)
        self.mountinfo = self.top / "mountinfo"
        self.mountinfo.write_text("")
        self.number = number_of(str(self.top))
        self.jobs: list[Callable[[], None]] = []
        self.asked: list[str] = []
        self.plugged: dict[str, UdevDevice] = {}

    def mount_it(self, node: str) -> None:
        self.asked.append(node)

    def started(self, **options: Setting) -> RemovableStorage:
        self.driver = RemovableStorage(
            str(self.mountinfo), str(self.sysfs), lambda node: self.mount_it(node), self.jobs.append
        )
        self.played = Played(self.driver, options, data_dir="/nowhere")
        self.addCleanup(self.driver.stop)
        return self.driver

    def plug(self, name: str = "sda1", minor: int = 1, **properties: str) -> str:
        """Plug a stick; where its mount would be."""
        disk = self.sysfs / USB / name[:3]
        folder = disk / name if len(name) > 3 else disk
        folder.mkdir(parents=True)
        (disk / "removable").write_text("0\n")
        if folder != disk:
            (folder / "partition").write_text("1\n")
        (self.sysfs / f"dev/block/8:{minor}").symlink_to(folder)
        known = {
            "MAJOR": "8",
            "MINOR": str(minor),
            "DEVTYPE": "disk" if folder == disk else "partition",
            "ID_FS_USAGE": "filesystem",
            "ID_FS_UUID": "A89C-243A",
            "ID_FS_LABEL": "ROTO_USB",
            "ID_FS_LABEL_ENC": "ROTO\\x20USB",
        }
        known |= properties
        self.plugged[name] = UdevDevice(
            path=str(folder),
            subsystem="block",
            node=f"/dev/{name}",
            properties={key: value for key, value in known.items() if value},
        )
        self.played.devices = list(self.plugged.values())
        return str(self.top / f"media {name}")

    def pull(self, name: str = "sda1", minor: int = 1) -> None:
        shutil.rmtree(self.sysfs / USB / name[:3])
        (self.sysfs / f"dev/block/8:{minor}").unlink()
        del self.plugged[name]
        self.played.devices = list(self.plugged.values())

    def mount(
        self, path: str, device: str = "8:1", node: str = "/dev/sda1", how: str = "rw"
    ) -> None:
        os.makedirs(path, exist_ok=True)
        with self.mountinfo.open("a") as file:
            escaped = path.replace(" ", "\\040")
            file.write(f"{self.number} 1 {device} / {escaped} {how} - vfat {node} {how}\n")

    def unmount(self) -> None:
        self.mountinfo.write_text("")

    def work(self) -> None:
        """Do the jobs that were begun."""
        jobs = self.jobs[:]
        self.jobs.clear()
        for job in jobs:
            job()

    def found(self) -> list[str]:
        """What is found when what had to be done has been done."""
        self.driver.find()
        self.work()
        return list(self.driver.find())


class Finding(StickCase):
    def test_it_is_a_driver_of_volumes(self) -> None:
        verifyObject(IStorageDriver, rotoclear_removable.removable_storage)
        self.assertEqual(kind_of(rotoclear_removable.removable_storage), "storage")

    def test_a_mounted_stick_is_found_when_its_folder_is_ready(self) -> None:
        driver = self.started()
        path = self.plug()
        self.mount(path)
        self.assertEqual(driver.find(), [])
        self.work()
        self.assertEqual(self.played.changes, 1)
        self.assertEqual(driver.find(), ["uuid:A89C-243A"])
        self.assertEqual(self.jobs, [])
        volume = driver.open("uuid:A89C-243A")
        verifyObject(IVolume, volume)
        described = volume.describe()
        raw = msgspec.to_builtins(described)
        self.assertEqual(description("storage", "uuid:A89C-243A", raw), described)
        self.assertEqual(
            (described.name, described.path, described.removable),
            ("ROTO USB", f"{path}/rotoclear", True),
        )
        self.assertEqual(os.listdir(described.path), [])
        self.assertGreater(volume.usage().total, 0)
        volume.close()

    def test_the_folder_is_the_configured_one(self) -> None:
        for folder, below in (("a/b", "/a/b"), ("", ""), ("/c/", "/c")):
            driver = self.started(folder=folder)
            path = self.plug()
            self.mount(path)
            (identity,) = self.found()
            self.assertEqual(driver.open(identity).describe().path, f"{path}{below}")
            self.pull()
            self.unmount()

    def test_a_folder_that_leads_off_the_stick_is_refused(self) -> None:
        with self.assertRaises(DriverUnusable):
            Played(RemovableStorage(), {"folder": "../etc"})
        self.started()
        path = self.plug()
        self.mount(path)
        os.symlink(str(self.top), f"{path}/rotoclear")
        self.assertEqual(self.found(), [])
        self.assertRegex(self.played.said[-1], "/rotoclear: (Not a directory|Too many levels)")

    def test_what_is_no_place_for_recordings_is_left_alone(self) -> None:
        self.started()
        for properties in (
            {"ID_FS_USAGE": "crypto"},
            {"ID_FS_USAGE": ""},
            {"ID_PART_ENTRY_TYPE": "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"},
            {"UDISKS_IGNORE": "1"},
        ):
            self.plug(**properties)
            self.assertEqual(self.found(), [])
            self.pull()
        self.assertEqual(self.asked, [])

    def test_the_systems_disk_is_left_alone_with_all_its_partitions(self) -> None:
        self.started()
        self.plug("sdb1", 17, ID_FS_UUID="B")
        path = self.plug("sda1", 1, ID_FS_UUID="A")
        os.makedirs(self.sysfs / USB / "sda/sda2")
        (self.sysfs / USB / "sda/sda2/partition").write_text("2")
        (self.sysfs / "dev/block/8:2").symlink_to(self.sysfs / USB / "sda/sda2")
        self.mount("/", "8:2", "/dev/sda2")
        self.mount(path)
        self.mount(f"{self.top}/b", "8:17", "/dev/sdb1")
        self.assertEqual(self.found(), ["uuid:B"])

    def test_a_logical_volume_of_the_systems_disk_gives_it_away(self) -> None:
        self.started()
        path = self.plug()
        mapped = self.sysfs / "devices/virtual/block/dm-0/slaves"
        mapped.mkdir(parents=True)
        (self.sysfs / "dev/block/253:0").symlink_to(mapped.parent)
        (mapped / "sda2").symlink_to(self.sysfs / USB / "sda/sda2")
        sda2 = self.sysfs / USB / "sda/sda2"
        sda2.mkdir()
        (sda2 / "partition").write_text("2")
        (sda2 / "dev").write_text("8:2\n")
        (self.sysfs / "dev/block/8:2").symlink_to(sda2)
        self.mount("/", "253:0", "/dev/mapper/root")
        self.mount(path)
        self.assertEqual(self.found(), [])

    def test_a_copy_of_a_stick_is_left_out_and_said_once(self) -> None:
        driver = self.started()
        self.mount(self.plug("sda1", 1))
        self.mount(self.plug("sdb1", 17), "8:17", "/dev/sdb1")
        self.assertEqual(self.found(), ["uuid:A89C-243A"])
        self.assertEqual(list(driver.find()), ["uuid:A89C-243A"])
        (said,) = self.played.said
        self.assertRegex(said, "sdb1.*copy")

    def test_without_udev_a_mounted_stick_is_found_by_its_port(self) -> None:
        driver = self.started()
        nothing = dict.fromkeys(("ID_FS_USAGE", "ID_FS_UUID", "ID_FS_LABEL_ENC"), "")
        path = self.plug(**nothing, ID_FS_LABEL="", PARTN="1")
        self.assertEqual(self.found(), [])
        self.mount(path)
        (identity,) = self.found()
        self.assertEqual(identity, "port:1-1:1.0-part1")
        self.assertEqual(driver.open(identity).describe().name, "media sda1")


class Mounting(StickCase):
    def test_it_is_asked_for_once_and_then_awaited(self) -> None:
        driver = self.started()
        path = self.plug()
        driver.find()
        driver.find()
        self.assertEqual(len(self.jobs), 1)
        self.work()
        self.assertEqual(self.asked, ["/dev/sda1"])
        self.mount(path)
        self.assertEqual(self.found(), ["uuid:A89C-243A"])

    def test_whoever_unmounts_it_is_not_annoyed(self) -> None:
        driver = self.started()
        path = self.plug()
        self.mount(path)
        (identity,) = self.found()
        volume = driver.open(identity)
        self.unmount()
        self.assertEqual(self.found(), [])
        self.assertEqual(self.asked, [])
        with self.assertRaises(DeviceGone):
            driver.open(identity)
        volume.close()
        self.pull()
        self.found()
        self.plug()
        self.found()
        self.assertEqual(self.asked, ["/dev/sda1"])

    def test_a_refusal_is_said_once_and_tried_again_later(self) -> None:
        def refuse(node: str) -> None:
            self.asked.append(node)
            raise DeviceFailure("udisks2 is not there")

        self.mount_it = refuse  # type: ignore[method-assign]
        self.started()
        self.plug()
        self.assertEqual([self.found(), self.found(), self.found()], [[], [], []])
        self.assertEqual(self.asked, ["/dev/sda1"])
        (said,) = self.played.said
        self.assertEqual(said, "ROTO USB (/dev/sda1) is not mounted: udisks2 is not there")

    def test_it_can_be_left_to_others(self) -> None:
        self.started(mount="never")
        path = self.plug()
        self.assertEqual([self.found(), self.found()], [[], []])
        self.assertEqual((self.asked, len(self.played.said)), ([], 1))
        self.mount(path)
        self.assertEqual(self.found(), ["uuid:A89C-243A"])

    def test_a_read_only_stick_is_not_found_and_said_once(self) -> None:
        self.started()
        self.mount(self.plug(), how="ro")
        self.assertEqual([self.found(), self.found()], [[], []])
        (said,) = self.played.said
        self.assertRegex(said, r"ROTO USB \(/dev/sda1\) is mounted read-only")

    def test_nothing_is_made_at_a_path_where_the_stick_is_not_mounted_any_more(self) -> None:
        self.started()
        path = self.plug()
        self.number += 100_000
        self.mount(path)
        self.assertEqual(self.found(), [])
        self.assertEqual(os.listdir(path), [])


class Pulled(StickCase):
    def test_it_is_gone_though_its_mount_is_still_there(self) -> None:
        driver = self.started()
        self.mount(self.plug())
        (identity,) = self.found()
        volume = driver.open(identity)
        volume.probe()
        shutil.rmtree(self.sysfs / USB / "sda")  # and udev has not told yet
        for call in (volume.probe, volume.usage):
            with self.assertRaisesRegex(DeviceGone, "ROTO USB was pulled out"):
                call()
        self.assertEqual(driver.find(), [])
        with self.assertRaises(DeviceGone):
            driver.open(identity)

    def test_unmounted_its_folder_is_gone(self) -> None:
        driver = self.started()
        path = self.plug()
        self.mount(path)
        (identity,) = self.found()
        volume = driver.open(identity)
        shutil.rmtree(path)
        for call in (volume.probe, volume.usage):
            with self.assertRaises(DeviceGone):
                call()
