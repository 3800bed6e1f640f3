"""The drivers that come with the server pass the tests that its vendors' must pass."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rotoclear.drivers.simulated import SimulatedHead, SimulatedLights, SimulatedStorage
from rotoclear.testing import CameraDriverTests, LightDriverTests, StorageDriverTests

MODULE = "rotoclear.plugins.rotoclear_simulated"


class SimulatedCamera(CameraDriverTests, SynchronousTestCase):
    module, attribute = MODULE, "simulated_head_2"

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
