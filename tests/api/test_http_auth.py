"""Who may do what over HTTP, and how those are told who may not."""

from __future__ import annotations

from rotoclear.auth.errors import TooManyAttempts
from rotoclear.state.permissions import NOTHING
from tests.api.site import TOKENS, SiteTestCase

ROLES = (None, "viewer", "operator", "administrator")

CALLS = {
    # what is asked: the status for nobody, viewer, operator, administrator
    ("GET", "/"): (200, 200, 200, 200),
    ("GET", "/metrics"): (401, 200, 200, 200),
    ("GET", "/api/openapi.json"): (200, 200, 200, 200),
    ("GET", "/api/asyncapi.json"): (200, 200, 200, 200),
    ("GET", "/api/status"): (200, 200, 200, 200),
    ("GET", "/api/health"): (200, 200, 200, 200),
    ("GET", "/api/keys"): (200, 200, 200, 200),
    ("GET", "/api/state"): (200, 200, 200, 200),
    ("GET", "/api/state?keys=fps"): (200, 200, 200, 200),
    ("GET", "/api/state?keys=last-snapshot"): (401, 200, 200, 200),
    ("GET", "/api/state?keys=storage-free"): (401, 200, 200, 200),
    ("POST", "/api/state"): (401, 403, 200, 200),
    ("POST", "/api/login"): (200, 200, 200, 200),
    ("POST", "/api/logout"): (401, 204, 204, 204),
    ("POST", "/api/password"): (401, 204, 204, 204),
    ("POST", "/api/tickets"): (401, 200, 200, 200),
    ("GET", "/api/users"): (401, 403, 403, 200),
    ("POST", "/api/users"): (401, 403, 403, 201),
    ("PATCH", "/api/users/viewer"): (401, 403, 403, 200),
    ("DELETE", "/api/users/viewer"): (401, 403, 403, 204),
}

BODIES = {
    "/api/state": {"fps": 25},
    "/api/login": {"username": "a", "password": "b"},
    "/api/password": {"old": "a", "new": "b"},
    "/api/tickets": {"path": "/api/snapshot"},
    "/api/users": {"name": "anna", "role": "viewer", "password": "a password"},
    "/api/users/viewer": {"role": "operator"},
}

PUBLIC = ("/", "/api/openapi.json", "/api/asyncapi.json", "/api/health", "/api/login")
"""Where a token that is not good does not matter."""


class Matrix(SiteTestCase):
    """Every call, by everybody."""

    def ask(self, client, method: str, path: str, **headers: str):
        body = BODIES.get(path) if method in ("POST", "PATCH") else None
        return client.request(method, path, body, headers)

    def test_every_call_by_every_role(self):
        for (method, path), statuses in CALLS.items():
            for role, status in zip(ROLES, statuses, strict=True):
                with self.subTest(method=method, path=path, role=role):
                    self.setUp()
                    response = self.ask(self.client(role), method, path)
                    self.assertEqual(response.status, status, response)
                    if status == 401:
                        self.assertEqual(response.headers["www-authenticate"], "Bearer")
                    if status in (401, 403):
                        self.assertIn(
                            response.json["error"], ("Not logged in", "Permission denied")
                        )

    def test_a_bad_token_is_401_even_where_none_is_needed(self):
        for method, path in CALLS:
            with self.subTest(method=method, path=path):
                client = self.client()
                client.token = "stale"
                response = self.ask(client, method, path)
                if path in PUBLIC:
                    self.assertEqual(response.status, 200)
                else:
                    self.assert_error(response, 401, "Invalid credentials", "/api/login")
                    self.assertEqual(response.headers["www-authenticate"], "Bearer")

    def test_what_a_token_looks_like(self):
        for value, status in {
            "Bearer adm1n": 200,
            "bearer adm1n": 200,
            "BEARER   adm1n ": 200,
            "Bearer": 401,
            "Bearer ": 401,
            "Bearer adm1n adm1n": 401,
            "Bearer adm1n,Bearer adm1n": 401,
            "Bearer ädm1n": 401,
            "adm1n": 401,
            "Basic YWRtaW46cGFzcw==": 401,
            "Digest x": 401,
        }.items():
            with self.subTest(value=value):
                response = self.client().get("/api/users", Authorization=value)
                self.assertEqual(response.status, status)

    def test_two_authorization_headers(self):
        client = self.client()
        client.send(
            b"GET /api/users HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer adm1n\r\n"
            b"Authorization: Bearer adm1n\r\n\r\n"
        )
        self.assertEqual(client.responses()[0].status, 401)

    def test_no_token_in_the_address(self):
        self.assertEqual(self.client().get("/api/users?token=adm1n&ticket=adm1n").status, 401)

    def test_ended_token(self):
        self.accounts.sessions["oper4tor"].ended = True
        self.assertEqual(self.client("operator").get("/api/state").status, 401)

    def test_throttled(self):
        self.accounts.answers["resume"] = TooManyAttempts(17)
        response = self.client("viewer").get("/api/state")
        self.assert_error(response, 429, "Too many attempts", "17 s")
        self.assertEqual(response.headers["retry-after"], "17")

    def test_the_missing_permission_is_named(self):
        for method, path, permission in (
            ("GET", "/api/users", "User_r"),
            ("POST", "/api/users", "User_rw"),
            ("PATCH", "/api/users/viewer", "User_rw"),
            ("DELETE", "/api/users/viewer", "User_rw"),
            ("POST", "/api/state", "Device_rw"),
        ):
            response = self.ask(self.client("viewer"), method, path)
            self.assert_error(response, 403, "Permission denied", permission)
        self.assert_error(self.client().get("/metrics"), 401, "Permission denied", "System_r")

    def test_rights_come_before_the_body(self):
        response = self.client("viewer").post("/api/users", b"nonsense")
        self.assertEqual(response.status, 403)

    def test_the_address_is_handed_on(self):
        self.client("viewer", address="203.0.113.9").get("/api/state")
        self.assertEqual(self.accounts.calls, [("resume", "v1ewer", None, "203.0.113.9")])

    def test_without_anonymous_nothing_is_shown(self):
        self.accounts.anonymous = NOTHING
        self.model.commit({"cam1-exists": True, "record": True})
        for path in ("/api/state", "/api/state?keys=fps,cam1-exists", "/api/keys"):
            response = self.client().get(path)
            self.assert_error(response, 401, "Permission denied", "Device_r")
        status = self.client().get("/api/status")
        self.assertEqual((status.status, status.json["cameras"]), (200, []))
        self.assertNotIn("recording", status.json)
        for role in TOKENS:
            self.assertEqual(self.client(role).get("/api/state").status, 200)
