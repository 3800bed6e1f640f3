"""What holds for every address: routes, methods, headers, bodies, errors."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.logger import LogLevel, capturedLogs
from twisted.web.resource import Resource

from rotoclear.api.site import TIMEOUT
from rotoclear.config import Configuration, Server
from tests.api.site import SiteTestCase, dumps

ADDRESSES = {
    "/": ("GET",),
    "/metrics": ("GET",),
    "/api/login": ("POST",),
    "/api/logout": ("POST",),
    "/api/password": ("POST",),
    "/api/tickets": ("POST",),
    "/api/users": ("GET", "POST"),
    "/api/users/anna": ("PATCH", "DELETE"),
    "/api/state": ("GET", "POST"),
    "/api/keys": ("GET",),
    "/api/status": ("GET",),
    "/api/health": ("GET",),
    "/api/openapi.json": ("GET",),
    "/api/asyncapi.json": ("GET",),
}


class Routes(SiteTestCase):
    """Which addresses there are."""

    def test_unknown_addresses_are_json_404s(self):
        for path in (
            "/api",
            "/api/",
            "/api/nothing",
            "/api/status/",
            "/api/status/more",
            "/api/users/",
            "/api/users/anna/",
            "/api/users/anna/more",
            "/api/users/%ff",
            "/favicon.ico",
            "//api/status",
            "/api/../api/status",
        ):
            with self.subTest(path=path):
                self.assert_error(self.client().get(path), 404, "Not found", "/api/openapi.json")

    def test_absolute_form_is_understood(self):
        client = self.client()
        self.assertEqual(client.get("http://device/api/status").status, 200)
        self.assertEqual(client.get("http://device").status, 200)
        self.assert_error(client.get("nonsense"), 400, "Invalid request")

    def test_other_methods_are_405_with_allow(self):
        for path, methods in ADDRESSES.items():
            allowed = {*methods, "OPTIONS", *(["HEAD"] if "GET" in methods else [])}
            for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"):
                if method in allowed:
                    continue
                with self.subTest(path=path, method=method):
                    response = self.client("administrator").request(method, path)
                    self.assertEqual(response.status, 405)
                    self.assertEqual(set(response.headers["allow"].split(", ")), allowed)
                    if method != "HEAD":
                        self.assert_error(response, 405, "Method not allowed", "Allowed here: ")

    def test_options(self):
        for path, methods in ADDRESSES.items():
            with self.subTest(path=path):
                response = self.client().request("OPTIONS", path)
                self.assertEqual((response.status, response.body), (204, b""))
                self.assertLessEqual({*methods}, set(response.headers["allow"].split(", ")))
        self.assertEqual(self.client().request("OPTIONS", "*").status, 204)

    def test_head_is_get_without_the_body(self):
        for path, methods in ADDRESSES.items():
            if "GET" not in methods or path == "/metrics":  # its figures move
                continue
            with self.subTest(path=path):
                got = self.client("administrator").get(path)
                head = self.client("administrator").request("HEAD", path)
                self.assertEqual((head.status, head.body), (got.status, b""))
                self.assertEqual(head.headers["content-length"], str(len(got.body)))
                self.assertEqual(head.headers["content-type"], got.headers["content-type"])

    def test_documents(self):
        for name, field in (("openapi", "openapi"), ("asyncapi", "asyncapi")):
            document = self.client().get(f"/api/{name}.json").json
            self.assertTrue(document[field].startswith("3."))
            self.assertIs(self.client().get(f"/api/{name}.json").json == document, True)

    def test_websocket_endpoint_is_mounted(self):
        self.assertEqual(self.client().get("/api/v1").body, b"{}")
        self.assert_error(self.client().post("/api/v1"), 405, "Method not allowed", "GET")


class Headers(SiteTestCase):
    """What every answer says besides."""

    def test_security_headers_on_everything(self):
        client = self.client()
        answers = [client.get(path) for path in (*ADDRESSES, "/nothing")]
        answers.append(client.request("OPTIONS", "/api/status"))
        answers.append(client.post("/api/login", b"x" * 3000))
        for response in answers:
            headers = response.headers
            self.assertEqual(headers["x-content-type-options"], "nosniff")
            self.assertIn("default-src 'none'", headers["content-security-policy"])
            self.assertEqual(headers["referrer-policy"], "no-referrer")
            self.assertEqual(headers["x-frame-options"], "DENY")
            self.assertEqual(headers["cross-origin-resource-policy"], "same-origin")
            self.assertIn("camera=()", headers["permissions-policy"])
            self.assertNotIn("server", headers)
            self.assertNotIn("set-cookie", headers)
            self.assertNotIn("strict-transport-security", headers)
        for path in ADDRESSES:
            if path.startswith("/api"):
                headers = self.client().get(path).headers
                self.assertEqual(headers["cache-control"], "no-store")

    def test_no_hsts_unless_it_is_set(self):
        """A device that has signed its certificate itself would lock people out."""
        response = self.client(secure=True).get("/api/status")
        self.assertNotIn("strict-transport-security", response.headers)

    def test_no_cookie_authenticates(self):
        response = self.client().get("/api/users", Cookie="token=adm1n; TWISTED_SESSION=adm1n")
        self.assertEqual(response.status, 401)


class Hsts(SiteTestCase):
    configuration = Configuration(server=Server(hsts=86400))

    def test_over_tls_only(self):
        """RFC 6797 7.2."""
        for path in ("/api/status", "/", "/nothing"):
            headers = self.client(secure=True).get(path).headers
            self.assertEqual(headers["strict-transport-security"], "max-age=86400")
            self.assertNotIn("strict-transport-security", self.client().get(path).headers)


class Origins(SiteTestCase):
    """Pages of other origins."""

    OWN = ("http://device", "http://device:80", "https://device", "HTTP://DEVICE")
    FOREIGN = (
        "http://evil.example",
        "http://device.evil.example",
        "http://device:8080",
        "https://device:80",
        "http://console.example",
        "https://console.example.evil",
        "null",
        "file://",
        "",
        "http://device, http://evil.example",
    )

    def test_own_pages_may_change(self):
        for origin in self.OWN:
            response = self.client("operator").post("/api/state", {"fps": 25}, Origin=origin)
            self.assertEqual(response.status, 200, origin)
            self.assertNotIn("access-control-allow-origin", response.headers)
        client = self.client("operator")
        response = client.post(
            "/api/state", {"fps": 25}, Host="[::1]:8080", Origin="http://[::1]:8080"
        )
        self.assertEqual(response.status, 200)

    def test_foreign_pages_may_not(self):
        client = self.client("administrator")
        for origin in filter(None, self.FOREIGN):
            for method, path in (
                ("POST", "/api/login"),
                ("POST", "/api/logout"),
                ("POST", "/api/state"),
                ("POST", "/api/users"),
                ("PATCH", "/api/users/anna"),
                ("DELETE", "/api/users/anna"),
            ):
                with self.subTest(origin=origin, method=method, path=path):
                    response = client.request(method, path, {"fps": 7}, {"Origin": origin})
                    self.assert_error(response, 403, "Foreign origin", "allowed-origins")
        self.assertEqual(self.accounts.calls, [])
        self.assertEqual(self.model["fps"], 30)

    def test_foreign_pages_cannot_read(self):
        response = self.client().get("/api/status", Origin="http://evil.example")
        self.assertNotIn("access-control-allow-origin", response.headers)
        self.assertEqual(response.headers["vary"], "Origin")

    def test_allowed_pages(self):
        origin = "https://console.example"
        client = self.client("operator")
        for response in (
            client.get("/api/status", Origin=origin),
            client.post("/api/state", {"fps": 25}, Origin=origin),
            client.get("/api/users", Origin=origin),
            client.get("/api/nothing", Origin=origin),
            client.get("/api/v1", Origin=origin),
            client.post("/api/login", b"x" * 3000, Origin=origin),
        ):
            self.assertEqual(response.headers["access-control-allow-origin"], origin)
            self.assertEqual(response.headers["vary"], "Origin")
            self.assertNotIn("access-control-allow-credentials", response.headers)

    def test_preflight(self):
        ask = {
            "Origin": "https://console.example",
            "Access-Control-Request-Method": "PATCH",
            "Access-Control-Request-Headers": "authorization,content-type",
        }
        response = self.client().request("OPTIONS", "/api/users/anna", headers=ask)
        self.assertEqual(response.status, 204)
        headers = response.headers
        self.assertEqual(headers["access-control-allow-origin"], ask["Origin"])
        self.assertEqual(headers["access-control-allow-methods"], "PATCH, DELETE, OPTIONS")
        self.assertEqual(headers["access-control-allow-headers"], "Authorization, Content-Type")
        self.assertEqual(headers["vary"], "Origin")

    def test_preflight_of_a_foreign_page(self):
        response = self.client().request(
            "OPTIONS",
            "/api/state",
            headers={"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"},
        )
        self.assertEqual(response.status, 204)
        self.assertEqual([h for h in response.headers if h.startswith("access-control")], [])


class Bodies(SiteTestCase):
    """What may be sent."""

    def post(self, body: bytes, **headers: str):
        return self.client("operator").post("/api/state", body, **headers)

    def test_malformed(self):
        for body in (
            b"",
            b"{",
            b"[]",
            b"1",
            b'{"fps": NaN}',
            b'{"fps": 1e999}',
            b'{"fps": 25, "fps": 26}',
            b'{"fps": "\\ud800"}',
            b"\xff",
            b'{"a":' * 9 + b"1" + b"}" * 9,
            dumps({str(n): n for n in range(129)}),
        ):
            with self.subTest(body=body[:40]):
                self.assert_error(self.post(body), 400, "Invalid message")

    def test_content_type_must_be_json(self):
        for kind in ("", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
            response = self.post(b'{"fps": 25}', **{"Content-Type": kind})
            self.assert_error(response, 415, "Unsupported media type", "application/json")
        for kind in ("application/json", "Application/JSON; charset=utf-8"):
            self.assertEqual(self.post(b'{"fps": 25}', **{"Content-Type": kind}).status, 200)

    def test_no_compressed_body(self):
        response = self.post(b"{}", **{"Content-Encoding": "gzip"})
        self.assert_error(response, 415, "Unsupported media type", "not compressed")

    def test_length_required(self):
        client = self.client("operator")
        client.ask("POST", "/api/state", headers={"Content-Type": "application/json"})
        (response,) = client.responses()
        self.assert_error(response, 411, "Length required", "Content-Length")

    def test_chunks(self):
        client = self.client("operator")
        client.ask(
            "POST",
            "/api/state",
            headers={"Content-Type": "application/json", "Transfer-Encoding": "chunked"},
        )
        client.send(b'4\r\n{"fp\r\n', b'7\r\ns": 25}\r\n', b"0\r\n\r\n")
        (response,) = client.responses()
        self.assertEqual(response.json["fps"], 25)

    def test_largest_body(self):
        body = b'{"fps": 25}'.ljust(2048)
        self.assertEqual(self.post(body).status, 200)

    def test_too_large_is_refused_before_it_is_sent(self):
        client = self.client("operator")
        client.ask(
            "POST",
            "/api/state",
            headers={
                "Content-Type": "application/json",
                "Content-Length": "2049",
                "Expect": "100-continue",
            },
        )
        self.assertNotIn(b"100 Continue", client.transport.value())
        (response,) = client.responses()
        self.assert_error(response, 413, "Too large", "2048")
        self.assertEqual(response.headers["connection"], "close")
        self.assertFalse(client.transport.disconnecting)

    def test_too_large_in_chunks(self):
        client = self.client("operator")
        client.ask(
            "POST",
            "/api/state",
            headers={"Content-Type": "application/json", "Transfer-Encoding": "chunked"},
        )
        client.send(b"400\r\n" + b" " * 1024 + b"\r\n")
        self.assertEqual(client.responses(), [])
        client.send(b"800\r\n" + b" " * 2048 + b"\r\n5\r\nxxxxx\r\nzz\r\n0\r\n\r\n")
        (response,) = client.responses()
        self.assert_error(response, 413, "Too large", "2048")
        client.send(b"400\r\n" + b" " * 1024 + b"\r\n", b"0\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n")
        self.assertEqual(client.responses(), [])

    def test_rest_of_a_refused_body_is_dropped_for_a_while(self):
        client = self.client("operator")
        client.ask("POST", "/api/state", headers={"Content-Length": "1000000000"})
        client.responses()
        client.send(b"x" * 60000)
        self.assertFalse(client.transport.disconnecting)
        self.clock.advance(2.1)
        self.assertTrue(client.transport.disconnecting)

    def test_endless_refused_body_ends_the_connection(self):
        client = self.client("operator")
        client.ask("POST", "/api/state", headers={"Content-Length": "1000000000"})
        for _ in range(20):
            client.send(b"x" * 60000)
        self.assertTrue(client.transport.disconnecting)

    def test_body_never_goes_to_a_file(self):
        def no_file(*args, **kwargs):
            raise AssertionError("a file was made")

        self.patch(__import__("tempfile"), "TemporaryFile", no_file)
        client = self.client("operator")
        client.ask(
            "POST",
            "/api/state",
            headers={"Content-Type": "application/json", "Transfer-Encoding": "chunked"},
        )
        client.send(b"b\r\n" + b'{"fps": 25}' + b"\r\n0\r\n\r\n")
        self.assertEqual(client.responses()[0].status, 200)

    def test_unknown_and_missing_fields(self):
        for body, about in (
            ({"username": "a"}, "password"),
            ({"username": "a", "password": 1}, "str"),
            ({"username": "a", "password": "b", "more": 1}, "more"),
        ):
            self.assert_error(self.client().post("/api/login", body), 400, "Invalid message", about)


class Connections(SiteTestCase):
    """Requests on a connection, one after another."""

    def test_pipelined_requests_are_answered_in_order(self):
        client = self.client()
        client.send(
            b"GET /api/status HTTP/1.1\r\nHost: a\r\n\r\nGET /nothing HTTP/1.1\r\nHost: a\r\n\r\n"
        )
        self.assertEqual([r.status for r in client.responses()], [200, 404])

    def test_not_http(self):
        for junk in (
            b"\x16\x03\x01\x02\x00\x01\r\n",
            b"GET /\r\n",
            b"GET / HTTP/1.1\r\nno header\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 16000 + b"\r\nY: yyyyyyyy\r\n"
            b"Z: " + b"z" * 400 + b"\r\n\r\n",
        ):
            with self.subTest(junk=junk[:40]):
                client = self.client()
                client.send(junk)
                (response,) = client.responses()
                self.assert_error(response, 400, "Invalid request", "HTTP/1.1")
                self.assertEqual(response.headers["x-content-type-options"], "nosniff")
                self.assertTrue(client.transport.disconnecting)

    def test_bad_chunks(self):
        client = self.client("operator")
        client.ask("POST", "/api/state", headers={"Transfer-Encoding": "chunked"})
        client.send(b"zz\r\n")
        (response,) = client.responses()
        self.assert_error(response, 400, "Invalid request")

    def test_one_host_header(self):
        for head in (
            b"GET /api/status HTTP/1.1\r\n\r\n",
            b"GET /api/status HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        ):
            client = self.client()
            client.send(head)
            self.assert_error(client.responses()[0], 400, "Invalid request", "Host")
        client = self.client()
        client.send(b"GET /api/status HTTP/1.0\r\n\r\n")
        self.assertEqual(client.responses()[0].status, 200)

    def test_idle_connections_are_closed(self):
        client = self.client()
        client.get("/api/status")
        self.clock.advance(TIMEOUT - 1)
        self.assertFalse(client.transport.disconnecting)
        self.clock.advance(1)
        self.assertTrue(client.transport.disconnecting)
        client.hang_up()

    def test_a_byte_now_and_then_keeps_nothing_open(self):
        client = self.client()
        client.send(b"GET /api/status HTTP/1.1\r\n")
        for _ in range(6):
            client.send(b"X: y\r\n")
            self.clock.advance(TIMEOUT / 6)
        self.assertTrue(client.transport.disconnecting)
        client.hang_up()

    def test_a_request_has_all_its_time_after_an_idle_one(self):
        client = self.client()
        self.clock.advance(TIMEOUT - 1)
        client.send(b"GET /api/status HTTP/1.1\r\n")
        self.clock.advance(TIMEOUT - 1)
        client.send(b"Host: a\r\n\r\n")
        self.assertEqual(client.responses()[0].status, 200)

    def test_a_slow_answer_is_waited_for(self):
        answer: Deferred = Deferred()
        self.accounts.answers["login"] = answer
        client = self.client()
        client.ask("POST", "/api/login", {"username": "a", "password": "b"})
        self.clock.advance(TIMEOUT * 2)
        self.assertFalse(client.transport.disconnecting)
        answer.errback(RuntimeError("at last"))
        self.assertEqual(client.responses()[0].status, 500)
        self.flushLoggedErrors(RuntimeError)

    def test_client_that_hangs_up_stops_nothing(self):
        answer: Deferred = Deferred()
        self.accounts.answers["change_password"] = answer
        client = self.client("viewer")
        client.ask("POST", "/api/password", {"old": "a", "new": "b"})
        client.hang_up()
        answer.callback(None)
        self.assertEqual(client.responses(), [])
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_client_that_hangs_up_before_an_error(self):
        answer: Deferred = Deferred()
        self.accounts.answers["login"] = answer
        client = self.client()
        client.ask("POST", "/api/login", {"username": "a", "password": "b"})
        client.hang_up()
        answer.errback(RuntimeError("nobody hears it"))
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_client_that_hangs_up_in_the_middle(self):
        for pieces in (
            (b"",),
            (b"GET / HT",),
            (b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nab",),
        ):
            client = self.client()
            client.send(*pieces)
            client.hang_up()
        self.assertEqual(self.flushLoggedErrors(), [])


class Faults(SiteTestCase):
    """Our own."""

    def test_internal_error_tells_the_log_only(self):
        self.accounts.answers["login"] = RuntimeError("secret")
        response = self.client().post("/api/login", {"username": "a", "password": "b"})
        self.assert_error(response, 500, "Internal error")
        self.assertNotIn(b"secret", response.body)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_fault_of_a_plain_resource(self):
        class Faulty(Resource):
            isLeaf = True

            def render_GET(self, request):
                raise RuntimeError("secret")

        self.site.resource.putChild(b"faulty", Faulty())
        response = self.client().get("/faulty")
        self.assert_error(response, 500, "Internal error")
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)


class AccessLog(SiteTestCase):
    """Who asked for what."""

    def test_one_debug_event_without_the_query(self):
        with capturedLogs() as events:
            self.client("viewer").get("/api/state?keys=fps&ticket=s3cret")
        (event,) = (e for e in events if "status" in e)
        self.assertEqual(event["log_level"], LogLevel.debug)
        self.assertEqual(event["path"], "/api/state")
        self.assertEqual(
            (event["method"], event["status"], event["address"]), ("GET", 200, "192.0.2.1")
        )
        self.assertNotIn("s3cret", repr(events))
        self.assertNotIn("v1ewer", repr(events))

    def test_requests_are_counted(self):
        self.client().get("/api/status")
        self.client().get("/nothing")
        self.client().request("BREW", "/api/status")
        self.assertEqual(
            self.metrics.requests, {("GET", 200): 1, ("GET", 404): 1, ("other", 405): 1}
        )

    def test_twisted_keeps_no_access_log(self):
        self.site.doStart()
        self.addCleanup(self.site.doStop)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_no_http2(self):
        self.assertEqual(self.site.acceptableProtocols(), [b"http/1.1"])
