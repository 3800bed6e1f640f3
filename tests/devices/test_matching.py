"""Which of the kernel's devices a driver is for."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rotoclear.devices.matching import fits
from rotoclear.interfaces import Match, UdevDevice

STICK = UdevDevice(
    path="/sys/devices/sda1",
    subsystem="block",
    properties={"DEVTYPE": "partition", "ID_BUS": "usb", "ID_VENDOR_ID": "1d6b"},
)


class Fits(SynchronousTestCase):
    def fits(self, *matches: Match, properties: bool = True) -> bool:
        return fits(STICK, matches, properties=properties)

    def test_the_subsystem_and_the_type_must_be_the_same(self) -> None:
        self.assertTrue(self.fits(Match(subsystem="block")))
        self.assertTrue(self.fits(Match(subsystem="block", devtype="partition")))
        self.assertFalse(self.fits(Match(subsystem="bloc*")))
        self.assertFalse(self.fits(Match(subsystem="block", devtype="disk")))

    def test_every_property_must_be_there_and_fit_its_pattern(self) -> None:
        for properties, fit in (
            ({"ID_BUS": "usb"}, True),
            ({"ID_BUS": "u?b", "ID_VENDOR_ID": "1d[0-9]*"}, True),
            ({"ID_BUS": "USB"}, False),
            ({"ID_BUS": "usb", "ID_VENDOR_ID": "0*"}, False),
            ({"ID_MODEL": "*"}, False),
        ):
            match = Match(subsystem="block", properties=properties)
            self.assertEqual(self.fits(match), fit, properties)

    def test_any_one_match_is_enough_and_none_is_not(self) -> None:
        self.assertTrue(self.fits(Match(subsystem="leds"), Match(subsystem="block")))
        self.assertFalse(self.fits())

    def test_properties_that_nobody_knows_are_not_looked_at(self) -> None:
        usb = Match(subsystem="block", devtype="partition", properties={"ID_BUS": "ata"})
        self.assertFalse(self.fits(usb))
        self.assertTrue(self.fits(usb, properties=False))
        disk = Match(subsystem="block", devtype="disk", properties={"ID_BUS": "usb"})
        self.assertFalse(self.fits(disk, properties=False))
