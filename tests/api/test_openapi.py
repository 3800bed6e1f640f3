"""The OpenAPI document: valid, complete, and true of what the server answers."""

from __future__ import annotations

import json

from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator
from twisted.trial.unittest import SynchronousTestCase

from rotoclear import __version__
from rotoclear.api.openapi import document
from rotoclear.auth.errors import Busy, InvalidCredentials, NoSuchUser, TooManyAttempts, UserExists
from rotoclear.state.keys import IMAGE, Key, KeyTable
from rotoclear.state.permissions import DEVICE_R, PERMISSIONS, USER_ROLES
from rotoclear.values import Boolean
from tests.api.http import Response
from tests.api.site import SiteTestCase

PAGE = {"/app", "/rotoclear-client.js", "/rotoclear-client.d.ts"}
"""The console's files: for browsers, not for programs."""

SOCKETS = ("/api/v1", "/api/live")
METHODS = {"get", "post", "put", "patch", "delete"}


def vendor_key() -> Key:
    return Key(
        name="vendor-acme-wiper",
        observable="wiper",
        type=Boolean(),
        default=False,
        read=frozenset({DEVICE_R}),
        write=frozenset({DEVICE_R}),
        group=IMAGE,
        doc="Wiper on or off.",
    )


def schema_of(openapi: dict, pointer: dict) -> Draft202012Validator:
    """A validator for one schema of the document."""
    root = {"components": openapi["components"], **pointer}
    return Draft202012Validator(root, format_checker=FormatChecker())


class Document(SynchronousTestCase):
    """By itself."""

    def test_is_valid(self):
        keys = KeyTable()
        OpenAPIV31SpecValidator(document(keys)).validate()
        keys.add(vendor_key())
        OpenAPIV31SpecValidator(document(keys)).validate()

    def test_is_json(self):
        made = document(KeyTable())
        self.assertEqual(json.loads(json.dumps(made)), made)

    def test_says_which_version(self):
        self.assertEqual(document(KeyTable())["info"]["version"], __version__)

    def test_every_schema_is_one_and_is_used(self):
        made = document(KeyTable())
        text = json.dumps(made)
        for name, schema in made["components"]["schemas"].items():
            with self.subTest(schema=name):
                Draft202012Validator.check_schema(schema)
                # Keys by themselves, permissions and the like are there for code generators.
                self.assertTrue(f"#/components/schemas/{name}" in text or name == "State")

    def test_every_key_has_its_row(self):
        keys = KeyTable()
        keys.add(vendor_key())
        schemas = document(keys)["components"]["schemas"]
        self.assertEqual(list(schemas["State"]["properties"]), list(keys))
        writable = [name for name, key in keys.items() if key.write]
        self.assertEqual(list(schemas["Changes"]["properties"]), [*writable, "id"])
        for name, key in keys.items():
            with self.subTest(key=name):
                schema = schemas[name]
                self.assertEqual(schema["description"], key.doc)
                self.assertEqual(schema["default"], key.default)
                self.assertEqual(schema["readOnly"], not key.write)
                self.assertEqual(schema["x-read"], sorted(key.read))
                self.assertEqual(schema["x-write"], sorted(key.write))
                self.assertEqual(schema["x-observable"], key.observable)
                self.assertEqual({**schema, **key.type.schema()}, schema)
                if key.write:
                    accepted = schemas["Changes"]["properties"][name]
                    self.assertEqual({**accepted, **key.type.input_schema()}, accepted)

    def test_permissions_and_roles(self):
        schemas = document(KeyTable())["components"]["schemas"]
        self.assertEqual(schemas["Permission"]["enum"], list(PERMISSIONS))
        self.assertEqual(schemas["Role"]["enum"], list(USER_ROLES))


class AgainstTheSite(SiteTestCase):
    """What it promises is what the server does."""

    def setUp(self) -> None:
        super().setUp()
        self.document = document(self.model.keys)

    def operations(self):
        """Every path and method, with its description."""
        for path, item in self.document["paths"].items():
            for method in METHODS & set(item):
                yield path, method, item[method]

    def matches(self, response: Response, path: str, method: str) -> None:
        """The response is among those that are documented."""
        responses = self.document["paths"][path][method]["responses"]
        self.assertIn(str(response.status), responses, response)
        answer = responses[str(response.status)]
        if "$ref" in answer:
            answer = self.document["components"]["responses"][answer["$ref"].split("/")[-1]]
        for name in answer.get("headers", {}):
            self.assertIn(name.lower(), response.headers)
        content = answer.get("content")
        if content is None:
            self.assertEqual(response.body, b"")
        elif "application/json" in content:
            schema_of(self.document, content["application/json"]["schema"]).validate(response.json)

    def test_every_address_is_described(self):
        described = {path for path in self.document["paths"] if "{" not in path}
        found = {path for path, _ in _walk(self.site.resource, "")}
        self.assertEqual(found - {"/", "/api"} - PAGE, described)

    def test_every_method_is_described(self):
        for path, item in self.document["paths"].items():
            if path in SOCKETS:
                continue
            with self.subTest(path=path):
                response = self.client().request(
                    "OPTIONS", path.replace("{name}", "anna").replace("{id}", "a")
                )
                allowed = {m.lower() for m in response.headers["allow"].split(", ")}
                self.assertEqual(allowed - {"options", "head"}, METHODS & set(item))

    def test_without_login_where_it_takes_one(self):
        bodies = {"/api/state": {"brightness": 1}}
        for path, method, operation in self.operations():
            if path in (*SOCKETS, "/api/login"):
                continue
            with self.subTest(path=path, method=method):
                url = path.replace("{name}", "anna").replace("{id}", "a")
                body = bodies.get(path, {}) if method in ("post", "patch") else None
                response = self.client().request(method.upper(), url, body)
                self.matches(response, path, method)
                if {} not in operation["security"]:
                    self.assertEqual(response.status, 401)

    def test_with_a_bad_token(self):
        for path, method, _ in self.operations():
            if path in (*SOCKETS, "/api/login"):
                continue
            with self.subTest(path=path, method=method):
                client = self.client()
                client.token = "bad"
                body = {"brightness": 1} if method in ("post", "patch") else None
                url = path.replace("{name}", "anna").replace("{id}", "a")
                self.matches(client.request(method.upper(), url, body), path, method)

    def test_bad_bodies(self):
        for path, method, operation in self.operations():
            if "requestBody" not in operation:
                continue
            url = path.replace("{name}", "anna").replace("{id}", "a")
            for body, headers, status in (
                (b"{", {}, 400),
                (None, {}, 411),
                (b"x" * 3000, {}, 413),
                (b"{}", {"Content-Type": "text/plain"}, 415),
                ({"nothing": 1}, {}, 400),
                (b"{}", {"Origin": "https://elsewhere.example"}, 403),
            ):
                with self.subTest(path=path, method=method, status=status):
                    client = self.client("administrator")
                    response = client.request(method.upper(), url, body, headers)
                    self.assertEqual(response.status, status)
                    self.matches(response, path, method)

    def test_reading(self):
        for role in (None, "viewer", "administrator"):
            for path, query in (
                ("/api/status", ""),
                ("/api/health", ""),
                ("/api/keys", ""),
                ("/api/state", ""),
                ("/api/state", "?keys=brightness,nothing"),
                ("/api/state", "?keys=nothing"),
                ("/api/state", "?keys=storage-free"),
                ("/api/users", ""),
                ("/metrics", ""),
                ("/api/openapi.json", ""),
                ("/api/asyncapi.json", ""),
            ):
                with self.subTest(role=role, path=path + query):
                    self.matches(self.client(role).get(path + query), path, "get")
        self.health["engine"] = {"state": "failed", "reason": "It is gone"}
        self.matches(self.client("viewer").get("/api/health"), "/api/health", "get")

    def test_stored_media(self):
        viewer, operator = self.client("viewer"), self.client("operator")
        for kind in ("recordings", "snapshots"):
            answer = viewer.get(f"/api/{kind}")
            self.assertEqual(len(answer.json[kind]), 1)
            self.matches(answer, f"/api/{kind}", "get")
            path = f"/api/{kind}/{{id}}"
            for headers in ({}, {"Range": "bytes=0-1"}, {"Range": "bytes=9-"}):
                self.matches(viewer.get(f"/api/{kind}/a", **headers), path, "get")
            self.matches(viewer.get(f"/api/{kind}/b"), path, "get")
            self.matches(operator.request("DELETE", f"/api/{kind}/a"), path, "delete")

    def test_changing(self):
        operator = self.client("operator")
        for changes, status in (
            ({"brightness": 75, "id": 7}, 200),
            ({"brightness": 75, "contrast": 101}, 200),
            ({"contrast": 101}, 400),
            ({"cam1-exists": True}, 403),
        ):
            with self.subTest(changes=changes):
                response = operator.post("/api/state", changes)
                self.assertEqual(response.status, status)
                self.matches(response, "/api/state", "post")

    def test_logging_in_and_out(self):
        body = {"username": "anna", "password": "secret word"}
        self.matches(self.client().post("/api/login", body), "/api/login", "post")
        for error in (InvalidCredentials(), TooManyAttempts(7), Busy()):
            self.accounts.answers["login"] = error
            self.matches(self.client().post("/api/login", body), "/api/login", "post")
        change = {"old": "secret word", "new": "another word"}
        for error in (InvalidCredentials(), TooManyAttempts(7), None):
            self.accounts.answers["change_password"] = error
            response = self.client("viewer").post("/api/password", change)
            self.matches(response, "/api/password", "post")
        ticket = self.client("viewer").post("/api/tickets", {"path": "/api/snapshot"})
        self.assertEqual(ticket.status, 200)
        self.matches(ticket, "/api/tickets", "post")
        self.matches(self.client("viewer").post("/api/logout"), "/api/logout", "post")

    def test_users(self):
        administrator, viewer = self.client("administrator"), self.client("viewer")
        new = {"name": "anna", "role": "viewer", "password": "secret word"}
        self.matches(administrator.post("/api/users", new), "/api/users", "post")
        self.matches(viewer.post("/api/users", new), "/api/users", "post")
        self.accounts.answers["add_user"] = UserExists("There is one")
        self.matches(administrator.post("/api/users", new), "/api/users", "post")
        path = "/api/users/{name}"
        for name in ("viewer", "anna"):
            response = administrator.request("PATCH", f"/api/users/{name}", {"role": "operator"})
            self.matches(response, path, "patch")
        for answer in (None, NoSuchUser("There is none")):
            self.accounts.answers["remove_user"] = answer
            self.matches(administrator.request("DELETE", "/api/users/anna"), path, "delete")


def _walk(resource, path: str):
    """Every address with a resource of its own."""
    for name, child in resource.children.items():
        below = f"{path}/{name.decode()}"
        yield below, child
        yield from _walk(child, below)
