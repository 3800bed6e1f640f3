"""Passwords, their rules and their hashes."""

from __future__ import annotations

from unittest import mock

from argon2.exceptions import VerifyMismatchError
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.auth.argon import LONGEST, MEMORY_COST, TIME_COST, Argon, check_password
from rotoclear.auth.errors import InvalidPassword


class PasswordRuleTests(SynchronousTestCase):
    def refusal(self, password: str) -> str:
        return str(self.assertRaises(InvalidPassword, check_password, password))

    def test_too_short(self) -> None:
        self.assertIn("at least 8 characters", self.refusal("1234567"))
        self.assertIn("needed", self.refusal(""))

    def test_as_short_and_as_long_as_allowed(self) -> None:
        self.assertEqual(check_password("12345678"), "12345678")
        self.assertEqual(check_password("x" * LONGEST), "x" * LONGEST)

    def test_too_long(self) -> None:
        self.assertIn("at most 256 characters", self.refusal("x" * 257))
        self.assertIn("at most 256 characters", self.refusal("x" * 100_000))

    def test_spaces_and_any_letters_are_fine(self) -> None:
        self.assertEqual(check_password(" blank spaces 密碼 "), " blank spaces 密碼 ")

    def test_control_characters_and_lone_surrogates_are_not(self) -> None:
        for password in ("password\n", "pass\tword", "pass\0word", "password\ud800"):
            self.assertIn("control characters", self.refusal(password))

    def test_no_message_repeats_the_password(self) -> None:
        for password in ("sEcr3t", "sEcr3t\nsEcr3t", "sEcr3t" * 50):
            self.assertNotIn("sEcr3t", self.refusal(password))


class ArgonTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.argon = Argon(time_cost=1, memory_cost=8)

    def test_right_and_wrong(self) -> None:
        encoded = self.argon.hash("correct horse")
        self.assertTrue(self.argon.verify(encoded, "correct horse").right)
        self.assertFalse(self.argon.verify(encoded, "Correct horse").right)

    def test_it_is_argon2id_with_a_salt_of_its_own(self) -> None:
        first, second = self.argon.hash("correct horse"), self.argon.hash("correct horse")
        self.assertTrue(first.startswith("$argon2id$v=19$m=8,t=1,p=1$"))
        self.assertNotEqual(first, second)

    def test_the_default_cost_is_not_below_what_owasp_asks_for(self) -> None:
        self.assertGreaterEqual(MEMORY_COST, 19 * 1024)
        self.assertGreaterEqual(TIME_COST, 2)
        self.assertIn(f"$m={MEMORY_COST},t={TIME_COST},p=1$", Argon()._decoy)

    def test_how_a_keyboard_composes_a_letter_does_not_matter(self) -> None:
        encoded = self.argon.hash(check_password("pa\u0301ssword"))
        self.assertTrue(self.argon.verify(encoded, "p\u00e1ssword").right)

    def test_nobodys_password_costs_as_much_and_is_never_right(self) -> None:
        with mock.patch.object(self.argon, "_argon2", wraps=self.argon._argon2) as work:
            self.assertFalse(self.argon.verify(None, "correct horse").right)
        ((decoy, octets),) = [call.args for call in work.verify.call_args_list]
        # A mismatch, which is known only after all the work; not an invalid hash.
        self.assertRaises(VerifyMismatchError, self.argon._argon2.verify, decoy, octets)

    def test_nobodys_hash_has_the_same_cost(self) -> None:
        known = self.argon.hash("correct horse").split("$")
        decoy = self.argon._decoy.split("$")
        self.assertEqual(known[:4], decoy[:4])
        self.assertEqual([len(part) for part in known], [len(part) for part in decoy])

    def test_a_hash_at_another_cost_is_renewed(self) -> None:
        verdict = Argon(time_cost=2, memory_cost=8).verify(self.argon.hash("correct horse"), "x")
        self.assertEqual((verdict.right, verdict.renewed), (False, None))
        newer = Argon(time_cost=2, memory_cost=8)
        verdict = newer.verify(self.argon.hash("correct horse"), "correct horse")
        assert verdict.renewed is not None
        self.assertIn("t=2", verdict.renewed)
        self.assertIsNone(newer.verify(verdict.renewed, "correct horse").renewed)

    def test_whatever_is_sent_is_merely_wrong(self) -> None:
        encoded = self.argon.hash("correct horse")
        for password in ("", "\ud800", "\0", "x" * 65_536, "\u0301" * 65_536):
            self.assertFalse(self.argon.verify(encoded, password).right)

    def test_a_damaged_hash_lets_nobody_in(self) -> None:
        for encoded in ("", "x", "$argon2id$", "plain password"):
            self.assertFalse(self.argon.verify(encoded, encoded).right)
