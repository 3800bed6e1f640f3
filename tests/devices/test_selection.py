"""Which drivers are wanted."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rotoclear.devices.plugin import Plugin
from rotoclear.devices.selection import Selection

SIMULATED = Plugin(name="simulated-lights", module="m", builtin=True, simulated=True)
HARDWARE = Plugin(name="v4l2", module="m", builtin=True)
VENDORS = Plugin(name="acme", module="m")
VENDORS_SIMULATOR = Plugin(name="acme-simulator", module="m", simulated=True)
ALL = (SIMULATED, HARDWARE, VENDORS, VENDORS_SIMULATOR)


class Selections(SynchronousTestCase):
    def wanted(self, *enabled: str, disabled: tuple[str, ...] = ()) -> list[str]:
        selection = Selection(enabled, disabled)
        return [plugin.name for plugin in ALL if not selection.objection(plugin)]

    def test_groups(self) -> None:
        self.assertEqual(self.wanted("simulated"), ["simulated-lights"])
        self.assertEqual(self.wanted("hardware"), ["v4l2"])
        self.assertEqual(self.wanted("vendors"), ["acme", "acme-simulator"])
        self.assertEqual(self.wanted(), [])

    def test_names(self) -> None:
        self.assertEqual(self.wanted("acme", "simulated"), ["simulated-lights", "acme"])

    def test_disabled_comes_first(self) -> None:
        self.assertEqual(self.wanted("acme", "hardware", disabled=("v4l2",)), ["acme"])
        self.assertEqual(self.wanted("acme", "hardware", disabled=("vendors",)), ["v4l2"])

    def test_the_setting_that_keeps_one_from_running_is_named(self) -> None:
        selection = Selection(("simulated",), ("acme", "simulated"))
        self.assertEqual(selection.objection(VENDORS), "disabled-drivers has 'acme'")
        self.assertEqual(selection.objection(SIMULATED), "disabled-drivers has 'simulated'")
        self.assertEqual(
            selection.objection(HARDWARE), "enabled-drivers has neither 'v4l2' nor 'hardware'"
        )

    def test_names_that_there_are_not(self) -> None:
        selection = Selection(("acme", "vendor", "hardware"), ("V4L2", "zzz"))
        self.assertEqual(
            list(selection.unknown({"acme", "v4l2"})),
            [
                "enabled-drivers names 'vendor', and there is no such driver; "
                "did you mean vendors?",
                "disabled-drivers names 'V4L2', and there is no such driver; did you mean v4l2?",
                "disabled-drivers names 'zzz', and there is no such driver",
            ],
        )
