"""Users for the tests of the WebSocket side: they log in at once, and lose rights on command."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from rotoclear.api.context import ApiContext
from rotoclear.api.roster import Roster
from rotoclear.auth.accounts import Login
from rotoclear.auth.errors import InvalidCredentials
from rotoclear.config import Configuration, Limits
from rotoclear.state.keys import KeyTable
from rotoclear.state.model import Model
from rotoclear.state.permissions import ANONYMOUS, NOTHING, ROLES, Permissions
from tests.api.screen import Screen


@define(eq=False)
class Person:
    """A session."""

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

    def change(self, *, role: str | None = None, ended: bool = False) -> None:
        """Another role, or the end."""
        self.role = role or self.role
        self.ended = ended
        for callback in list(self.attached):
            callback()


@define(eq=False)
class People:
    """
    The accounts: ``alice`` is an administrator, and so on by the roles.

    Everybody's password is ``secret``, everybody's token their name.
    """

    anonymous: Permissions = ROLES[ANONYMOUS]
    sessions: dict[str, Person] = field(
        factory=lambda: {
            "alice": Person("alice", "administrator"),
            "olga": Person("olga", "operator"),
            "victor": Person("victor", "viewer"),
        }
    )
    answer: Exception | Deferred[Login] | None = None
    asked: list[tuple[str | None, str]] = field(factory=list)

    def login(self, username: str, password: str, address: str) -> Deferred[Login]:
        self.asked.append((username, address))
        if isinstance(self.answer, Exception):
            return fail(self.answer)
        if self.answer is not None:
            return self.answer
        if password != "secret" or username not in self.sessions:
            return fail(InvalidCredentials())
        return succeed(Login(self.sessions[username], username))  # type: ignore[arg-type]

    def resume(self, token: str, username: str | None, address: str) -> Person:
        self.asked.append((username, address))
        session = self.sessions.get(token)
        if session is None or username not in (None, session.username) or session.ended:
            raise InvalidCredentials
        return session


def make_context(
    clock: Clock, people: People | None = None, limits: Limits | None = None
) -> ApiContext:
    """A context with a real model and these people."""
    return ApiContext(
        reactor=clock,
        model=Model(clock, KeyTable()),
        accounts=people or People(),  # type: ignore[arg-type]
        tickets=None,  # type: ignore[arg-type]
        configuration=Configuration(limits=limits or Limits()),
        version="0",
        started=0.0,
        status=dict,
        health=dict,
        connections=Roster(),
        pictures=Screen(),
        library=None,  # type: ignore[arg-type]
    )
