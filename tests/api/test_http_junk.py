"""Whatever comes over the network, no request is the server's undoing."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.site import TOKENS, SiteTestCase

LINES = st.one_of(
    st.sampled_from(
        [
            b"GET / HTTP/1.1",
            b"POST /api/state HTTP/1.1",
            b"PATCH /api/users/%ff%00 HTTP/1.1",
            b"OPTIONS * HTTP/1.1",
            b"GET /api/state?keys=%ff&keys HTTP/1.0",
            b"GET http://[::1/api HTTP/1.1",
            b"BREW /\xff\x00 HTTP/1.1",
            b"Host: device",
            b"Origin: http://[",
            b"Content-Type: application/json",
            b"Content-Length: 5",
            b"Content-Length: 99999999999999999999",
            b"Content-Length: -1",
            b"Transfer-Encoding: chunked",
            b"Transfer-Encoding: gzip, chunked",
            b"Expect: 100-continue",
            b"Connection: close, upgrade",
            b"Authorization: Bearer \xff",
            b"Authorization: Bearer " + TOKENS["administrator"].encode(),
            b" folded",
            b": nameless",
            b"",
            b"",
            b"5",
            b"0",
            b"fffffffff",
            b'{"fps": 25}',
        ]
    ),
    st.binary(max_size=40),
)
STREAMS = st.lists(LINES, max_size=12).map(b"\r\n".join)

METHODS = st.sampled_from(["GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS", "PUT"])
PATHS = st.sampled_from(
    [
        *("/", "/metrics", "/api", "/api/login", "/api/logout", "/api/password", "/api/tickets"),
        *("/api/users", "/api/users/viewer", "/api/state?keys=fps", "/api/keys", "/api/status"),
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["fps", "record", "id", "get", "username", "password", "path", "role"])
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


class Junk(SiteTestCase):
    """Generated requests."""

    @settings(max_examples=400, deadline=None, derandomize=True)
    @given(STREAMS, st.integers(0, 200))
    def test_bytes(self, stream: bytes, cut: int):
        client = self.client()
        client.send(stream[:cut])
        if not client.transport.disconnecting:
            client.send(stream[cut:])
        self.clock.advance(0)
        client.hang_up()
        self.assertEqual(self.flushLoggedErrors(), [])

    @settings(max_examples=400, deadline=None, derandomize=True)
    @given(METHODS, PATHS, JSON, st.sampled_from([None, *TOKENS]))
    def test_requests(self, method: str, path: str, body: object, role: str | None):
        client = self.client(role)
        client.ask(method, path, json.dumps(body).encode())
        self.clock.advance(2)
        (response,) = client.responses(method)
        self.assertLess(response.status, 500, response)
        if response.status >= 400 and method != "HEAD":
            self.assertLessEqual({"error", "message"}, set(response.json))
        self.assertEqual(self.flushLoggedErrors(), [])
        client.hang_up()
        for name, token in TOKENS.items():  # some of them may have logged out
            self.accounts.sessions[token].ended = False
            self.assertEqual(self.accounts.sessions[token].username, name)
