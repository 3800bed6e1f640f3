"""Acme's drivers pass rotoclear's tests, with a simulated machine."""

from __future__ import annotations

import logging
import tempfile
from unittest import TestCase
from unittest.mock import patch

from acme.camera import AcmeCamera
from acme.lamp import AcmeLamp
from acme.machine import Machine
from acme.storage import AcmeStorage
from rotoclear.interfaces import DriverContext
from rotoclear.testing import CameraDriverTests, LightDriverTests, StorageDriverTests


class WithMachine:
    """A machine for each test, whose cables can be pulled."""

    def setUp(self) -> None:
        self.machine = Machine()
        self.addCleanup(self.machine.close)
        self.options = {"address": self.machine.address}

    def unplug(self, identity: str) -> None:
        self.machine.unplug(identity)

    def plug(self, identity: str) -> None:
        self.machine.plug(identity)


class TestCamera(WithMachine, CameraDriverTests, TestCase):
    module, attribute = "rotoclear.plugins.acme_camera", "acme_camera"

    def make_driver(self) -> AcmeCamera:
        return AcmeCamera()

    def test_camera_that_is_unplugged_while_it_is_looked_for(self) -> None:
        driver = AcmeCamera()
        driver.start(
            DriverContext(
                log=logging.getLogger("acme"),
                options=self.options,
                changed=lambda: None,
                devices=lambda: (),
                publish=lambda key, value: None,
                data_dir=tempfile.gettempdir(),
            )
        )
        self.machine.unplug("camera")
        with patch("acme.camera.plugged", return_value=True):
            self.assertEqual(driver.find(), [])


class TestLamp(WithMachine, LightDriverTests, TestCase):
    module, attribute = "rotoclear.plugins.acme_lamp", "acme_lamp"

    def make_driver(self) -> AcmeLamp:
        return AcmeLamp()


class TestStorage(WithMachine, StorageDriverTests, TestCase):
    module, attribute = "rotoclear.plugins.acme_storage", "acme_storage"

    def setUp(self) -> None:
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.options = {**self.options, "folder": folder.name}

    def make_driver(self) -> AcmeStorage:
        return AcmeStorage()
