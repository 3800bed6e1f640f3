"""The picture over HTTP: /api/snapshot and /api/stream, and who may see it."""

from __future__ import annotations

import base64

from twisted.internet.defer import Deferred

from rotoclear.api.mjpeg import CLOSING
from rotoclear.api.resources.pictures import MOST
from rotoclear.auth.errors import Busy, TooManyAttempts
from rotoclear.state.errors import DeviceError
from tests.api.http import Client
from tests.api.screen import JPEG, SECOND
from tests.api.site import TOKENS, SiteTestCase
from tests.api.wire import Transport

BOTH = 'Bearer, Basic realm="rotoclear", charset="UTF-8"'
BOUNDARY = b"--rotoclear-picture\r\n"


def basic(username: str = "viewer", password: str = "secret") -> dict[str, str]:
    text = base64.b64encode(f"{username}:{password}".encode()).decode()
    return {"Authorization": f"Basic {text}"}


class PicturesTestCase(SiteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.engine = self.screen.engine
        self.model.commit({"cam1-exists": True, "cam2-exists": True})
        self.clock.advance(0)

    def client(self, role: str | None = None, **more: object) -> Client:
        client = super().client(role, **more)
        client.transport.__class__ = Transport
        return client


class SnapshotTests(PicturesTestCase):
    def answer(self, result: object = JPEG) -> None:
        self.engine.asked.pop(0)[1].callback(result)

    def test_a_jpeg(self) -> None:
        client = self.client("viewer")
        client.ask("GET", "/api/snapshot")
        self.answer()
        (response,) = client.responses()
        self.assertEqual((response.status, response.body), (200, JPEG))
        self.assertEqual(response.headers["content-type"], "image/jpeg")
        self.assertEqual(response.headers["cache-control"], "no-store")
        self.assertEqual(self.engine.needs, [])

    def test_what_is_asked_for(self) -> None:
        self.model.commit({"jpeg-quality": 66})
        for query, quality, camera in (
            ("", 66, 0),
            ("?quality=1", 1, 0),
            ("?camera=2", 66, 2),
            ("?quality=100&camera=1", 100, 1),
        ):
            with self.subTest(query=query):
                self.client("viewer").ask("GET", f"/api/snapshot{query}")
                message = self.engine.asked[0][0]
                self.assertEqual((message.quality, message.camera), (quality, camera))
                self.answer()

    def test_what_cannot_be_asked_for(self) -> None:
        for query in (
            "quality=0",
            "quality=101",
            "quality=",
            "quality=x",
            "quality=1e1",
            "quality=%C2%B2",
            "camera=0",
            "camera=3",
            "camera=-1",
        ):
            with self.subTest(query=query):
                response = self.client("viewer").get(f"/api/snapshot?{query}")
                self.assert_error(response, 400, "Invalid value", "must be between 1 and")
        response = self.client("viewer").get("/api/snapshot?camera=1&camera=2")
        self.assertEqual(response.status, 400)
        self.assertEqual(self.engine.asked, [])

    def test_a_camera_that_is_not_there(self) -> None:
        self.model.commit({"cam2-exists": False})
        response = self.client("viewer").get("/api/snapshot?camera=2")
        self.assert_error(response, 409, "Not available", "Camera 2 is not plugged in")
        self.model.commit({"main-camera": 2})
        for path in ("/api/snapshot", "/api/stream"):
            response = self.client("viewer").get(path)
            self.assert_error(response, 409, "Not available", "Camera 2")
        self.assertEqual(self.engine.asked, [])

    def test_no_picture_comes(self) -> None:
        client = self.client("viewer")
        client.ask("GET", "/api/snapshot")
        self.engine.asked[0][1].errback(DeviceError("No picture came"))
        (response,) = client.responses()
        self.assert_error(response, 503, "Device error", "No picture came")
        self.assertEqual(response.headers["retry-after"], "1")
        self.assertEqual(self.engine.needs, [])

    def test_the_same_for_all_who_ask_at_once(self) -> None:
        clients = [self.client("viewer") for _ in range(20)]
        for client in clients:
            client.ask("GET", "/api/snapshot?quality=50")
        clients[3].hang_up()
        self.answer()
        self.assertEqual(self.engine.asked, [])
        for client in clients[4:]:
            self.assertEqual(client.responses()[0].body, JPEG)
        self.client("viewer").ask("GET", "/api/snapshot?quality=50")
        self.assertEqual(len(self.engine.asked), 1)

    def test_not_without_bound(self) -> None:
        for quality in range(MOST):
            self.client("viewer").ask("GET", f"/api/snapshot?quality={quality + 1}")
        response = self.client("viewer").get("/api/snapshot?quality=99")
        self.assert_error(response, 503, "Busy")
        self.assertEqual(response.headers["retry-after"], "1")
        self.answer()
        self.client("viewer").ask("GET", "/api/snapshot?quality=99")
        self.assertEqual(len(self.engine.asked), MOST)

    def test_head(self) -> None:
        client = self.client("viewer")
        client.ask("HEAD", "/api/snapshot")
        self.answer()
        (response,) = client.responses("HEAD")
        self.assertEqual(response.headers["content-length"], str(len(JPEG)))


class Rights(PicturesTestCase):
    """Token, Basic or ticket, for both paths."""

    def granted(self, client: Client, path: str, **headers: str) -> bool:
        """Whether somebody sees a picture."""
        client.ask("GET", path, headers=headers)
        if "snapshot" in path:
            for _, answer in self.engine.asked:
                answer.callback(JPEG)
            self.engine.asked.clear()
        return client.transport.value().startswith(b"HTTP/1.1 200 OK")

    def test_tokens(self) -> None:
        for path in ("/api/snapshot", "/api/stream"):
            for role in ("viewer", "operator", "administrator"):
                self.assertTrue(self.granted(self.client(role), path))

    def test_basic(self) -> None:
        for path in ("/api/snapshot", "/api/stream"):
            client = self.client(address="203.0.113.9")
            self.assertTrue(self.granted(client, path, **basic()))
        self.assertEqual(set(self.accounts.calls), {("verify", "viewer", "secret", "203.0.113.9")})

    def test_tickets(self) -> None:
        for path in ("/api/snapshot", "/api/stream"):
            ticket = f"ticket-of-viewer-for-{path}"
            self.assertTrue(self.granted(self.client(), f"{path}?ticket={ticket}"))
            self.assertFalse(self.granted(self.client(), f"{path}?ticket={ticket}x"))

    def test_nobody(self) -> None:
        """A browser that comes by itself is asked for a password."""
        for path in ("/api/snapshot", "/api/stream"):
            response = self.client().get(path)
            self.assert_error(response, 401, "Permission denied", "Media_r")
            self.assertEqual(response.headers["www-authenticate"], BOTH)

    def test_wrong_basic(self) -> None:
        response = self.client().get("/api/stream", **basic(password="no"))
        self.assert_error(response, 401, "Invalid credentials", "password is wrong")
        self.assertEqual(response.headers["www-authenticate"], BOTH)

    def test_what_is_no_basic(self) -> None:
        for value in (
            "Basic",
            "Basic ",
            "Basic !",
            "Basic YWJj",
            "Basic YQ=",
            "Basic /zr/",
            "Digest x",
            "Basic YTpi, Basic YTpi",
        ):
            with self.subTest(value=value):
                response = self.client().get("/api/stream", Authorization=value)
                self.assertEqual(response.status, 401)
        self.assertEqual(self.accounts.calls, [])

    def test_a_password_may_have_colons_and_umlauts(self) -> None:
        self.client().get("/api/stream", **basic("jörg", "a:ß"))
        self.assertEqual(self.accounts.calls[0][:3], ("verify", "jörg", "a:ß"))

    def test_a_page_whose_token_or_ticket_has_ended_asks_nobody_for_a_password(self) -> None:
        for path, headers in (
            ("/api/stream?ticket=old", {}),
            ("/api/stream", {"Authorization": "Bearer old"}),
        ):
            response = self.client().get(path, **headers)
            self.assert_error(response, 401, "Invalid credentials")
            self.assertEqual(response.headers["www-authenticate"], "Bearer")

    def test_too_many_tickets(self) -> None:
        self.assertEqual(self.client().get("/api/stream?ticket=a&ticket=b").status, 400)

    def test_throttled_or_busy(self) -> None:
        for error, status in ((TooManyAttempts(9), 429), (Busy(), 503)):
            self.accounts.answers["verify"] = error
            response = self.client().get("/api/snapshot", **basic())
            self.assertEqual(response.status, status)
            self.assertIn("retry-after", response.headers)

    def test_basic_is_for_pixels_only(self) -> None:
        for path in ("/api/users", "/api/state", "/metrics"):
            self.assertEqual(self.client().get(path, **basic("administrator")).status, 401)
        self.assertEqual(self.accounts.calls, [])

    def test_other_methods(self) -> None:
        for path in ("/api/snapshot", "/api/stream"):
            response = self.client().request("POST", path, headers=basic())
            self.assertEqual(response.status, 405)


class StreamTests(PicturesTestCase):
    def stream(self, query: str = "", role: str = "viewer") -> Client:
        """Somebody who looks; the head of the answer has been read."""
        client = self.client(role)
        client.ask("GET", f"/api/stream{query}")
        self.head, _, rest = client.transport.value().partition(b"\r\n\r\n")
        client.transport.clear()
        self.assertEqual(rest, BOUNDARY)
        return client

    def seen(self, client: Client) -> bytes:
        data = client.transport.value()
        client.transport.clear()
        return data

    def part(self, number: int, taken: str) -> bytes:
        comment = b'{"number": %d, "taken": %s}' % (number, str(float(taken)).encode())
        jpeg = JPEG[:20] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + JPEG[20:]
        return (
            b"Content-Type: image/jpeg\r\nContent-Length: %d\r\nX-Timestamp: %s\r\n\r\n"
            % (len(jpeg), taken.encode())
            + jpeg
            + b"\r\n"
            + BOUNDARY
        )

    def test_each_picture_with_the_boundary_behind_it(self) -> None:
        client = self.stream()
        self.engine.picture()
        self.assertEqual(self.seen(client), self.part(1, "1000.000000"))
        self.engine.picture(time=SECOND + SECOND // 2)
        self.assertEqual(self.seen(client), self.part(2, "1000.500000"))

    def test_the_head(self) -> None:
        self.stream()
        lines = self.head.split(b"\r\n")
        self.assertEqual(lines[0], b"HTTP/1.1 200 OK")
        for line in (
            b"Content-Type: multipart/x-mixed-replace; boundary=rotoclear-picture",
            b"Connection: close",
            b"Cache-Control: no-store",
            b"X-Content-Type-Options: nosniff",
            b"Cross-Origin-Resource-Policy: same-origin",
        ):
            self.assertIn(line, lines)
        self.assertEqual(self.metrics.requests, {("GET", 200): 1})

    def test_one_encode_and_none_for_nobody(self) -> None:
        self.assertEqual(self.engine.watching, [])
        clients = [self.stream() for _ in range(3)]
        self.assertEqual(len(self.engine.watching), 1)
        for client in clients:
            client.hang_up()
        self.assertEqual(self.engine.watching, [])
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.connections.count, 3)

    def test_slow(self) -> None:
        """It misses pictures; who is beside it does not."""
        slow, quick = self.stream(), self.stream()
        slow.transport.producer.pauseProducing()
        for time in range(1, 5):
            self.engine.picture(time=time * SECOND)
        self.assertEqual(self.seen(quick).count(BOUNDARY), 4)
        self.assertEqual(self.seen(slow), b"")
        slow.transport.producer.resumeProducing()
        self.assertEqual(self.seen(slow), self.part(4, "1003.000000"))

    def test_reads_nothing(self) -> None:
        client = self.stream()
        client.transport.producer.pauseProducing()
        self.clock.advance(29)
        self.assertFalse(client.transport.aborted)
        self.clock.advance(1)
        self.assertTrue(client.transport.aborted)
        self.assertEqual(self.engine.watching, [])

    def test_ends_with_the_right_to_see(self) -> None:
        for role in ("operator", "viewer"):
            client = self.stream(role=role)
            session = self.accounts.sessions[TOKENS[role]]
            self.engine.picture()
            if role == "operator":
                session.end()
            else:
                session.role = "anonymous"
                session.attached[0]()
            self.assertTrue(client.transport.disconnecting)
            self.assertEqual(self.engine.watching, [])
            self.assertEqual(session.attached, [])
            self.assertFalse(client.transport.aborted)
            self.clock.advance(CLOSING)
            self.assertTrue(client.transport.aborted)
            client.hang_up()

    def test_ends_in_order(self) -> None:
        client = self.stream()
        self.accounts.sessions["v1ewer"].end()
        client.hang_up()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_another_role_that_may_look(self) -> None:
        client = self.stream(role="operator")
        session = self.accounts.sessions["oper4tor"]
        session.role = "viewer"
        session.attached[0]()
        self.assertFalse(client.transport.disconnecting)

    def test_keeps_the_token_alive(self) -> None:
        client = self.stream()
        session = self.accounts.sessions["v1ewer"]
        self.assertEqual(len(session.attached), 1)
        client.hang_up()
        self.assertEqual(session.attached, [])

    def test_fewer(self) -> None:
        """Of 30 a second every third, though they do not come quite evenly."""
        client = self.stream("?fps=10")
        period = SECOND // 30
        for number in range(300):
            self.engine.picture(time=SECOND + number * period + (number % 2) * 2_000_000)
        self.assertIn(self.seen(client).count(BOUNDARY), (100, 101))

    def test_not_that_few(self) -> None:
        for fps in ("0", "-1", "nan", "inf", "x", "", "1001"):
            with self.subTest(fps=fps):
                response = self.client("viewer").get(f"/api/stream?fps={fps}")
                self.assert_error(response, 400, "Invalid value", "pictures a second")

    def test_full(self) -> None:
        self.connections.count = self.configuration.limits.connections
        response = self.client("viewer").get("/api/stream")
        self.assert_error(response, 503, "Full")
        self.assertEqual(response.headers["retry-after"], "5")
        self.assertEqual(self.engine.watching, [])

    def test_head(self) -> None:
        response = self.client("viewer").request("HEAD", "/api/stream")
        self.assertEqual(response.status, 200)
        self.assertTrue(response.headers["content-type"].startswith("multipart/"))
        self.assertEqual(self.engine.watching, [])

    def test_gone_before_the_password_was_checked(self) -> None:
        waiting = self.accounts.answers["verify"] = Deferred()
        client = self.client()
        client.ask("GET", "/api/stream", headers=basic())
        client.hang_up()
        waiting.callback(self.accounts.sessions["v1ewer"])
        self.assertEqual(self.engine.watching, [])
        self.assertEqual(self.connections.count, 3)

    def test_what_a_client_says_later_is_not_heard(self) -> None:
        client = self.stream()
        client.send(b"GET /api/status HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual(self.seen(client), b"")
