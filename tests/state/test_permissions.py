"""Who may do what: every key, every role, read and write."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rotoclear.state.keys import KEYS
from rotoclear.state.permissions import NOTHING, PERMISSIONS, ROLES, USER_ROLES

DEVICE = (
    "cam1-light",
    "cam2-light",
    "cam1-exists",
    "cam2-exists",
    "main-camera",
    "cam1-sensor",
    "cam2-sensor",
    "resolution",
    "fps",
    "pip-mode",
    "brightness",
    "contrast",
    "sharpness",
    "saturation",
    "gain",
    "red-gain",
    "blue-gain",
    "auto-exposure",
    "auto-white-balance",
    "noise-supression",
)
RECORDER = ("record", "snap", "jpeg-quality")
CATALOGUE = ("last-recording", "last-snapshot")
STORAGE = ("storage-exists", "storage-free", "storage-name")
PUBLIC = DEVICE + RECORDER
READ_ONLY = ("cam1-exists", "cam2-exists", *CATALOGUE, *STORAGE)


class Roles(SynchronousTestCase):
    """What each of them holds, written out."""

    def test_what_each_holds(self):
        self.assertEqual(
            {role: sorted(permissions) for role, permissions in ROLES.items()},
            {
                "administrator": [
                    "Device_r",
                    "Device_rw",
                    "Media_r",
                    "Media_rw",
                    "Storage_r",
                    "Storage_rw",
                    "System_r",
                    "System_rw",
                    "User_r",
                    "User_rw",
                ],
                "operator": [
                    "Device_r",
                    "Device_rw",
                    "Media_r",
                    "Media_rw",
                    "Storage_r",
                    "System_r",
                ],
                "viewer": ["Device_r", "Media_r", "Storage_r", "System_r"],
                "anonymous": ["Device_r"],
            },
        )

    def test_nobody_holds_what_there_is_not(self):
        for role, permissions in ROLES.items():
            self.assertLessEqual(permissions, set(PERMISSIONS), role)
        self.assertEqual(NOTHING, frozenset())

    def test_a_user_cannot_be_anonymous(self):
        self.assertEqual(USER_ROLES, ("administrator", "operator", "viewer"))

    def test_they_cannot_be_changed(self):
        with self.assertRaises(TypeError):
            ROLES["viewer"] = frozenset(PERMISSIONS)  # type: ignore[index]


class Matrix(SynchronousTestCase):
    """All keys, all roles: from the words of the contract, not from the table."""

    def test_all_keys_are_in_it(self):
        self.assertEqual([key.name for key in KEYS], [*DEVICE, *RECORDER, *CATALOGUE, *STORAGE])

    def test_reading(self):
        everybody = {*USER_ROLES, "anonymous"}
        for key in KEYS:
            for role, permissions in ROLES.items():
                with self.subTest(key=key.name, role=role):
                    allowed = role in (everybody if key.name in PUBLIC else USER_ROLES)
                    self.assertEqual(key.readable(permissions), allowed)

    def test_writing(self):
        for key in KEYS:
            for role, permissions in ROLES.items():
                allowed = role in ("administrator", "operator") and key.name not in READ_ONLY
                with self.subTest(key=key.name, role=role):
                    self.assertEqual(key.writable(permissions), allowed)

    def test_any_one_permission_is_enough(self):
        for key in KEYS:
            for permission in PERMISSIONS:
                alone = frozenset({permission})
                with self.subTest(key=key.name, permission=permission):
                    self.assertEqual(key.readable(alone), permission in key.read)
                    self.assertEqual(key.writable(alone), permission in key.write)
            self.assertFalse(key.readable(NOTHING))
            self.assertFalse(key.writable(NOTHING))

    def test_who_may_write_may_read(self):
        for key in KEYS:
            self.assertLessEqual(key.write, key.read, key.name)
