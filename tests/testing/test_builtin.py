"""The drivers that come with the server pass the tests that its vendors' must pass."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rotoclear.drivers.directory import FolderStorage
from rotoclear.drivers.simulated import SimulatedHead, SimulatedLights, SimulatedStorage
from rotoclear.testing import CameraDriverTests, LightDriverTests, StorageDriverTests

MODULE = "rotoclear.plugins.rotoclear_simulated"


class SimulatedCamera(CameraDriverTests, SynchronousTestCase):
    module, attribute = MODULE, "simulated_head_2"
    seconds = 0.3

    def make_driver(self) -> Any:
        return SimulatedHead(2)


class SimulatedLamp(LightDriverTests, SynchronousTestCase):
    module, attribute = MODULE, "simulated_lights"

    def make_driver(self) -> Any:
        return SimulatedLights()


class SimulatedVolume(StorageDriverTests, SynchronousTestCase):
    module, attribute = MODULE, "simulated_storage"

    def make_driver(self) -> Any:
        return SimulatedStorage()


class Folder(StorageDriverTests, SynchronousTestCase):
    """A folder is unplugged by putting a file in its place: one that is missing is made again."""

    module, attribute = "rotoclear.plugins.rotoclear_directory", "folder_storage"

    def setUp(self) -> None:
        place = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, place)
        self.folder, self.away_folder = place / "folder", place / "away"
        self.folder.mkdir()
        self.options = {"folder": str(self.folder)}

    def make_driver(self) -> Any:
        return FolderStorage()

    def unplug(self, identity: str) -> None:
        self.folder.rename(self.away_folder)
        self.folder.touch()

    def plug(self, identity: str) -> None:
        self.folder.unlink()
        self.away_folder.rename(self.folder)
