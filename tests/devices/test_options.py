"""A driver's section of the configuration."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rotoclear.devices.options import BadOptions, settings
from rotoclear.interfaces import Option


def option(name: str, default: Any, **more: Any) -> Option:
    return Option(name=name, default=default, doc="It.", **more)


OPTIONS = (
    option("mirror", False),
    option("buffers", 4, minimum=2, maximum=32),
    option("least", 4, minimum=2),
    option("most", 4, maximum=8),
    option("any", 4),
    option("speed", 1.5, minimum=0, maximum=2),
    option("folder", "/dev"),
    option("mode", "fast", choices=("fast", "slow")),
    option("ports", ("a",)),
    option("faces", (), choices=("left", "right")),
)


class Settings(SynchronousTestCase):
    def wrong(self, section: dict[str, object]) -> str:
        with self.assertRaises(BadOptions) as caught:
            settings("acme", OPTIONS, section)
        return str(caught.exception)

    def test_defaults_are_filled_in(self) -> None:
        defaults = {option.name: option.default for option in OPTIONS}
        self.assertEqual(settings("acme", OPTIONS, {}), defaults)
        self.assertEqual(settings("acme", OPTIONS, {"any": 5}), defaults | {"any": 5})

    def test_what_fits_is_taken_in_the_options_own_type(self) -> None:
        good: dict[str, object] = {
            "mirror": True,
            "buffers": 32,
            "least": 2,
            "most": -5,
            "speed": 2,
            "folder": "",
            "mode": "slow",
            "ports": ["x", "y"],
            "faces": ["right", "left"],
        }
        found = settings("acme", OPTIONS, good)
        expected = good | {"any": 4, "ports": ("x", "y"), "faces": ("right", "left")}
        self.assertEqual(found, expected)
        self.assertIs(type(found["speed"]), float)

    def test_what_does_not_is_told_with_what_would(self) -> None:
        for name, value, text in (
            ("mirror", 1, "true or false, not 1"),
            ("mirror", "yes", "true or false, not 'yes'"),
            ("buffers", 33, "a whole number from 2 to 32, not 33"),
            ("buffers", 1, "a whole number from 2 to 32, not 1"),
            ("buffers", 4.0, "a whole number from 2 to 32, not 4.0"),
            ("buffers", True, "a whole number from 2 to 32, not true"),
            ("least", 1, "a whole number of at least 2, not 1"),
            ("most", 9, "a whole number of at most 8, not 9"),
            ("any", "4", "a whole number, not '4'"),
            ("speed", 2.5, "a number from 0 to 2, not 2.5"),
            ("speed", float("nan"), "a number from 0 to 2, not nan"),
            ("speed", float("inf"), "a number from 0 to 2, not inf"),
            ("speed", False, "a number from 0 to 2, not false"),
            ("folder", 5, "text in quotes, not 5"),
            ("folder", ["/dev"], "text in quotes, not ['/dev']"),
            ("mode", "Fast", "one of fast, slow, not 'Fast'"),
            ("ports", "a", "a list, each text in quotes, not 'a'"),
            ("ports", ["a", 1], "a list, each text in quotes, not ['a', 1]"),
            ("faces", ["up"], "a list, each one of left, right, not ['up']"),
        ):
            self.assertEqual(self.wrong({name: value}), f"[drivers.acme] {name}: must be {text}")

    def test_a_long_value_is_cut(self) -> None:
        self.assertLess(len(self.wrong({"mirror": "x" * 10_000})), 150)

    def test_an_option_that_there_is_not(self) -> None:
        self.assertEqual(
            self.wrong({"bufers": 5}),
            "[drivers.acme] bufers: there is no such option; did you mean buffers?",
        )
        self.assertIn("there are: mirror, buffers,", self.wrong({"qqq": 5}))
        with self.assertRaisesRegex(BadOptions, "there is no such option; it has none"):
            settings("acme", (), {"x": 1})

    def test_all_that_is_wrong_is_told_at_once(self) -> None:
        self.assertEqual(
            self.wrong({"any": "x", "mode": "y"}),
            "[drivers.acme] any: must be a whole number, not 'x'; "
            "[drivers.acme] mode: must be one of fast, slow, not 'y'",
        )
