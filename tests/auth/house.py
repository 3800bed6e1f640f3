"""The room with everything around it under the test's hand: time, threads, disk."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.logger import LogEvent, capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.auth import initial
from rotoclear.auth.accounts import Accounts, Login
from rotoclear.auth.argon import Argon, Verdict
from rotoclear.auth.passwords import PasswordHasher
from rotoclear.state.database import FILE_NAME, Database, connect

PASSWORD = "correct horse"
HERE = "192.0.2.1"
THERE = "192.0.2.2"
IDLE = 1800


class Reactor(Clock):
    """A clock whose threads are the test's own."""

    def callFromThread(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        function(*args, **kwargs)


class Workers(Executor):
    """Runs what it is given at once, or, while held, when it is told to."""

    def __init__(self) -> None:
        self.held = False
        self.waiting: deque[tuple[Future[Any], Callable[..., Any]]] = deque()
        self.stopped = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.waiting.append((future, fn))
        if not self.held:
            self.work()
        return future

    def work(self, times: int = 1) -> None:
        for _ in range(times):
            future, function = self.waiting.popleft()
            try:
                result = function()
            except Exception as error:  # noqa: BLE001 - as a thread pool does
                future.set_exception(error)
            else:
                future.set_result(result)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self.stopped = True


class CheapArgon(Argon):
    """Costs next to nothing, and notes what it was asked to compare."""

    def __init__(self, time_cost: int = 1) -> None:
        super().__init__(time_cost=time_cost, memory_cost=8)
        self.verified: list[str | None] = []

    def verify(self, encoded: str | None, password: str) -> Verdict:
        self.verified.append(encoded)
        return super().verify(encoded, password)


class Disk:
    """The database's thread: runs at once, or, while held, when it is told to."""

    def __init__(self) -> None:
        self.held = False
        self.waiting: deque[Callable[[], None]] = deque()
        self.transactions = 0
        self.broken: Exception | None = None

    def __call__(self, function: Callable[[], object]) -> Deferred[object]:
        self.transactions += 1
        if self.broken is not None:
            return maybeDeferred(self._fail)
        if not self.held:
            return maybeDeferred(function)
        result: Deferred[object] = Deferred()
        self.waiting.append(lambda: maybeDeferred(function).chainDeferred(result))
        return result

    def _fail(self) -> object:
        assert self.broken is not None
        raise self.broken

    def work(self) -> None:
        self.waiting.popleft()()


@frozen
class Limits:
    login_failures: int = 5
    login_window: float = 300.0


@frozen
class Rules:
    anonymous: bool = True
    token_idle: float = IDLE


@contextmanager
def audit() -> Iterator[list[LogEvent]]:
    """The audit events of a block."""
    found: list[LogEvent] = []
    with capturedLogs() as events:
        yield found
    found += [event for event in events if event["log_namespace"] == "rotoclear.auth.audit.Audit"]


def lines(events: list[LogEvent]) -> list[str]:
    return [formatEvent(event) for event in events]


class HouseTestCase(SynchronousTestCase):
    """Has ``self.accounts``, with ``admin`` and, of each role, a user of its name."""

    rules = Rules()
    limits = Limits()

    def setUp(self) -> None:
        self.reactor = Reactor()
        self.wall = 1_700_000_000.0
        self.data_dir = Path(self.mktemp())
        self.data_dir.mkdir(mode=0o700)
        self.argon = CheapArgon()
        self.start()
        for role in ("administrator", "operator", "viewer"):
            self.successResultOf(self.accounts.add_user(role, role, PASSWORD, "test", HERE))

    def start(self, **changes: Any) -> None:
        """Start the room on the data folder."""
        self.workers = Workers()
        self.disk = Disk()
        self.connection = connect(self.data_dir / FILE_NAME)
        self.addCleanup(self.connection.close)
        self.connection.execute("PRAGMA synchronous = OFF")
        self.hasher = PasswordHasher(self.reactor, self.argon, self.workers, waiting=8)
        rules = changes.get("rules", self.rules)
        self.accounts = self.successResultOf(
            Accounts.open(
                self.reactor,
                Database(self.connection, self.disk),
                self.hasher,
                self.data_dir,
                self.limits,
                rules,
                lambda: self.wall,
            )
        )

    def stop(self) -> None:
        """Stop it properly."""
        self.successResultOf(self.accounts.close())
        self.connection.close()

    def kill(self) -> None:
        """``kill -9``: nothing more is written."""
        for call in self.reactor.getDelayedCalls():
            call.cancel()
        self.connection.close()

    def login(self, name: str = "operator", address: str = HERE) -> Login:
        return self.successResultOf(self.accounts.login(name, PASSWORD, address))

    def alive(self, token: str) -> bool:
        """Whether a token is good, without using it."""
        digest = hashlib.sha256(token.encode()).digest()
        return self.accounts._sessions.find(digest) is not None

    def stored_tokens(self) -> list[tuple[bytes, str, float]]:
        return self.connection.execute("SELECT hash, user, idle FROM tokens").fetchall()

    @property
    def password_file(self) -> Path:
        return self.data_dir / initial.FILE_NAME
