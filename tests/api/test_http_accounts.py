"""The HTTP API with the real users, tokens and tickets behind it."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from pathlib import Path

import msgspec
from twisted.internet.defer import maybeDeferred
from twisted.internet.task import Clock

from rotoclear.auth.accounts import Accounts
from rotoclear.auth.argon import Argon
from rotoclear.auth.passwords import PasswordHasher
from rotoclear.auth.tickets import Tickets
from rotoclear.config import Login
from rotoclear.state.database import Database, connect
from rotoclear.state.keys import KeyTable
from rotoclear.state.model import Model
from tests.api.http import Client
from tests.api.site import SiteTestCase

PASSWORD = "correct horse"


class AtOnce(Executor):
    """Threads that are none."""

    def submit(self, work, /, *args, **kwargs):
        done: Future = Future()
        try:
            done.set_result(work(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - as a thread does
            done.set_exception(error)
        return done


class Reactor(Clock):
    """A clock that threads may call."""

    def callFromThread(self, function, *args):
        function(*args)


class RealUsersTestCase(SiteTestCase):
    """Has ``self.admin``, who has just logged in for the first time."""

    def setUp(self) -> None:
        super().setUp()
        self.clock = Reactor()
        self.model = Model(self.clock, KeyTable())
        self.data_dir = Path(self.mktemp())
        self.data_dir.mkdir()
        connection = connect(self.data_dir / "test.db")
        self.addCleanup(connection.close)
        self.accounts = self.successResultOf(
            Accounts.open(
                self.clock,
                Database(connection, maybeDeferred),
                PasswordHasher(self.clock, Argon(time_cost=1, memory_cost=8), AtOnce()),
                self.data_dir,
                self.configuration.limits,
                self.configuration.login,
            )
        )
        self.tickets = Tickets(self.clock)
        self.context = self.make_context(self.accounts, self.tickets)
        self.site = self.make_site()
        first = (self.data_dir / "initial-admin-password").read_text().strip()
        self.admin = self.log_in("admin", first)

    def log_in(self, name: str, password: str, address: str = "192.0.2.1") -> Client:
        client = Client(self.site, address=address)
        response = client.post("/api/login", {"username": name, "password": password})
        self.assertEqual(response.status, 200, response)
        client.token = response.json["token"]
        return client

    def add(self, name: str = "anna", role: str = "viewer") -> Client:
        new = {"name": name, "role": role, "password": PASSWORD}
        response = self.admin.post("/api/users", new)
        self.assertEqual((response.status, response.json), (201, {"name": name, "role": role}))
        return self.log_in(name, PASSWORD)

    def role_of(self, name: str) -> str | None:
        users = self.admin.get("/api/users").json["users"]
        return {user["name"]: user["role"] for user in users}.get(name)


class RealUsers(RealUsersTestCase):
    """From the first start to the last goodbye."""

    def test_a_users_life(self):
        anna = self.add()
        self.assertEqual(anna.post("/api/state", {"fps": 25}).status, 403)
        response = self.admin.request("PATCH", "/api/users/anna", {"role": "operator"})
        self.assertEqual(response.json, {"name": "anna", "role": "operator"})
        self.assertEqual(anna.post("/api/state", {"fps": 25}).status, 200)
        self.assertEqual(self.admin.request("DELETE", "/api/users/anna").status, 204)
        self.assertEqual(anna.get("/api/state").status, 401)
        self.assertIsNone(self.role_of("anna"))
        response = self.admin.request("DELETE", "/api/users/anna")
        self.assert_error(response, 404, "Not found", "anna")

    def test_names_in_urls(self):
        self.add("Änne Löw %/2".replace("/", ""))
        path = "/api/users/A%CC%88nne%20L%C3%B6w%20%252"
        self.assertEqual(self.admin.request("PATCH", path, {"role": "operator"}).status, 200)
        self.assertEqual(self.admin.request("DELETE", path).status, 204)

    def test_log_out(self):
        anna, again = self.add(), self.log_in("anna", PASSWORD)
        self.assertEqual(anna.post("/api/logout").status, 204)
        self.assertEqual(anna.get("/api/status").status, 401)
        self.assertEqual(again.get("/api/status").status, 200)

    def test_ones_own_password_ends_ones_tokens(self):
        anna, again = self.add(), self.log_in("anna", PASSWORD)
        wrong = anna.post("/api/password", {"old": "not it", "new": "battery staple"})
        self.assert_error(wrong, 403, "Invalid credentials", "old password")
        weak = anna.post("/api/password", {"old": PASSWORD, "new": "short"})
        self.assert_error(weak, 400, "Invalid value", "8 characters")
        right = anna.post("/api/password", {"old": PASSWORD, "new": "battery staple"})
        self.assertEqual(right.status, 204)
        for client in (anna, again):
            self.assertEqual(client.get("/api/status").status, 401)
        self.log_in("anna", "battery staple")

    def test_forgotten_password(self):
        anna = self.add()
        change = {"password": "battery staple", "role": "operator"}
        self.assertEqual(self.admin.request("PATCH", "/api/users/anna", change).status, 200)
        self.assertEqual(anna.get("/api/status").status, 401)
        self.log_in("anna", "battery staple")
        self.assertEqual(self.role_of("anna"), "operator")

    def test_weak_password_leaves_the_role(self):
        self.add()
        change = {"password": "short", "role": "operator"}
        response = self.admin.request("PATCH", "/api/users/anna", change)
        self.assert_error(response, 400, "Invalid value", "8 characters")
        self.assertEqual(self.role_of("anna"), "viewer")

    def test_what_cannot_be(self):
        new = {"name": "admin", "role": "viewer", "password": PASSWORD}
        self.assert_error(self.admin.post("/api/users", new), 409, "Conflict")
        for change in (
            {"name": "a/b"},
            {"role": "anonymous", "name": "b"},
            {"password": "", "name": "b"},
        ):
            response = self.admin.post("/api/users", {**new, **change})
            self.assert_error(response, 400, "Invalid value")
        response = self.admin.request("DELETE", "/api/users/admin")
        self.assert_error(response, 409, "Conflict")
        response = self.admin.request("PATCH", "/api/users/admin", {"role": "viewer"})
        self.assert_error(response, 409, "Conflict")
        response = self.admin.request("PATCH", "/api/users/nobody", {"role": "viewer"})
        self.assert_error(response, 404, "Not found")

    def test_five_failures_from_one_address(self):
        self.add()
        wrong = {"username": "anna", "password": "wrong guess"}
        client = Client(self.site)
        for _ in range(5):
            self.assertEqual(client.post("/api/login", wrong).status, 401)
        response = client.post("/api/login", {**wrong, "password": PASSWORD})
        self.assert_error(response, 429, "Too many attempts")
        self.assertEqual(response.headers["retry-after"], "300")
        self.log_in("anna", PASSWORD, address="203.0.113.9")
        self.clock.advance(300)
        self.log_in("anna", PASSWORD)

    def test_token_expires(self):
        anna = self.add()
        idle = self.configuration.login.token_idle
        self.clock.advance(idle - 1)
        self.assertEqual(Client(self.site, token=anna.token).get("/api/state").status, 200)
        self.clock.advance(idle - 1)
        self.assertEqual(Client(self.site, token=anna.token).get("/api/state").status, 200)
        self.clock.advance(idle)
        self.assertEqual(Client(self.site, token=anna.token).get("/api/state").status, 401)

    def test_ticket(self):
        anna = self.add()
        ticket = anna.post("/api/tickets", {"path": "/api/snapshot"}).json["ticket"]
        session = self.tickets.redeem(ticket, "/api/snapshot")
        self.assertEqual(session.username, "anna")
        self.assertIsNone(self.tickets.redeem(ticket, "/api/stream"))


class WithoutAnonymous(RealUsers):
    """The configuration takes everything away from those who have not logged in."""

    configuration = msgspec.structs.replace(
        SiteTestCase.configuration, login=Login(anonymous=False)
    )

    def test_nothing_without_login(self):
        self.assertEqual(Client(self.site).get("/api/state").status, 401)
        self.assertEqual(Client(self.site).get("/api/status").status, 200)
        self.assertEqual(self.add().get("/api/state").status, 200)
