"""The AsyncAPI document: valid by its published schema, complete, and true of the messages."""

from __future__ import annotations

import json
from pathlib import Path

from jsonschema import Draft7Validator, ValidationError
from twisted.trial.unittest import SynchronousTestCase

from rotoclear import __version__
from rotoclear.api.asyncapi import document
from rotoclear.api.schemas import ERRORS
from rotoclear.state import errors
from rotoclear.state.keys import RESERVED, KeyTable
from tests.api.test_openapi import vendor_key

SCHEMA = Path(__file__).with_name("asyncapi") / "asyncapi-3.0.0.schema.json"


class Document(SynchronousTestCase):
    """By itself."""

    def test_is_valid(self):
        validator = Draft7Validator(json.loads(SCHEMA.read_text("utf-8")))
        keys = KeyTable()
        validator.validate(document(keys))
        keys.add(vendor_key())
        validator.validate(document(keys))

    def test_the_validator_would_object(self):
        validator = Draft7Validator(json.loads(SCHEMA.read_text("utf-8")))
        wrong = document(KeyTable())
        wrong["components"]["schemas"]["brightness"]["type"] = "slider"
        with self.assertRaises(ValidationError):
            validator.validate(wrong)

    def test_every_reference_leads_somewhere(self):
        made = document(KeyTable())

        def references(node):
            if isinstance(node, dict):
                if isinstance(node.get("$ref"), str):
                    yield node["$ref"]
                for child in node.values():
                    yield from references(child)
            elif isinstance(node, list):
                for child in node:
                    yield from references(child)

        found = set(references(made))
        self.assertTrue(found)
        for reference in found:
            with self.subTest(reference=reference):
                target = made
                for part in reference.removeprefix("#/").split("/"):
                    target = target[part]

    def test_is_json(self):
        made = document(KeyTable())
        self.assertEqual(json.loads(json.dumps(made)), made)

    def test_says_which_version_and_where(self):
        made = document(KeyTable())
        self.assertEqual(made["info"]["version"], __version__)
        self.assertEqual(made["channels"]["v1"]["address"], "/api/v1")

    def test_every_error_of_the_wire(self):
        names = {value for name, value in vars(errors).items() if name.isupper()} - {
            errors.MAX_KEY_ECHO
        }
        self.assertEqual(names - set(ERRORS), set())


class Messages(SynchronousTestCase):
    """Each kind of message takes what it is, and nothing that it is not."""

    def setUp(self) -> None:
        self.keys = KeyTable()
        self.document = document(self.keys)

    def accepts(self, message: str, payload: object) -> bool:
        schema = self.document["components"]["messages"][message]["payload"]
        schema = {**schema, "components": self.document["components"]}
        return Draft7Validator(schema).is_valid(payload)

    def test_all_kinds_are_there(self):
        self.assertEqual(
            set(self.document["components"]["messages"]),
            {
                "login",
                "update",
                "query",
                "mixed",
                "loginAnswer",
                "loginRefused",
                "rightsChange",
                "confirmation",
                "queryAnswer",
                "broadcast",
                "error",
                "picture",
            },
        )

    def test_examples_fit(self):
        for name, message in self.document["components"]["messages"].items():
            for example in message.get("examples", ()):
                with self.subTest(message=name):
                    self.assertTrue(self.accepts(name, example["payload"]))

    def test_requests(self):
        for message, payload, good in (
            ("login", {"username": "a", "password": "b"}, True),
            ("login", {"token": "t"}, True),
            ("login", {"token": "t", "username": "a", "id": "x"}, True),
            ("login", {"username": "a"}, False),
            ("login", {"token": "t", "username": "a", "password": "b"}, False),
            ("query", {"get": "*"}, True),
            ("query", {"get": ["brightness", "no such key"], "id": 3}, True),
            ("query", {"get": "brightness"}, False),
            ("update", {"brightness": 75, "id": 1}, True),
            ("update", {"brightness": 101}, False),
            ("update", {"brightness": True}, False),
            ("update", {"record": "pause_release"}, True),
            ("update", {"record": 1}, False),
            ("update", {"cam1-exists": True}, False),
            ("update", {"nothing": 1}, False),
            ("update", {}, False),
            ("mixed", {"token": "t", "brightness": 3, "get": ["fps"]}, True),
        ):
            with self.subTest(message=message, payload=payload):
                self.assertEqual(self.accepts(message, payload), good)

    def test_answers(self):
        state = {name: key.default for name, key in self.keys.items()}
        for message, payload, good in (
            ("queryAnswer", {}, True),
            ("queryAnswer", {**state, "id": 7}, True),
            ("queryAnswer", {"record": "on"}, False),
            ("confirmation", {"record": True, "info": ["record"]}, True),
            ("confirmation", {"record": True}, False),
            ("broadcast", state, True),
            ("broadcast", {}, False),
            ("broadcast", {"brightness": 75, "info": ["brightness"]}, False),
            ("rightsChange", {"authenticated": False, "permissions": []}, True),
            ("rightsChange", {"authenticated": False, "permissions": ["Root"]}, False),
            ("error", {"error": "Invalid value", "message": "m", "key": "k" * 65}, False),
            ("error", {"error": "Oops", "message": "m"}, False),
        ):
            with self.subTest(message=message, payload=payload):
                self.assertEqual(self.accepts(message, payload), good)

    def test_no_key_has_a_name_that_messages_use(self):
        used = {
            name
            for message in self.document["components"]["messages"].values()
            for name in message["payload"].get("properties", ())
        } - set(self.keys)
        self.assertEqual(used - RESERVED, {"role", "expires", "retry-after"})
