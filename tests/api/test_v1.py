"""The protocol of /api/v1 without a wire: protocol.md sections 1, 2 and 4."""

from __future__ import annotations

import json

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.api.v1 import Answer, Conversation
from rotoclear.auth.accounts import Login
from rotoclear.auth.errors import Busy, TooManyAttempts
from rotoclear.state.lanes import Lane
from rotoclear.state.permissions import ANONYMOUS, NOTHING, ROLES, Permissions
from tests.api.people import People, make_context


class Waiting(Lane):
    """A lane that waits for the test."""

    def apply(self, values: object) -> Deferred[None]:
        self.answer: Deferred[None] = Deferred()
        return self.answer


class V1TestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.people = People()
        self.context = make_context(self.clock, self.people)
        self.model = self.context.model
        self.sent: list[Answer] = []
        self.secrets: list[Answer] = []
        self.rights: list[tuple[Permissions, Permissions]] = []
        self.conversation = Conversation(
            self.context,
            "192.0.2.1",
            self.send,
            lambda before, after: self.rights.append((before, after)),
        )

    def send(self, answer: Answer, secret: bool) -> None:
        self.sent.append(answer)
        if secret:
            self.secrets.append(answer)

    def say(self, message: object) -> list[Answer]:
        """Send something; the answers."""
        payload = message if isinstance(message, bytes) else json.dumps(message).encode()
        done = self.conversation.handle(payload)
        if done is not None:
            self.successResultOf(done)
        answers, self.sent[:] = list(self.sent), []
        return answers

    def log_in(self, token: str = "olga") -> None:
        self.say({"token": token})


class Logins(V1TestCase):
    def test_password(self) -> None:
        (answer,) = self.say({"username": "olga", "password": "secret"})
        self.assertEqual(
            answer,
            {
                "authenticated": True,
                "permissions": sorted(ROLES["operator"]),
                "username": "olga",
                "role": "operator",
                "token": "olga",
                "expires": "2030-01-01T00:00:00Z",
            },
        )
        self.assertEqual(self.people.asked, [("olga", "192.0.2.1")])
        self.assertEqual(self.rights, [(ROLES[ANONYMOUS], ROLES["operator"])])

    def test_never_compressed(self) -> None:
        """The answer with the token is marked: compressed, its length would tell of it."""
        self.say({"username": "olga", "password": "secret"})
        self.say({"get": "*"})
        self.assertEqual([a["authenticated"] for a in self.secrets], [True])

    def test_token(self) -> None:
        (answer,) = self.say({"token": "victor"})
        self.assertEqual((answer["role"], answer["token"]), ("viewer", "victor"))

    def test_token_with_username(self) -> None:
        """As the seed stores its credentials; the name must match."""
        self.assertTrue(self.say({"username": "olga", "token": "olga"})[0]["authenticated"])
        self.assertFalse(self.say({"username": "alice", "token": "olga"})[0]["authenticated"])

    def test_refused(self) -> None:
        (answer,) = self.say({"username": "olga", "password": "wrong"})
        self.assertEqual(answer, {"authenticated": False, "error": "Invalid credentials"})

    def test_refused_stays_what_it_was(self) -> None:
        self.log_in()
        self.say({"token": "nonsense"})
        self.assertEqual(self.say({"brightness": 1})[0]["info"], ["brightness"])

    def test_too_many(self) -> None:
        self.people.answer = TooManyAttempts(42)
        (answer,) = self.say({"username": "olga", "password": "secret"})
        self.assertIs(answer["authenticated"], False)
        self.assertEqual((answer["error"], answer["retry-after"]), ("Too many attempts", 42))
        self.assertIn("42", str(answer["message"]))

    def test_busy(self) -> None:
        self.people.answer = Busy()
        (answer,) = self.say({"username": "olga", "password": "secret"})
        self.assertEqual((answer["error"], answer["retry-after"]), ("Too many attempts", 1))

    def test_again(self) -> None:
        """A second login takes the place of the first."""
        self.log_in("olga")
        self.log_in("victor")
        self.assertEqual(self.say({"brightness": 1})[0]["error"], "Permission denied")
        self.assertEqual(self.people.sessions["olga"].attached, [])

    def test_close(self) -> None:
        """A connection that has ended keeps no token alive."""
        self.log_in()
        self.assertEqual(len(self.people.sessions["olga"].attached), 1)
        self.conversation.close()
        self.assertEqual(self.people.sessions["olga"].attached, [])

    def test_shapes(self) -> None:
        for message in (
            {"username": "olga"},
            {"password": "secret"},
            {"username": "olga", "password": "secret", "token": "olga"},
            {"username": 1, "password": "secret"},
            {"username": "olga", "password": None},
            {"token": ["olga"]},
        ):
            (answer,) = self.say(message)
            self.assertEqual(answer["error"], "Invalid message", message)
        self.assertEqual(self.people.asked, [])


class RightsChange(V1TestCase):
    def test_role(self) -> None:
        """The connection is told, and treated so, at once."""
        self.log_in("olga")
        self.people.sessions["olga"].change(role="viewer")
        self.assertEqual(
            self.sent, [{"authenticated": True, "permissions": sorted(ROLES["viewer"])}]
        )
        self.sent.clear()
        self.assertEqual(self.say({"brightness": 1})[0]["error"], "Permission denied")
        self.assertEqual(self.rights[-1], (ROLES["operator"], ROLES["viewer"]))

    def test_end(self) -> None:
        self.log_in("olga")
        self.people.sessions["olga"].change(ended=True)
        self.assertEqual(self.sent, [{"authenticated": False, "permissions": ["Device_r"]}])
        self.assertIs(self.conversation.session, None)

    def test_without_anonymous(self) -> None:
        self.people.anonymous = NOTHING
        self.log_in("olga")
        self.people.sessions["olga"].change(ended=True)
        self.assertEqual(self.sent, [{"authenticated": False, "permissions": []}])


class Queries(V1TestCase):
    def test_values(self) -> None:
        self.assertEqual(
            self.say({"get": ["brightness", "record"]}), [{"brightness": 50, "record": False}]
        )

    def test_everything(self) -> None:
        (answer,) = self.say({"get": "*"})
        self.assertIn("cam1-exists", answer)
        self.assertNotIn("storage-name", answer)

    def test_errors_follow(self) -> None:
        """The values first, ``{}`` if there are none, then an error a key."""
        answers = self.say({"get": ["storage-free", "nonsense"]})
        self.assertEqual(answers[0], {})
        self.assertEqual(
            [(a["error"], a["key"]) for a in answers[1:]],
            [("Permission denied", "storage-free"), ("Unknown key", "nonsense")],
        )

    def test_nothing(self) -> None:
        self.assertEqual(self.say({"get": []}), [{}])

    def test_shapes(self) -> None:
        for get in ("brightness", {"a": 1}, [1], None, ["brightness", None], ["x"] * 129):
            (answer,) = self.say({"get": get})
            self.assertEqual(answer["error"], "Invalid message", get)


class Updates(V1TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.log_in()

    def test_confirmed(self) -> None:
        self.assertEqual(self.say({"brightness": 75}), [{"brightness": 75, "info": ["brightness"]}])

    def test_errors_follow(self) -> None:
        answers = self.say({"brightness": 150, "gain": 1, "nonsense": 1})
        self.assertEqual(
            answers,
            [
                {"gain": 1, "info": ["gain"]},
                {
                    "error": "Invalid value",
                    "key": "brightness",
                    "message": "Value must be between 0 and 100",
                },
                {
                    "error": "Unknown key",
                    "key": "nonsense",
                    "message": "There is no key 'nonsense'; GET /api/keys lists them",
                },
            ],
        )

    def test_all_refused(self) -> None:
        """No confirmation then."""
        self.assertEqual([a["error"] for a in self.say({"brightness": -1})], ["Invalid value"])

    def test_long_key(self) -> None:
        """What came from outside is repeated cut."""
        (answer,) = self.say({"x" * 1000: 1})
        self.assertEqual(answer["key"], "x" * 64)
        self.assertLess(len(str(answer["message"])), 200)

    def test_reserved_words(self) -> None:
        """They are no keys."""
        for name in ("info", "error", "key", "message", "authenticated", "permissions"):
            (answer,) = self.say({name: 1})
            self.assertEqual(answer["error"], "Unknown key")

    def test_slow(self) -> None:
        lane = Waiting("brightness")
        self.model.add_lane(lane)
        done = self.conversation.handle(b'{"brightness": 1}')
        assert done is not None
        self.assertNoResult(done)
        lane.answer.callback(None)
        self.successResultOf(done)
        self.assertEqual(self.sent, [{"brightness": 1, "info": ["brightness"]}])

    def test_fault_of_ours(self) -> None:
        """A bug is answered too; the log tells which."""

        def broken(*arguments: object) -> Deferred[None]:
            raise ZeroDivisionError

        self.patch(self.conversation, "_query", broken)
        (_, answer) = self.say({"brightness": 1})
        self.assertEqual(answer["error"], "Server error")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class Messages(V1TestCase):
    def test_mixed(self) -> None:
        """Login, then update, then query, whatever their order."""
        answers = self.say(
            {"get": ["gain"], "gain": 7, "password": "secret", "username": "olga", "id": 1}
        )
        self.assertIs(answers[0]["authenticated"], True)
        self.assertEqual(
            answers[1:], [{"gain": 7, "info": ["gain"], "id": 1}, {"gain": 7, "id": 1}]
        )

    def test_refused_login_ends_it(self) -> None:
        self.log_in()
        answers = self.say({"token": "nonsense", "gain": 7, "get": ["gain"]})
        self.assertEqual([a["authenticated"] for a in answers], [False])
        self.assertEqual(self.model["gain"], 50)

    def test_id(self) -> None:
        """In every answer and error."""
        self.log_in()
        for identifier in (0, -1, 2**60, "", "x", "ä" * 512):
            answers = self.say({"id": identifier, "gain": 7, "fps": 0, "get": ["gain", "nonsense"]})
            self.assertEqual([a["id"] for a in answers], [identifier] * 4)
        self.assertEqual(self.say({"id": 7, "token": "x"})[0]["id"], 7)

    def test_id_is_text_or_integer(self) -> None:
        for identifier in (None, True, 1.5, [], {}):
            (answer,) = self.say({"id": identifier, "get": "*"})
            self.assertEqual(answer["error"], "Invalid message")
            self.assertNotIn("id", answer)

    def test_id_is_short(self) -> None:
        """What comes back over a hundred times must not be long."""
        keys = {f"k{number}": 1 for number in range(127)}
        (answer,) = self.say({"id": "x" * 513, **keys})
        self.assertEqual(answer["error"], "Invalid message")
        self.assertIn("512", str(answer["message"]))

    def test_id_of_an_invalid_message(self) -> None:
        self.assertEqual(self.say({"id": 7, "get": 1})[0]["id"], 7)

    def test_asks_for_nothing(self) -> None:
        for message in ({}, {"id": 1}):
            self.assertEqual(self.say(message)[0]["error"], "Invalid message")

    def test_nothing_is_done_of_an_invalid_message(self) -> None:
        self.log_in()
        self.say({"gain": 7, "get": 1})
        self.assertEqual(self.model["gain"], 50)

    def test_not_json(self) -> None:
        for payload in (b"nonsense", b"[]", b'{"a": NaN}', b'{"a": 1, "a": 1}', b"\xff"):
            (answer,) = self.say(payload)
            self.assertEqual(answer["error"], "Invalid message")
            self.assertTrue(answer["message"])

    def test_binary(self) -> None:
        self.assertIs(self.conversation.handle(None), None)
        self.assertEqual(self.sent[0]["error"], "Invalid message")

    def test_login_takes_its_time(self) -> None:
        """What follows in the message waits for it."""
        self.people.answer = Deferred()
        done = self.conversation.handle(b'{"username": "a", "password": "b", "gain": 7}')
        assert done is not None
        self.assertEqual((self.sent, self.model["gain"]), ([], 50))
        person = self.people.sessions["olga"]
        self.people.answer.callback(Login(person, "olga"))  # type: ignore[arg-type]
        self.successResultOf(done)
        self.assertEqual(self.model["gain"], 7)
