"""The table of keys: what stands in it, and what it lets in."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.state.keys import KEYS, RESERVED, Key, KeyTable
from rotoclear.state.permissions import DEVICE_R, PERMISSIONS
from rotoclear.values import Boolean, Choice, Integer, Mode, Recording, Size, Text, ValueType

PERCENT = Integer(0, 100)

CONTRACT: dict[str, tuple[str, ValueType, bool, bool]] = {
    # key: its observable, its type, writable, saved
    "cam1-light": ("light0", Boolean(), True, True),
    "cam2-light": ("light1", Boolean(), True, True),
    "cam1-exists": ("cam0Exists", Boolean(), False, False),
    "cam2-exists": ("cam1Exists", Boolean(), False, False),
    "main-camera": ("cameraSwitch", Integer(1, 2), True, True),
    "cam1-sensor": ("cam0SelectedSensor", Integer(1, 16), True, True),
    "cam2-sensor": ("cam1SelectedSensor", Integer(1, 16), True, True),
    "resolution": ("resolution", Size(), True, True),
    "fps": ("fps", Integer(5, 60, "frames per second"), True, True),
    "pip-mode": (
        "pip",
        Choice(("off", "top-left", "top-right", "bottom-left", "bottom-right", "side-by-side")),
        True,
        True,
    ),
    "brightness": ("brightness", PERCENT, True, True),
    "contrast": ("contrast", PERCENT, True, True),
    "sharpness": ("sharpness", PERCENT, True, True),
    "saturation": ("saturation", PERCENT, True, True),
    "gain": ("gain", PERCENT, True, True),
    "red-gain": ("redGain", PERCENT, True, True),
    "blue-gain": ("blueGain", PERCENT, True, True),
    "auto-exposure": ("exposure", Mode(), True, True),
    "auto-white-balance": ("whiteBalance", Mode(), True, True),
    "noise-supression": ("noiseSuppression", Boolean(), True, True),
    "record": ("record", Recording(), True, False),
    "snap": ("takePicture", Boolean(), True, False),
    "jpeg-quality": ("pictureQuality", PERCENT, True, True),
    "last-recording": ("lastRecording", Text(64), False, False),
    "last-snapshot": ("lastSnapshot", Text(64), False, False),
    "storage-exists": ("storageExists", Boolean(), False, False),
    "storage-free": ("storageFree", Integer(0, 2**53 - 1, "bytes"), False, False),
    "storage-name": ("storageName", Text(255), False, False),
}


def vendor(name: str = "vendor-acme-wiper", **changes: object) -> Key:
    key = Key(
        name=name,
        observable="wiper",
        type=Boolean(),
        default=False,
        read=frozenset({DEVICE_R}),
        group="Acme",
        doc="Wiper on or off.",
    )
    return evolve(key, **changes)


class Contents(SynchronousTestCase):
    """Every row against the contract."""

    def test_all_rows(self):
        self.assertEqual([key.name for key in KEYS], list(CONTRACT))
        for key in KEYS:
            with self.subTest(key=key.name):
                found = (key.observable, key.type, bool(key.write), key.saved)
                self.assertEqual(found, CONTRACT[key.name])

    def test_each_has_a_line_of_documentation(self):
        for key in KEYS:
            with self.subTest(key=key.name):
                self.assertRegex(key.doc, r"^[A-Z][^\n]{4,98}\.$")
                self.assertTrue(key.group)

    def test_defaults_are_canonical(self):
        for key in KEYS:
            with self.subTest(key=key.name):
                value = key.type.parse(key.default)
                self.assertEqual((type(value), value), (type(key.default), key.default))

    def test_observables_differ(self):
        self.assertEqual(len({key.observable for key in KEYS}), len(KEYS))

    def test_permissions_exist(self):
        for key in KEYS:
            self.assertLessEqual(key.read | key.write, set(PERMISSIONS), key.name)
            self.assertTrue(key.read, key.name)

    def test_none_is_reserved(self):
        self.assertEqual(RESERVED & set(CONTRACT), frozenset())


class Table(SynchronousTestCase):
    """A :class:`KeyTable`."""

    def test_is_a_mapping_in_order(self):
        table = KeyTable()
        self.assertEqual(list(table), [key.name for key in KEYS])
        self.assertEqual(len(table), len(KEYS))
        self.assertIs(table["brightness"], next(key for key in KEYS if key.name == "brightness"))
        self.assertNotIn("nothing", table)
        with self.assertRaises(KeyError):
            table["nothing"]

    def test_a_driver_adds_its_own(self):
        table = KeyTable()
        table.add(vendor())
        self.assertEqual(list(table)[-1], "vendor-acme-wiper")
        self.assertNotIn("vendor-acme-wiper", KeyTable())

    def test_a_drivers_key_is_named_as_one(self):
        table = KeyTable()
        for name in (
            "wiper",
            "vendor",
            "vendor-",
            "vendor-Acme",
            "vendor--acme",
            "vendor-acme-",
            "vendor-acme wiper",
            "vendor-acme\n",
            "xvendor-acme",
            "vendor-" + "a" * 58,
        ):
            with self.subTest(name=name):
                error = self.assertRaises(ValueError, table.add, vendor(name))
                self.assertIn("vendor-", str(error))
        table.add(vendor("vendor-" + "a" * 57))

    def test_no_name_twice(self):
        table = KeyTable()
        table.add(vendor())
        self.assertRaises(ValueError, table.add, vendor())
        self.assertRaises(ValueError, KeyTable, [KEYS[0], KEYS[0]])

    def test_reserved_names_are_refused(self):
        for name in RESERVED:
            with self.subTest(name=name):
                self.assertRaises(ValueError, KeyTable, [vendor(name)])

    def test_a_default_that_is_none(self):
        for default in ("on", 1, "off"):
            with self.subTest(default=default):
                self.assertRaises(ValueError, KeyTable, [vendor(default=default)])
        aliased = vendor(type=Mode(), default="on")  # taken, but not canonical
        self.assertRaises(ValueError, KeyTable, [aliased])
