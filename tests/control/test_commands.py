"""Requests that make no sense; those that do are tested with the command."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.auth.errors import Busy, UserExists
from rotoclear.auth.users import User
from rotoclear.control.commands import handlers_for
from rotoclear.control.request import Refused, Request


class Accounts:
    """One user, and a reason not to change anything."""

    reason: Exception = UserExists("There is a user 'joe' already")

    def users(self) -> list[User]:
        return [User("joe", "viewer", 1.0, 2.0)]

    async def add_user(self, *arguments: str, **who: str) -> None:
        raise self.reason


class Devices:
    """None that can be simulated."""

    async def simulate(self, action: str, target: str, arguments: object) -> None:
        raise ValueError(f"nothing can be simulated: {action} {target} {arguments}")

    def status(self) -> dict[str, object]:
        return {}


class CommandTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.accounts = Accounts()
        self.handlers = handlers_for(self.accounts, Devices())

    def ask(self, do: str, **arguments: object) -> Deferred[dict[str, object]]:
        request = Request(do=do, by="uid 1", arguments=arguments)
        return Deferred.fromCoroutine(self.handlers[do](request))

    def refusal(self, do: str, **arguments: object) -> str:
        return str(self.failureResultOf(self.ask(do, **arguments), Refused).value)

    def test_users(self) -> None:
        self.assertEqual(
            self.successResultOf(self.ask("user-list")),
            {"users": [{"name": "joe", "role": "viewer", "created": 1.0, "changed": 2.0}]},
        )

    def test_missing(self) -> None:
        for do, missing in (
            ("user-add", "name"),
            ("user-role", "name"),
            ("user-passwd", "name"),
            ("user-remove", "name"),
            ("user-stream-key", "name"),
            ("simulate", "action"),
        ):
            with self.subTest(do=do):
                self.assertEqual(self.refusal(do), f"{do} needs a text {missing}")
                self.assertEqual(self.refusal(do, **{missing: 1}), f"{do} needs a text {missing}")

    def test_too_much(self) -> None:
        for do in self.handlers:
            with self.subTest(do=do):
                self.assertEqual(self.refusal(do, colour="red"), f"{do} does not know colour")

    def test_reasons_are_told(self) -> None:
        joe = {"name": "joe", "role": "viewer", "password": "x"}
        for self.accounts.reason in (Accounts.reason, Busy()):
            self.assertEqual(self.refusal("user-add", **joe), str(self.accounts.reason))

    def test_faults_are_not(self) -> None:
        """They are for the log."""
        self.accounts.reason = ZeroDivisionError()
        asked = self.ask("user-add", name="joe", role="viewer", password="x")
        self.failureResultOf(asked, ZeroDivisionError)

    def test_simulate(self) -> None:
        self.assertEqual(
            self.refusal("simulate", action="hang", target="2", arguments={"seconds": 1}),
            "nothing can be simulated: hang 2 {'seconds': 1}",
        )
        for arguments in (1, [], {"a": None}, {"a": 1.5}, {"a": {}}):
            with self.subTest(arguments=arguments):
                self.assertIn(
                    "must be an object",
                    self.refusal("simulate", action="a", target="2", arguments=arguments),
                )
