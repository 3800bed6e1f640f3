"""Connections of /api/live: who sees, what, and for how long."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from websockets.frames import Opcode

from rotoclear.api.live import LOGIN_GRACE
from rotoclear.auth.errors import TooManyAttempts
from rotoclear.config import Limits
from tests.api.people import People, make_context
from tests.api.screen import JPEG, SECOND
from tests.api.wire import Client, World

SHOWN = JPEG[:20] + b'\xff\xfe\x00\x20{"number": 1, "taken": 1000.0}' + JPEG[20:]
DENIED = {"error": "Permission denied", "message": "Seeing pictures takes Media_r"}


class LiveTestCase(SynchronousTestCase):
    limits = Limits()

    def setUp(self) -> None:
        self.clock = Clock()
        self.people = People()
        self.people.sessions["norbert"] = type(self.people.sessions["victor"])(
            "norbert", "anonymous"
        )
        self.context = make_context(self.clock, self.people, self.limits)
        self.world = World(self.clock, self.context)
        self.engine = self.context.pictures.engine  # type: ignore[attr-defined]

    def connect(self, token: str | None = None, *, deflate: bool = False) -> Client:
        client = self.world.connect(deflate=deflate, path="/api/live")
        self.assertEqual(client.status, 101)
        if token is not None:
            (answer,) = client.say({"token": token})
            self.assertIs(answer["authenticated"], True)
        return client

    def pictures(self, client: Client) -> list[bytes]:
        return [bytes(f.data) for f in client.frames() if f.opcode is Opcode.BINARY]


class Seeing(LiveTestCase):
    def test_pictures_after_the_login(self) -> None:
        client = self.connect()
        self.assertEqual(self.engine.watching, [])
        (answer,) = client.say({"username": "victor", "password": "secret", "id": 3})
        self.assertEqual(
            (answer["authenticated"], answer["role"], answer["id"]), (True, "viewer", 3)
        )
        self.engine.picture()
        self.assertEqual(self.pictures(client), [SHOWN])

    def test_nothing_but_pictures(self) -> None:
        """Neither changes of the state nor anything else."""
        client = self.connect("alice")
        self.context.model.commit({"brightness": 77})
        self.assertEqual(client.frames(), [])

    def test_never_compressed(self) -> None:
        client = self.connect("victor", deflate=True)
        self.assertNotIn("Sec-WebSocket-Extensions", client.answer.headers)  # type: ignore[attr-defined]

    def test_large_ones(self) -> None:
        client = self.connect("victor")
        for size in (100, 40_000, 70_000):
            self.engine.picture(b"\xff\xd8" + bytes(size))
            (picture,) = self.pictures(client)
            self.assertGreater(len(picture), size)

    def test_one_encode_and_none_for_nobody(self) -> None:
        clients = [self.connect("victor") for _ in range(3)]
        self.assertEqual(len(self.engine.watching), 1)
        for client in clients:
            client.lose()
        self.assertEqual(self.engine.watching, [])
        self.assertEqual(self.context.connections.count, 0)
        self.assertEqual(self.people.sessions["victor"].attached, [])
        self.clock.advance(0)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_logged_in_twice(self) -> None:
        client = self.connect("victor")
        client.say({"token": "olga"})
        self.engine.picture()
        self.assertEqual(len(self.pictures(client)), 1)
        client.lose()
        self.assertEqual(self.engine.watching, [])

    def test_slow(self) -> None:
        slow, quick = self.connect("victor"), self.connect("victor")
        slow.transport.producer.pauseProducing()
        for time in range(1, 6):
            self.engine.picture(time=time * SECOND)
        self.assertEqual(len(self.pictures(quick)), 5)
        self.assertEqual(self.pictures(slow), [])
        slow.transport.producer.resumeProducing()
        (picture,) = self.pictures(slow)
        self.assertIn(b'"number": 5', picture)

    def test_reads_nothing(self) -> None:
        client = self.connect("victor")
        client.transport.producer.pauseProducing()
        self.clock.advance(self.limits.stall)
        self.assertTrue(client.transport.aborted)
        client.lose()
        self.assertEqual(self.engine.watching, [])


class LoggingIn(LiveTestCase):
    def test_wrong(self) -> None:
        client = self.connect()
        for message in ({"token": "nobody's"}, {"username": "victor", "password": "guess"}):
            (answer,) = client.say(message)
            self.assertEqual(answer, {"authenticated": False, "error": "Invalid credentials"})
        self.people.answer = TooManyAttempts(9)
        (answer,) = client.say({"username": "victor", "password": "guess"})
        self.assertEqual(answer["retry-after"], 9)
        self.assertEqual(self.engine.watching, [])

    def test_without_the_permission(self) -> None:
        client = self.connect()
        answer, error = client.say({"token": "norbert", "id": "a"})
        self.assertIs(answer["authenticated"], True)
        self.assertEqual(error, {**DENIED, "id": "a"})
        self.engine.picture()
        self.assertEqual(self.pictures(client), [])

    def test_nothing_else_can_be_asked_for(self) -> None:
        client = self.connect("olga")
        for message in ({"brightness": 3}, {"get": "*"}, {"get": [], "id": 1}, []):
            (answer,) = client.say(message)
            self.assertEqual(answer["error"], "Invalid message")
        self.assertEqual(self.context.model["brightness"], 50)
        answer, error = client.say({"token": "olga", "get": "*"})
        self.assertEqual(error["error"], "Invalid message")

    def test_in_time(self) -> None:
        late, denied = self.connect(), self.connect("victor")
        self.clock.advance(LOGIN_GRACE)
        self.assertEqual(late.close_code, 1008)
        self.assertIsNone(denied.close_code)

    def test_not_in_time_though_logged_in(self) -> None:
        client = self.connect()
        client.say({"token": "norbert"})
        self.clock.advance(LOGIN_GRACE)
        self.assertEqual(client.close_code, 1008)

    def test_flood(self) -> None:
        client = self.connect()
        client.say(*[{"get": []}] * 400)
        self.assertEqual(client.close_code, 1008)

    def test_log_out(self) -> None:
        client = self.connect("victor")
        self.people.sessions["victor"].change(ended=True)
        self.assertEqual(client.messages(), [{"authenticated": False, "permissions": ["Device_r"]}])
        self.assertEqual(self.engine.watching, [])
        self.clock.advance(LOGIN_GRACE)
        self.assertEqual(client.close_code, 1008)

    def test_another_role_and_back(self) -> None:
        client, victor = self.connect("victor"), self.people.sessions["victor"]
        victor.change(role="anonymous")
        self.assertEqual(self.engine.watching, [])
        self.clock.advance(LOGIN_GRACE / 2)
        victor.change(role="viewer")
        self.clock.advance(LOGIN_GRACE)
        self.engine.picture()
        self.assertEqual(len(self.pictures(client)), 1)


class AsAllConnections(LiveTestCase):
    limits = Limits(connections=10)

    def test_counts_among_them(self) -> None:
        for _ in range(5):
            self.connect("victor")
            self.world.connect()
        self.assertEqual(self.context.connections.by_role(), {"viewer": 5, "anonymous": 5})
        for path in ("/api/live", "/api/v1"):
            self.assertEqual(self.world.connect(path=path).status, 503)

    def test_shut_down(self) -> None:
        client = self.connect("victor")
        done = self.world.factory.shut_down()
        self.assertEqual(client.close_code, 1001)
        self.assertEqual(self.engine.watching, [])
        self.engine.picture()
        self.assertEqual(self.pictures(client), [])
        client.lose()
        self.successResultOf(done)

    def test_pings(self) -> None:
        client = self.connect("victor")
        for _ in range(3):
            self.clock.advance(20)
            self.assertEqual([frame.opcode for frame in client.frames()], [Opcode.PING])
            client.exchange()  # its answer
        self.assertIsNone(client.close_code)

    def test_no_sign_of_life(self) -> None:
        client = self.connect("victor")
        self.clock.advance(20)
        self.clock.advance(20)
        client.receive()
        self.assertEqual(self.engine.watching, [])

    def test_without_a_handshake(self) -> None:
        client = self.world.connect(path="/api/live/more")
        self.assertEqual(client.status, 404)
