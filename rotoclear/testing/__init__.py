"""
What a driver's vendor proves it with.

A class of tests for each driver, of whatever kind of test case there is::

    from unittest import TestCase
    from rotoclear.testing import LightDriverTests
    from acme.lamp import AcmeLamp

    class TestAcmeLamp(LightDriverTests, TestCase):
        module, attribute = "rotoclear.plugins.acme_lamp", "acme_lamp"
        options = {"address": "127.0.0.1:4711"}

        def make_driver(self):
            return AcmeLamp()

unittest, pytest and trial run it (:class:`unittest.TestCase` or trial's
``SynchronousTestCase``). Every check is made in this process, and through the
process that the server would start if ``module`` and ``attribute`` are said.

On real hardware: ``python -m rotoclear.testing MODULE:ATTRIBUTE``.
"""

from rotoclear.testing.camera import CameraDriverTests
from rotoclear.testing.light import LightDriverTests
from rotoclear.testing.report import Report
from rotoclear.testing.storage import StorageDriverTests

__all__ = ["CameraDriverTests", "LightDriverTests", "Report", "StorageDriverTests"]
