"""What a driver says of itself, held against what the interfaces allow."""

from __future__ import annotations

import re
from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface import directlyProvides

from rotoclear.devices.declared import keys, matches, options
from rotoclear.devices.kinds import KindError
from rotoclear.interfaces import DriverKey, IKeys, Match, Option
from rotoclear.values import Boolean, Choice, Integer, Mode, Text, Value, ValueType


class Driver:
    def __init__(self, **attributes: Any) -> None:
        vars(self).update(attributes)


def option(**values: Any) -> Option:
    said: dict[str, Any] = {"name": "speed", "default": 5, "doc": "How fast."}
    return Option(**(said | values))


def key(name: str = "vendor-acme", **values: Any) -> DriverKey:
    said: dict[str, Any] = {"type": Boolean(), "default": False, "doc": "It.", "writable": False}
    return DriverKey(name=name, **(said | values))


class Case(SynchronousTestCase):
    def refused(self, check: Any, driver: object, text: str) -> None:
        with self.assertRaisesRegex(KindError, re.escape(text)):
            check(driver)


class Matches(Case):
    def test_good_ones(self) -> None:
        good = (
            Match(subsystem="video4linux"),
            Match(subsystem="block", devtype="partition", properties={"ID_FS_TYPE": "?*"}),
        )
        self.assertEqual(matches(Driver(matches=good)), good)
        self.assertEqual(matches(Driver(matches=[])), ())

    def test_bad_ones(self) -> None:
        for bad, text in (
            ("leds", "matches must be a tuple of Match, not 'leds'"),
            (None, "matches must be a tuple of Match, not None"),
            (("leds",), "matches[0] must be a Match, not 'leds'"),
            ((Match(subsystem=""),), "matches[0].subsystem must name one"),
            ((Match(subsystem=5),), "matches[0].subsystem: Expected str, got int"),  # type: ignore[arg-type]
            ((Match(subsystem="x", devtype=""),), "matches[0].devtype must be"),
            ((Match(subsystem="x", properties={"A": 1}),), "matches[0].properties[...]: Expected"),  # type: ignore[dict-item]
            ((Match(subsystem="x", properties={"": "*"}),), "matches[0].properties must"),
            ((Match(subsystem="x"),) * 65, "matches must be at most 64, not 65"),
        ):
            self.refused(matches, Driver(matches=bad), text)


class Options(Case):
    def one(self, text: str, **values: Any) -> None:
        self.refused(options, Driver(options=(option(**values),)), text)

    def test_good_ones(self) -> None:
        good = (
            option(),
            option(name="a", default=True),
            option(name="b", default=1.5, minimum=1, maximum=2),
            option(name="c", default="x", choices=("x", "y")),
            option(name="d", default=("x",), choices=("x", "y")),
            option(name="e", default=()),
        )
        self.assertEqual(options(Driver(options=good)), good)

    def test_names(self) -> None:
        for name in ("", "Speed", "a_b", "x" * 65):
            self.one("options[0].name must be small letters, digits and hyphens", name=name)
        self.refused(options, Driver(options=(option(), option())), "options: speed is there twice")

    def test_docs(self) -> None:
        for doc in ("", "two\nlines", "x" * 501):
            self.one("options[0] (speed).doc must be one line", doc=doc)

    def test_defaults(self) -> None:
        self.one("options[0].default: Expected", default=None)
        self.one("options[0].default", default=(1,))
        self.one("nan must be a finite number", default=float("nan"))

    def test_bounds(self) -> None:
        self.one(".minimum and .maximum are for numbers", default="x", minimum=1)
        self.one(".minimum and .maximum are for numbers", default=True, maximum=1)
        self.one(".minimum must not be greater than .maximum", minimum=6, maximum=4)
        self.one(".default must be within .minimum and .maximum, and is 5", minimum=6)
        self.one(".default must be within .minimum and .maximum, and is 5", maximum=4)
        self.one("inf must be a finite number", maximum=float("inf"))
        self.one("options[0].minimum: Expected", minimum="1")

    def test_choices(self) -> None:
        self.one(".choices are for texts", choices=("a",))
        self.one(".choices must all be different", default="a", choices=("a", "a"))
        self.one(".choices must be texts of 1 to", default="a", choices=("a", ""))
        self.one(".default must be one of .choices, and is 'c'", default="c", choices=("a", "b"))
        self.one(".default must be one of .choices", default=("a", "c"), choices=("a", "b"))


class Keys(Case):
    def one(self, text: str, **values: Any) -> None:
        self.refused(keys, Driver(keys=(key(**values),)), text)

    def test_good_ones(self) -> None:
        types: list[tuple[ValueType, Value]] = [
            (Boolean(), True),
            (Integer(0, 10, "mm", (1, 5)), 5),
            (Choice(("a", "b")), "a"),
            (Text(4096), "x"),
        ]
        good = tuple(
            key(f"vendor-acme-{number}", type=kind, default=default)
            for number, (kind, default) in enumerate(types)
        )
        self.assertEqual(keys(Driver(keys=good)), good)

    def test_names(self) -> None:
        for name in ("acme", "vendor", "vendor-", "vendor-A", "vendor--a", "vendor-" + "x" * 58):
            self.one("keys[0].name must be vendor- and words", name=name)
        self.refused(keys, Driver(keys=(key(), key())), "keys: vendor-acme is there twice")

    def test_types(self) -> None:
        self.one("keys[0].type must be Boolean, Integer, Choice, Text", type=Mode())
        self.one("keys[0].type must be Boolean", type=bool)

        class Odd(Boolean):
            pass

        self.one("keys[0].type must be Boolean", type=Odd())
        for bad, default in (
            (Integer(5, 4), 5),
            (Integer(0, 2**53), 5),
            (Integer(0, 9, "", (5, 1)), 5),
            (Integer(0, 9, "", (5, 10)), 5),
            (Choice(()), "a"),
            (Choice(("a", "a")), "a"),
            (Text(0), ""),
            (Text(4097), ""),
            (Text("5"), ""),  # type: ignore[arg-type]
        ):
            self.one("keys[0]", type=bad, default=default)

    def test_defaults(self) -> None:
        self.one("keys[0] (vendor-acme).default, 5: Value must be true or false", default=5)
        self.one("default, 'c': Value must be one of a, b", type=Choice(("a", "b")), default="c")

    def test_permissions(self) -> None:
        self.one("keys[0].permission: Invalid enum value 'Root'", permission="Root")

    def test_too_many(self) -> None:
        many = tuple(key(f"vendor-a{number}") for number in range(33))
        self.refused(keys, Driver(keys=many), "keys must be at most 32, not 33")

    def test_somebody_must_take_what_is_written(self) -> None:
        driver = Driver(keys=(key(writable=True),))
        self.refused(
            keys, driver, "keys: vendor-acme is writable, so the driver must provide IKeys"
        )
        directlyProvides(driver, IKeys)
        self.refused(keys, driver, "set_key")

        class Good(Driver):
            def set_key(self, name: str, value: Value) -> None: ...

        good = Good(keys=(key(writable=True),))
        directlyProvides(good, IKeys)
        self.assertEqual(len(keys(good)), 1)
