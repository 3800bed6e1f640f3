"""Bad requests to every HTTP resource."""

from __future__ import annotations

import json
import random
import select
import socket
from collections import Counter
from collections.abc import Iterator, Mapping
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Final

from tests.harness import Server
from tests.robustness.bystander import Bystander
from tests.robustness.messages import Messages
from tests.robustness.people import PASSWORD, PEOPLE, add_people
from tests.robustness.rawsocket import connect
from tests.robustness.vitals import Flat

PATIENCE: Final = 0.02
"""Seconds after which we take it that the server waits for more."""

METHODS: Final = (
    "GET",
    "HEAD",
    "POST",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "PUT",
    "BREW",
    "get",
    "CONNECT",
)

PATHS: Final = (
    "/",
    "/metrics",
    "/api",
    "/api/",
    "/api/v1",
    "/api/login",
    "/api/logout",
    "/api/password",
    "/api/tickets",
    "/api/users",
    "/api/users/nobody",
    "/api/users/victim",
    "/api/users/%00%ff",
    "/api/users/..%2fadmin",
    "/api/state",
    "/api/state?keys=fps,gain",
    "/api/state?keys=",
    "/api/state?keys=%ff",
    "/api/state?keys=" + "fps," * 3000,
    "/api/keys",
    "/api/status",
    "/api/health",
    "/api/openapi.json",
    "/api/asyncapi.json",
    "/api/snapshot?quality=-1",
    "/api/recordings/1",
    "/../../etc/passwd",
    "//api//state",
    "/api/state/" + "x/" * 500,
    "/\u00e4",
    "*",
    "http://device/api/status",
    "http://[/api",
)

USUAL: Final[tuple[tuple[str, str, tuple[str, ...]], ...]] = (
    ("GET", "/api/users", ()),
    ("POST", "/api/users", ("name", "role", "password")),
    ("PATCH", "/api/users/victim", ("role",)),
    ("PATCH", "/api/users/victim", ("password",)),
    ("DELETE", "/api/users/victim", ()),
    ("POST", "/api/login", ("username", "password")),
    ("POST", "/api/logout", ()),
    ("POST", "/api/password", ("old", "new")),
    ("POST", "/api/tickets", ("path",)),
    ("POST", "/api/state", ("brightness", "pip-mode")),
    ("GET", "/api/state?keys=fps,nonsense", ()),
)
"""What there is to be asked for, and with which fields."""

GOOD: Final = {
    "name": ("victim", "another"),
    "username": ("victim", "another", "nobody"),
    "role": ("viewer", "operator"),
    "password": ("good enough for it",),
    "new": ("good enough for it",),
    "path": ("/api/snapshot", "/api/recordings/1"),
    "brightness": (0, 50, 100),
    "pip-mode": ("off", "top-left"),
}

HEADERS: Final = (
    "Content-Type: application/json",
    "Content-Type: text/plain",
    "Content-Type: application/json; charset=utf-16",
    "Content-Encoding: gzip",
    "Expect: 100-continue",
    "Expect: nonsense",
    "Origin: http://evil.example",
    "Origin: null",
    "Range: bytes=0-0,5-",
    "Accept: application/xml",
    "Upgrade: websocket",
    "Upgrade: h2c",
    "Connection: Upgrade",
    "Cookie: session=1",
    "X-Forwarded-For: 1.2.3.4",
    "Authorization: Basic YWRtaW46YWRtaW4=",
    "Authorization: Bearer nonsense",
    "Authorization: Bearer",
    "Authorization: Digest x",
    "If-None-Match: *",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: gzip, chunked",
    "Content-Length: 0",
    "Content-Length: -1",
    "Content-Length: 99999999999999999999",
    "Content-Length: 1, 1",
    "Host: other",
    "Header without colon",
    ": no name",
    "X-Long: " + "y" * 10_000,
    "X-Strange: \x01\x80\xff",
)


def bad_requests(folder: Path, count: int, seed: int = 1) -> Iterator[str]:
    """
    So many requests, most of them wrong.

    Each is answered with what it deserves, never 500, errors as JSON; or the
    connection is closed, if that was no request. A bystander is served.
    """
    with Server(folder, "[limits]\nlogin-failures = 1000\nlogin-window = 1\n") as server:
        storm = _Requests(server, add_people(server), seed)
        with Bystander(server, storm.tokens["administrator"]) as bystander:
            storm.run(count // 4)
            flat = Flat(server.pid)
            bystander.seen()
            storm.run(count // 2)
            bystander.is_served()
            storm.run(count - count // 2)
            yield f"{count} requests (seed {seed})"
            yield ", ".join(f"{status}: {number}" for status, number in sorted(storm.seen.items()))
            yield str(bystander.seen())
            yield flat.check()


class _Requests:
    """
    Sends and checks.

    :ivar seen: answers by status; ``closed`` for none.
    """

    def __init__(self, server: Server, tokens: dict[str, str], seed: int) -> None:
        self._server = server
        self._random = random.Random(seed)
        self._messages = Messages(self._random, "anonymous", None)
        self.tokens = tokens
        self.seen: Counter[str] = Counter()

    def run(self, count: int) -> None:
        for _ in range(count):
            self._one()

    def _one(self) -> None:
        draw = self._random
        fair = draw.random() < 0.6
        method, path = draw.choice(METHODS), draw.choice(PATHS)
        fields: tuple[str, ...] = draw.choice(USUAL)[2]
        if fair and draw.random() < 0.7:
            method, path, fields = draw.choice(USUAL)
        role = draw.choice(["administrator", "administrator", "operator", "viewer", None])
        if role == "administrator" and path in ("/api/logout", "/api/password"):
            role = "viewer"
        headers = [] if fair else draw.sample(HEADERS, draw.choice([1, 1, 2, 4]))
        body = self._body(fields, fair)
        if fair or draw.random() < 0.5:
            headers += ["Host: device"]
        if body and (fair or draw.random() < 0.5):
            headers += [f"Content-Length: {len(body)}"]
        if body and fair:
            headers += ["Content-Type: application/json"]
        if role is not None:
            headers += [f"Authorization: Bearer {self.tokens[role]}"]
        version = "HTTP/1.1" if fair else draw.choice(["HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "HTP"])
        head = "\r\n".join([f"{method} {path} {version}", *headers])
        request = head.encode("utf-8") + b"\r\n\r\n" + body
        try:
            self._check(method, request, fair)
        except AssertionError as error:
            raise AssertionError(f"{error}\nrequest: {request[:1500]!r}") from error
        if path == "/api/logout" and role is not None:
            name = PEOPLE[role]
            self.tokens[role] = self._server.login(name, PASSWORD)

    def _body(self, fields: tuple[str, ...], fair: bool) -> bytes:
        draw = self._random
        match 3 if fair and draw.random() < 0.5 else draw.randrange(6):
            case 0 | 1:
                return b""
            case 2:
                return self._messages.case().payload
            case 3:
                return json.dumps(self._fields(fields)).encode()
            case 4:
                return draw.randbytes(draw.choice([1, 50, 70_000]))
        return draw.choice(
            [b"5\r\nhello\r\n0\r\n\r\n", b"fffffffff\r\n", b"0\r\n\r\n", b"{}", b"[]"]
        )

    def _fields(self, names: tuple[str, ...]) -> Mapping[str, object]:
        """The fields, with values that are mostly good."""
        draw = self._random
        odd = ["", "x", 5, None, True, [], {}, "\0", "\U0001f600", "z" * 999]
        fields = {
            name: draw.choice(GOOD.get(name, odd) if draw.random() < 0.8 else odd) for name in names
        }
        if draw.random() < 0.2:
            fields[draw.choice(["more", "id", "role", "brightness"])] = draw.choice(odd)
        return fields

    def _check(self, method: str, request: bytes, fair: bool) -> None:
        with connect(self._server) as connection:
            try:
                connection.sendall(request)
                if not fair and not select.select([connection], [], [], PATIENCE)[0]:
                    # It waits for the rest of what was announced: there is none.
                    connection.shutdown(socket.SHUT_WR)
                response = HTTPResponse(connection, method=method)
                response.begin()
                body = response.read()
            except (HTTPException, OSError):
                assert not fair, "no answer"
                self.seen["closed"] += 1
                return
        status = response.status
        self.seen[str(status)] += 1
        assert status < 500 or (status == 503 and b'"state"' in body), f"{status} {body[:300]!r}"
        assert response.getheader("Server") is None, "it says what it is"
        if status >= 400 and method != "HEAD":
            answer = json.loads(body)
            assert answer["error"], "an error's name"
            assert answer["message"], "an error's message"
