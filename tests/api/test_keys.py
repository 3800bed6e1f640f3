"""What ``GET /api/keys`` says, for every key and everybody."""

from __future__ import annotations

import json

from jsonschema import Draft202012Validator
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.api.keys import describe_keys
from rotoclear.api.schemas import KINDS, choices, kind
from rotoclear.state.keys import STORAGE, Key, KeyTable
from rotoclear.state.model import Model
from rotoclear.state.permissions import DEVICE_R, DEVICE_RW, NOTHING, PERMISSIONS, ROLES
from rotoclear.values import Boolean, Choice, Integer, Mode, Recording, Size, Text, ValueType

EVERYTHING = frozenset(PERMISSIONS)


class DescribeKeys(SynchronousTestCase):
    """The whole table at once."""

    def setUp(self) -> None:
        self.model = Model(Clock(), KeyTable())

    def test_everyone_sees_what_they_may_read_and_nothing_else(self):
        for role, permissions in ROLES.items():
            with self.subTest(role=role):
                described = describe_keys(self.model, permissions)
                readable = [n for n, key in self.model.keys.items() if key.readable(permissions)]
                self.assertEqual(list(described), readable)
        self.assertEqual(describe_keys(self.model, NOTHING), {})

    def test_writable_is_about_who_asks(self):
        reader = describe_keys(self.model, frozenset({DEVICE_R}))
        writer = describe_keys(self.model, frozenset({DEVICE_RW}))
        self.assertFalse(any(key["writable"] for key in reader.values()))
        self.assertTrue(writer["brightness"]["writable"])
        self.assertFalse(writer["cam1-exists"]["writable"])
        self.assertFalse(writer["record"]["writable"])

    def test_an_integer(self):
        self.assertEqual(
            describe_keys(self.model, ROLES["operator"])["fps"],
            {
                "type": "integer",
                "schema": {"type": "integer", "minimum": 5, "maximum": 60},
                "input-schema": {"type": "integer", "minimum": 5, "maximum": 60},
                "minimum": 5,
                "maximum": 60,
                "unit": "frames per second",
                "default": 30,
                "writable": True,
                "saved": True,
                "read": ["Device_r", "Device_rw"],
                "write": ["Device_rw"],
                "group": "Video settings",
                "observable": "fps",
                "doc": "Frames per second that the active camera can do at this resolution.",
            },
        )

    def test_what_is_possible_right_now(self):
        self.assertNotIn("choices", describe_keys(self.model, EVERYTHING)["resolution"])
        self.model.narrow("resolution", Size(("1280x720", "640x480")))
        self.model.narrow("cam1-sensor", Integer(1, 2))
        self.model.narrow("auto-exposure", Mode(("aperture",)))
        described = describe_keys(self.model, EVERYTHING)
        self.assertEqual(described["resolution"]["choices"], ["1280x720", "640x480"])
        self.assertEqual(
            described["resolution"]["schema"], {"type": "string", "enum": ["1280x720", "640x480"]}
        )
        self.assertEqual(described["cam1-sensor"]["maximum"], 2)
        self.assertEqual(described["auto-exposure"]["choices"], [False, True, "aperture"])

    def test_a_drivers_own_key(self):
        key = Key(
            name="vendor-acme-wiper",
            observable="wiper",
            type=Choice(("off", "slow", "fast")),
            default="off",
            read=frozenset({DEVICE_R}),
            group=STORAGE,
            doc="Wiper.",
        )
        self.model.add_key(key)
        described = describe_keys(self.model, EVERYTHING)["vendor-acme-wiper"]
        self.assertEqual(described["choices"], ["off", "slow", "fast"])
        self.assertEqual((described["write"], described["writable"]), ([], False))

    def test_schemas_are_schemas_and_defaults_fit(self):
        for name, key in describe_keys(self.model, EVERYTHING).items():
            with self.subTest(key=name):
                self.assertIn(key["type"], KINDS)
                for schema in (key["schema"], key["input-schema"]):
                    Draft202012Validator.check_schema(schema)
                    Draft202012Validator(schema).validate(key["default"])

    def test_it_is_json(self):
        described = describe_keys(self.model, EVERYTHING)
        self.assertEqual(json.loads(json.dumps(described)), described)


class Types(SynchronousTestCase):
    """How the value types are told apart."""

    def test_kind_and_choices(self):
        cases: list[tuple[ValueType, str, tuple | None]] = [
            (Boolean(), "boolean", (False, True)),
            (Integer(0, 1), "integer", None),
            (Integer(0, 9, choices=(5, 7)), "integer", (5, 7)),
            (Choice(("a", "b")), "choice", ("a", "b")),
            (Text(3), "text", None),
            (Size(), "size", None),
            (Size(("1x1",)), "size", ("1x1",)),
            (Mode(), "mode", (False, True)),
            (Mode(("night",)), "mode", (False, True, "night")),
            (Recording(), "recording", (False, True, "pause")),
        ]
        for value_type, word, possible in cases:
            with self.subTest(value_type=value_type):
                self.assertEqual(kind(value_type), word)
                self.assertEqual(choices(value_type), possible)
                for value in possible or ():
                    self.assertEqual(value_type.parse(value), value)
        self.assertEqual({word for _, word, _ in cases}, set(KINDS))

    def test_a_special_case_of_a_type_is_of_its_kind(self):
        class SizeForNow(Size):
            """The sizes of this camera."""

        self.assertEqual(kind(SizeForNow()), "size")
        self.assertEqual(choices(SizeForNow(("1x1",))), ("1x1",))
