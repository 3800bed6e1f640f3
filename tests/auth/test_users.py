"""What a user may be called."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rotoclear.auth.errors import InvalidName, InvalidRole
from rotoclear.auth.users import canonical_name, check_role


class NameTests(SynchronousTestCase):
    def test_names(self) -> None:
        for name in ("a", "admin", "Jörg Müller", "操作員", "x" * 64, "o'neil", "a.b@example.com"):
            self.assertEqual(canonical_name(name), name)

    def test_no_names(self) -> None:
        for name in (
            *("", " ", " admin", "admin ", "x" * 65, "x" * 100_000),
            *("a\nb", "a\0", "a\x1b[31m", "a\u202eb", "a\u200bb", "\ud800", "a\u00a0b", "a\ufffd"),
            *("a/b", "a:b", ".", ".."),
        ):
            error = self.assertRaises(InvalidName, canonical_name, name)
            self.assertIn("1 to 64 printable characters", str(error))

    def test_how_a_keyboard_composes_a_letter_does_not_matter(self) -> None:
        self.assertEqual(canonical_name("Jo\u0308rg"), "Jörg")


class RoleTests(SynchronousTestCase):
    def test_roles(self) -> None:
        for role in ("administrator", "operator", "viewer"):
            self.assertEqual(check_role(role), role)

    def test_no_roles(self) -> None:
        for role in ("anonymous", "root", ""):
            error = self.assertRaises(InvalidRole, check_role, role)
            self.assertIn("administrator, operator, viewer", str(error))
