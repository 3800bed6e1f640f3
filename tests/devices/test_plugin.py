"""Which plugins may stay."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rotoclear.devices.plugin import Plugin, judged


def plugin(name: str, distribution: str = "acme 1.0", **more: Any) -> Plugin:
    values: dict[str, Any] = {"kind": "light", "module": "rotoclear.plugins.acme"}
    return Plugin(name=name, attribute="driver", distribution=distribution, **(values | more))


OURS = plugin("simulated-lights", "rotoclear 0.1.0", builtin=True)


class Judged(SynchronousTestCase):
    def test_a_vendors_plugin_with_a_name_of_its_own_is_loaded(self) -> None:
        theirs = plugin("acme")
        self.assertEqual(judged([OURS], [theirs]), [theirs])

    def test_a_vendor_never_displaces_a_builtin_driver(self) -> None:
        (verdict,) = judged([OURS], [plugin("simulated-lights")])
        self.assertEqual(verdict.state, "refused")
        self.assertEqual(verdict.reason, "There is a built-in driver named simulated-lights")

    def test_two_with_one_name_are_both_refused_and_both_named(self) -> None:
        verdicts = judged([OURS], [plugin("x", "acme 1.0"), plugin("y"), plugin("x", "bolt 2.0")])
        self.assertEqual([v.state for v in verdicts], ["refused", "loaded", "refused"])
        for verdict in (verdicts[0], verdicts[2]):
            self.assertIn("acme 1.0", verdict.reason)
            self.assertIn("bolt 2.0", verdict.reason)

    def test_one_that_is_refused_anyway_takes_no_name(self) -> None:
        bad = plugin("x", state="refused", reason="It lacks find")
        good = plugin("x", "bolt 2.0")
        self.assertEqual(judged([OURS], [bad, good]), [bad, good])
