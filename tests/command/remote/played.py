"""A server that is played: the client's library without a network, and the command on top of it."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

from attrs import define, field
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.client import (
    Change,
    ConnectionState,
    Entry,
    InvalidValue,
    Login,
    LoginRefused,
    NotFound,
    Page,
    PermissionDenied,
    Progress,
    Refused,
    SomeRefused,
    UnknownKey,
)
from rotoclear.command.remote import session
from rotoclear.command.remote.choosing import Target
from rotoclear.state.keys import KEYS, KeyTable
from rotoclear.values import Value
from tests.command.running import Result, run_here

PASSWORDS = {"anna": "correct horse", "joe": "battery staple"}
SERVER = "http://localhost:8080"


@define
class Played:
    """
    A server.

    :ivar values: its keys.
    :ivar tokens: those that are good, and whose they are.
    :ivar unreachable: what comes of connecting.
    :ivar files: what can be downloaded, by id.
    :ivar told: what it was told to set, message by message.
    :ivar targets: whom the command meant to ask.
    """

    values: dict[str, Value] = field(factory=lambda: {key.name: key.default for key in KEYS})
    keys: KeyTable = field(factory=KeyTable)
    tokens: dict[str, str] = field(factory=dict)
    unreachable: Exception | None = None
    entries: list[Entry] = field(factory=list)
    files: dict[str, bytes] = field(factory=dict)
    told: list[dict[str, Value]] = field(factory=list)
    targets: list[Target] = field(factory=list)
    changes: list[Change] = field(factory=list)
    states: list[ConnectionState] = field(factory=list)
    end_of_watch: Exception | None = None

    def client(self, target: Target, *, reconnect: bool) -> PlayedClient:
        """Stands for :func:`rotoclear.command.remote.session.new_client`."""
        self.targets.append(target)
        return PlayedClient(self, target.login.token if target.login else None)

    def picture(self, number: int, kind: str = "snapshots", content: bytes = b"\xff\xd8") -> Entry:
        """Another film or picture, newer than those before."""
        began = datetime(2026, 11, 24, 9, 30, tzinfo=UTC) + timedelta(seconds=number)
        stamp = began.strftime("%Y%m%d-%H%M%S")
        entry = Entry(
            kind=kind,  # type: ignore[arg-type]
            id=f"{began:%Y%m%dT%H%M%SZ}-{number:08x}",
            began=began,
            ended=began,
            duration=3.2 if kind == "recordings" else 0.0,
            size=len(content),
            width=1920,
            height=1080,
            volume="Stick",
            file=f"2026/11/24/rotoclear-{stamp}.{'mp4' if kind == 'recordings' else 'jpg'}",
            available=True,
            state="complete",
        )
        self.entries.insert(0, entry)
        self.files[entry.id] = content
        self.values["last-recording" if kind == "recordings" else "last-snapshot"] = entry.id
        return entry


class PlayedClient:
    """Of :class:`rotoclear.client.asyncio.Client` what the commands use."""

    def __init__(self, server: Played, token: str | None) -> None:
        self._server = server
        self._login = Login()
        self._token = token

    @property
    def username(self) -> str:
        return self._login.username

    @property
    def role(self) -> str:
        return self._login.role

    @property
    def permissions(self) -> frozenset[str]:
        return self._login.permissions

    @property
    def token(self) -> str | None:
        return self._login.token

    @property
    def expires(self) -> str:
        return self._login.expires

    async def connect(self) -> None:
        if self._server.unreachable is not None:
            raise self._server.unreachable
        if self._token is not None:
            if self._token not in self._server.tokens:
                raise LoginRefused("Invalid credentials")
            self._as(self._server.tokens[self._token], self._token)

    async def close(self) -> None:
        pass

    async def login(self, username: str, password: str) -> Login:
        if PASSWORDS.get(username) != password:
            raise LoginRefused("Invalid credentials")
        token = f"token-{len(self._server.tokens)}-of-{username}"
        self._server.tokens[token] = username
        return self._as(username, token)

    async def logout(self) -> None:
        del self._server.tokens[self._token or ""]

    def _as(self, username: str, token: str) -> Login:
        permissions = frozenset({"Device_r", "Device_rw", "Media_r", "Media_rw"})
        self._login = Login(username, "operator", permissions, token, "2026-11-24T10:00:00Z")
        return self._login

    async def get(self, key: str) -> Value:
        try:
            return (await self.get_all(key))[key]
        except SomeRefused as error:
            raise error.errors[0] from None

    async def get_all(self, *keys: str) -> dict[str, Value]:
        values = self._server.values
        unknown = [UnknownKey("Unknown key", key) for key in keys if key not in values]
        found = {key: values[key] for key in keys or values if key in values}
        if unknown:
            raise SomeRefused(unknown, found)
        return found

    async def set(self, key: str, value: Value) -> Value:
        try:
            return (await self.set_all({key: value}))[key]
        except SomeRefused as error:
            raise error.errors[0] from None

    async def set_all(self, values: Mapping[str, Value]) -> dict[str, Value]:
        self._server.told.append(dict(values))
        done: dict[str, Value] = {}
        refused: list[Refused] = []
        for name, value in values.items():
            key = self._server.keys.get(name)
            if key is None:
                refused.append(UnknownKey("Unknown key", name))
            elif self._token is None:
                message = f"Changing {name} takes {', '.join(sorted(key.write))}"
                refused.append(PermissionDenied("Permission denied", name, message))
            else:
                try:
                    done[name] = self._server.values[name] = key.type.parse(value)
                except ValueError as error:
                    refused.append(InvalidValue("Invalid value", name, str(error)))
        if refused:
            raise SomeRefused(refused, done)
        if values.get("snap") is True:
            self._server.picture(len(self._server.entries))
        return done

    async def keys(self) -> dict[str, Any]:
        kinds = {"Integer": "integer", "Boolean": "boolean", "Text": "text"}
        return {
            key.name: {
                "type": kinds.get(type(key.type).__name__, "choice"),
                "minimum": getattr(key.type, "minimum", None),
                "maximum": getattr(key.type, "maximum", None),
                "writable": bool(key.write),
                "doc": key.doc,
            }
            for key in self._server.keys.values()
        }

    async def status(self) -> dict[str, Any]:
        told: dict[str, Any] = {"version": "0.1.0", "uptime": 3723.4, "cameras": [1, 2]}
        if self._token is not None:
            told |= {"recording": "pause", "connections": 3, "devices": {"heads": [{"number": 1}]}}
        return told

    async def watch(self, *keys: str) -> AsyncIterator[Change]:
        for key, value in self._server.values.items():
            if key in keys or not keys:
                yield Change(key, value)
        for change in self._server.changes:
            yield change
        if self._server.end_of_watch is not None:
            raise self._server.end_of_watch

    async def states(self) -> AsyncIterator[ConnectionState]:
        for state in self._server.states:
            yield state

    async def page(self, kind: str, limit: int = 50, before: str = "") -> Page:
        of_kind = [entry for entry in self._server.entries if entry.kind == kind]
        ids = [entry.id for entry in of_kind]
        begin = ids.index(before) + 1 if before else 0
        shown = of_kind[begin : begin + min(limit, 3)]
        more = begin + len(shown) < len(of_kind)
        return Page(tuple(shown), len(of_kind), shown[-1].id if more else None)

    async def entry(self, kind: str, id_: str) -> Entry:
        if "/" in id_:
            raise ValueError("no id")
        for entry in self._server.entries:
            if (entry.kind, entry.id) == (kind, id_):
                return entry
        raise NotFound("Not found")

    async def download(
        self,
        entry: Entry,
        path: Path,
        *,
        overwrite: bool = False,
        progress: Callable[[Progress], None] | None = None,
    ) -> Path:
        content = self._server.files[entry.id]
        _write(path, content, overwrite=overwrite)
        if progress is not None:
            progress(Progress(len(content), len(content)))
        return path


def _write(path: Path, content: bytes, *, overwrite: bool) -> None:
    if path.exists() and not overwrite:
        raise FileExistsError("there is something")
    path.write_bytes(content)


class PlayedTestCase(SynchronousTestCase):
    """A server and a user's home of its own for each test."""

    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.home = Path(folder.name)
        self.server = Played()
        patch = mock.patch.object(session, "new_client", self.server.client)
        patch.start()
        self.addCleanup(patch.stop)
        # No test may reach the keyring of whoever runs it.
        no_keyring = mock.patch("rotoclear.command.remote.keyrings.usable", return_value=None)
        no_keyring.start()
        self.addCleanup(no_keyring.stop)

    def run_command(self, *words: str, stdin: str = "", **environ: str) -> Result:
        """Run it as the user."""
        keyboard = io.TextIOWrapper(io.BytesIO(stdin.encode()))
        with mock.patch("sys.stdin", keyboard):
            return run_here(*words, HOME=str(self.home), **environ)

    def good(self, *words: str, stdin: str = "", **environ: str) -> str:
        """The same, and it has to succeed; return what it said."""
        result = self.run_command(*words, stdin=stdin, **environ)
        self.assertEqual((result.code, result.err), (0, ""))
        return result.out

    def refused(self, code: int, *words: str, stdin: str = "", **environ: str) -> str:
        """The same, and it has to fail; return the one line of the reason."""
        result = self.run_command(*words, stdin=stdin, **environ)
        self.assertEqual((result.code, result.out), (code, ""), result.err)
        self.assertEqual(result.err.count("\n"), 1)
        return result.err.removeprefix("rotoclear: ").rstrip("\n")

    def login(self, user: str = "anna", *options: Sequence[str]) -> None:
        """Log in."""
        self.good("login", user, *map(str, options), stdin=PASSWORDS[user])
