"""A site for the tests: the real resources and model, users that are made up."""

from __future__ import annotations

import json
from collections.abc import Callable

from attrs import define, field
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource

from rotoclear.api.context import ApiContext
from rotoclear.api.metrics import Metrics
from rotoclear.api.roster import Backlog
from rotoclear.api.site import ApiSite, make_site
from rotoclear.auth.errors import InvalidCredentials
from rotoclear.auth.users import User
from rotoclear.config import Configuration, Limits, Server
from rotoclear.config import Metrics as MetricsSection
from rotoclear.state.keys import KeyTable
from rotoclear.state.model import Model
from rotoclear.state.permissions import ANONYMOUS, NOTHING, ROLES, Permissions
from tests.api.http import Client
from tests.api.screen import Screen
from tests.api.stored import File, Library
from tests.media.stored import entry

TOKENS = {"administrator": "adm1n", "operator": "oper4tor", "viewer": "v1ewer"}
"""A token for each role; the user has the role's name."""


@define(eq=False)
class FakeSession:
    username: str
    role: str
    ended: bool = False
    expires: str = "2030-01-01T00:00:00Z"
    attached: list[Callable[[], None]] = field(factory=list)

    @property
    def permissions(self) -> Permissions:
        return NOTHING if self.ended else ROLES[self.role]

    def attach(self, on_change: Callable[[], None]) -> None:
        self.attached.append(on_change)

    def detach(self, on_change: Callable[[], None]) -> None:
        if on_change in self.attached:
            self.attached.remove(on_change)

    def end(self) -> None:
        self.ended = True
        for on_change in list(self.attached):
            on_change()


@define
class FakeLogin:
    session: FakeSession
    token: str


@define(eq=False)
class FakeAccounts:
    """Answers at once, or as ``answers`` says; remembers what it was asked."""

    anonymous: Permissions = ROLES[ANONYMOUS]
    sessions: dict[str, FakeSession] = field(
        factory=lambda: {token: FakeSession(role, role) for role, token in TOKENS.items()}
    )
    calls: list[tuple] = field(factory=list)
    passwords_waiting: int = 0
    audited: dict[str, int] = field(factory=dict)
    answers: dict[str, object] = field(factory=dict)

    def _do(self, name: str, *arguments: object, result: object = None) -> Deferred:
        self.calls.append((name, *arguments))
        answer = self.answers.get(name, result)
        if isinstance(answer, Deferred):
            return answer
        return fail(answer) if isinstance(answer, Exception) else succeed(answer)

    def resume(self, token: str, username: str | None, address: str) -> FakeSession:
        self.calls.append(("resume", token, username, address))
        if "resume" in self.answers:
            raise self.answers["resume"]  # type: ignore[misc]
        session = self.sessions.get(token)
        if session is None or session.ended:
            raise InvalidCredentials
        return session

    def login(self, username: str, password: str, address: str) -> Deferred:
        session = FakeSession(username, "operator")
        return self._do("login", username, password, address, result=FakeLogin(session, "n3w"))

    def verify(self, username: str, password: str, address: str) -> Deferred:
        session = FakeSession(username, username)
        if password != "secret":
            self.answers.setdefault("verify", InvalidCredentials())
        return self._do("verify", username, password, address, result=session)

    def logout(self, session: FakeSession) -> Deferred:
        session.ended = True
        return self._do("logout", session.username)

    def change_password(self, who, old, new, by, address) -> Deferred:
        who = who if isinstance(who, str) else who.username
        return self._do("change_password", who, old, new, by, address)

    def users(self) -> list[User]:
        return [User(role, role, 1.0, 2.0) for role in ("viewer", "administrator")]

    def add_user(self, name: str, role: str, password: str, by: str, address: str) -> Deferred:
        user = User(name, role, 1.0, 1.0)
        return self._do("add_user", name, role, password, by, address, result=user)

    def set_role(self, name: str, role: str, by: str, address: str) -> Deferred:
        return self._do("set_role", name, role, by, address)

    def remove_user(self, name: str, by: str, address: str) -> Deferred:
        return self._do("remove_user", name, by, address)


@define
class FakeTickets:
    """A ticket is good for the path that it names, until ``gone``."""

    gone: bool = False

    def redeem(self, ticket: str, path: str) -> FakeSession | None:
        role, _, wanted = ticket.removeprefix("ticket-of-").partition("-for-")
        return FakeSession(role, role) if wanted == path and not self.gone else None

    def issue(self, session: FakeSession, path: str) -> str:
        return f"ticket-of-{session.username}-for-{path}"


class FakeConnections:
    count = 3

    def add(self, member: object) -> None:
        self.count += 1

    def remove(self, member: object) -> None:
        self.count -= 1

    def backlog(self) -> Backlog:
        return Backlog(2, 300, 200)

    def by_role(self) -> dict[str, int]:
        return {"anonymous": 2, "viewer": 1}


class Upgrade(Resource):
    """Stands where the WebSocket will be."""

    isLeaf = True

    def render_GET(self, request: object) -> bytes:
        return b"{}"


class SiteTestCase(SynchronousTestCase):
    """A test with a site, its model, its users and its clock."""

    configuration = Configuration(
        server=Server(allowed_origins=("https://console.example",)),
        limits=Limits(message_size=2048),
        metrics=MetricsSection(),
    )

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1000)  # what a clock says at the start means nothing
        self.model = Model(self.clock, KeyTable())
        self.accounts = FakeAccounts()
        self.metrics = Metrics()
        self.screen = Screen()
        self.connections = FakeConnections()
        self.status: dict[str, object] = {"drivers": []}
        self.health: dict[str, dict[str, object]] = {"database": {"state": "ok"}}
        self.engine: dict[str, object] = {}
        self.certificates: dict[str, float] = {}
        self.library = self.make_library()
        self.context = self.make_context(self.accounts, FakeTickets())
        self.site = self.make_site()

    def make_context(self, accounts: object, tickets: object) -> ApiContext:
        return ApiContext(
            reactor=self.clock,
            model=self.model,
            accounts=accounts,  # type: ignore[arg-type]
            tickets=tickets,  # type: ignore[arg-type]
            configuration=self.configuration,
            version="1.2.3",
            started=self.clock.seconds(),
            status=lambda: self.status,
            engine=lambda: self.engine,
            health=lambda: self.health,
            certificates=lambda: self.certificates,
            connections=self.connections,
            pictures=self.screen,
            library=self.library,  # type: ignore[arg-type]
            metrics=self.metrics,
        )

    def make_library(self) -> Library:
        """A film and a picture, each with the id ``a``."""
        film, picture = entry("a"), entry("a", kind="snapshot", file="2026/11/24/a.jpg")
        return Library([film, picture], {"a": File(b"content")})

    def make_site(self) -> ApiSite:
        return make_site(self.clock, self.context, Upgrade())

    def client(self, role: str | None = None, **more: object) -> Client:
        """A client that has logged in as one of that role, or not."""
        return Client(self.site, token=role and TOKENS[role], **more)  # type: ignore[arg-type]

    def assert_error(self, response, status: int, error: str, about: str = "") -> None:
        """It is an error as all are: JSON, with the status, for programs and for people."""
        self.assertEqual(response.status, status, response)
        self.assertEqual(response.json["error"], error)
        self.assertIn(about, response.json["message"])
        self.assertTrue(response.json["message"])


def dumps(value: object) -> bytes:
    return json.dumps(value).encode()
