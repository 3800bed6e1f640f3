"""What the OpenAPI document says is what the site does."""

from __future__ import annotations

from jsonschema import Draft202012Validator

from rotoclear.api import openapi
from tests.api.http import Response
from tests.api.site import SiteTestCase
from tests.api.test_http_auth import BODIES, CALLS, ROLES


class Truth(SiteTestCase):
    """The document against the answers."""

    def setUp(self) -> None:
        super().setUp()
        self.document = openapi.document(self.model.keys)

    def operation(self, method: str, path: str) -> dict:
        path = path.partition("?")[0].replace("/api/users/viewer", "/api/users/{name}")
        return self.document["paths"][path][method.lower()]

    def check(self, operation: dict, response: Response) -> None:
        """The status is documented, and the body is as its schema says."""
        answer = operation["responses"][str(response.status)]
        if "$ref" in answer:
            answer = self.document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
        content = answer.get("content", {})
        kind = response.headers.get("content-type", "").partition(";")[0]
        self.assertEqual(list(content), [kind] if kind else [])
        if kind == "application/json":
            schema = {**content[kind]["schema"], "components": self.document["components"]}
            Draft202012Validator(schema).validate(response.json)

    def test_every_operation_exists(self):
        for path, item in self.document["paths"].items():
            for method in ("get", "post", "patch", "delete"):
                with self.subTest(path=path, method=method):
                    response = self.client("administrator").request(
                        method.upper(), path.replace("{name}", "viewer").replace("{id}", "a"), {}
                    )
                    self.assertEqual(response.status == 405, method not in item)
                    self.assertNotEqual(response.status, 404)

    def test_every_answer_is_documented(self):
        for (method, path), statuses in CALLS.items():
            if path == "/":
                continue
            for role, status in zip(ROLES, statuses, strict=True):
                with self.subTest(method=method, path=path, role=role):
                    SiteTestCase.setUp(self)
                    body = BODIES.get(path) if method in ("POST", "PATCH") else None
                    response = self.client(role).request(method, path, body)
                    self.assertEqual(response.status, status)
                    self.check(self.operation(method, path), response)

    def test_bodies_are_documented(self):
        for path, body in BODIES.items():
            method = "PATCH" if path == "/api/users/viewer" else "POST"
            content = self.operation(method, path)["requestBody"]["content"]
            schema = content["application/json"]["schema"]
            Draft202012Validator({**schema, "components": self.document["components"]}).validate(
                body
            )
