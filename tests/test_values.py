"""What the value types take, what they make of it, and what they say otherwise."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.values import (
    Boolean,
    Choice,
    Integer,
    InvalidValue,
    Mode,
    Recording,
    Size,
    Text,
    ValueType,
    pixels,
)

ALL: tuple[ValueType, ...] = (
    Boolean(),
    Integer(0, 100),
    Integer(-3, 2**53 - 1),
    Integer(5, 60, choices=(15, 30, 60)),
    Choice(("off", "top-left")),
    Text(4),
    Size(),
    Size(("1920x1080", "640x480")),
    Mode(),
    Mode(("aperture", "night")),
    Recording(),
)

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=10)
    | st.sampled_from(["on", "off", "auto", "manual", "pause", "pause_release", "1920x1080"])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


class ValueTypeTestCase(SynchronousTestCase):
    """Checks what is taken with its type: ``True == 1`` here, but not on the wire."""

    def assert_takes(self, value_type: ValueType, raw: object, canonical: object) -> None:
        value = value_type.parse(raw)
        self.assertEqual((type(value), value), (type(canonical), canonical))

    def assert_refuses(self, value_type: ValueType, raw: object, message: str) -> None:
        error = self.assertRaises(InvalidValue, value_type.parse, raw)
        self.assertEqual(str(error), message)


class Booleans(ValueTypeTestCase):
    """:class:`Boolean`."""

    def test_takes_booleans_only(self):
        self.assert_takes(Boolean(), True, True)
        self.assert_takes(Boolean(), False, False)
        for raw in (1, 0, 1.0, "true", "on", "", None, [], {}):
            with self.subTest(raw=raw):
                self.assert_refuses(Boolean(), raw, "Value must be true or false")


class Integers(ValueTypeTestCase):
    """:class:`Integer`."""

    def test_both_bounds_are_allowed(self):
        for raw in (0, 1, 75, 100):
            self.assert_takes(Integer(0, 100), raw, raw)
        for raw in (-1, 101, 150, 10**400, -(10**400), 1e300):
            with self.subTest(raw=raw):
                self.assert_refuses(Integer(0, 100), raw, "Value must be between 0 and 100")

    def test_a_whole_number_however_it_is_written(self):
        self.assert_takes(Integer(0, 100), 75.0, 75)
        self.assert_takes(Integer(0, 100), -0.0, 0)

    def test_choices(self):
        rates = Integer(5, 60, choices=(15, 30))
        self.assert_takes(rates, 30.0, 30)
        self.assert_refuses(rates, 25, "Value must be one of 15, 30")
        self.assert_refuses(rates, 61, "Value must be between 5 and 60")

    def test_nothing_else(self):
        message = "Value must be an integer between 5 and 60"
        for raw in (75.5, math.nan, math.inf, -math.inf, True, False, "30", None, [30], {}):
            with self.subTest(raw=raw):
                self.assert_refuses(Integer(5, 60), raw, message)


class Choices(ValueTypeTestCase):
    """:class:`Choice`."""

    def test_one_of_the_names(self):
        choice = Choice(("off", "top-left"))
        self.assert_takes(choice, "top-left", "top-left")
        for raw in ("Off", "off ", "", "side", None, 0, False, ["off"], {"off": 1}):
            with self.subTest(raw=raw):
                self.assert_refuses(choice, raw, "Value must be one of off, top-left")


class Texts(ValueTypeTestCase):
    """:class:`Text`."""

    def test_up_to_a_length(self):
        for raw in ("", "four", "äöü€"):
            self.assert_takes(Text(4), raw, raw)
        for raw in ("fives", None, 1, True, ["a"]):
            with self.subTest(raw=raw):
                self.assert_refuses(Text(4), raw, "Value must be a text of at most 4 characters")


class Sizes(ValueTypeTestCase):
    """:class:`Size`."""

    def test_any_size_while_nobody_knows(self):
        for raw in ("1920x1080", "1x1", "99999x99999"):
            self.assert_takes(Size(), raw, raw)
        message = 'Value must be a size such as "1920x1080" (width x height in pixels)'
        for raw in (
            "1920X1080",
            "1920x1080\n",
            " 1920x1080",
            "0x0",
            "01x1",
            "1x",
            "x1",
            "1920",
            "100000x1",
            "\u0661x\u0661",
            "",
            1920,
            None,
            True,
            ["1x1"],
        ):
            with self.subTest(raw=raw):
                self.assert_refuses(Size(), raw, message)

    def test_one_of_the_cameras(self):
        size = Size(("1920x1080", "640x480"))
        self.assert_takes(size, "640x480", "640x480")
        for raw in ("1280x720", "", None, 640):
            with self.subTest(raw=raw):
                self.assert_refuses(size, raw, "Value must be one of 1920x1080, 640x480")

    def test_pixels(self):
        self.assertEqual(pixels("1920x1080"), (1920, 1080))
        self.assertRaises(InvalidValue, pixels, "wide")


class Modes(ValueTypeTestCase):
    """:class:`Mode`."""

    def test_on_and_off(self):
        for raw, canonical in (
            (True, True),
            (False, False),
            ("on", True),
            ("auto", True),
            ("off", False),
            ("manual", False),
        ):
            self.assert_takes(Mode(), raw, canonical)

    def test_the_cameras_own(self):
        self.assert_takes(Mode(("night",)), "night", "night")
        self.assert_refuses(
            Mode(("night",)),
            "day",
            "Value must be true, false or one of on, auto, off, manual, night",
        )

    def test_nothing_else(self):
        message = "Value must be true, false or one of on, auto, off, manual"
        for raw in ("On", "", "night", 1, 0, 1.0, None, [], {}):
            with self.subTest(raw=raw):
                self.assert_refuses(Mode(), raw, message)


class Recordings(ValueTypeTestCase):
    """:class:`Recording`."""

    def test_states_and_steps(self):
        for raw, canonical in (
            (True, True),
            (False, False),
            ("on", True),
            ("off", False),
            ("pause", "pause"),
            ("pause_release", "pause_release"),
        ):
            self.assert_takes(Recording(), raw, canonical)

    def test_nothing_else(self):
        message = 'Value must be true, false, "on", "off", "pause" or "pause_release"'
        for raw in ("ON", "auto", "", "paused", 1, 0, None, ["on"], {}):
            with self.subTest(raw=raw):
                self.assert_refuses(Recording(), raw, message)


class AllTypes(SynchronousTestCase):
    """What holds for each of them, whatever comes."""

    def test_schemas_are_schemas(self):
        for value_type in ALL:
            with self.subTest(value_type=value_type):
                Draft202012Validator.check_schema(value_type.schema())
                Draft202012Validator.check_schema(value_type.input_schema())

    @given(raw=JSON)
    def test_takes_what_its_schema_takes(self, raw: object):
        for value_type in ALL:
            taken = Draft202012Validator(value_type.input_schema()).is_valid(raw)
            try:
                value = value_type.parse(raw)
            except InvalidValue as error:
                self.assertFalse(taken, (value_type, raw))
                self.assertRegex(str(error), "^Value must be ")
            else:
                self.assertTrue(taken, (value_type, raw))
                if value != "pause_release":  # a step, not a state
                    self.assertTrue(Draft202012Validator(value_type.schema()).is_valid(value))
                    again = value_type.parse(value)
                    self.assertEqual((type(again), again), (type(value), value))
