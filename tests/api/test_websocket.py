"""Connections of /api/v1 on the wire: protocol.md sections 1, 2 and 5."""

from __future__ import annotations

import json

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase
from websockets.frames import Frame, Opcode

from rotoclear.api.connection import CLOSING
from rotoclear.api.websocket import LOGIN_GRACE
from rotoclear.auth.accounts import Login
from rotoclear.config import Limits
from rotoclear.state.lanes import Lane
from rotoclear.state.permissions import NOTHING
from tests.api.people import People, make_context
from tests.api.wire import Client, World


class WireTestCase(SynchronousTestCase):
    limits = Limits()

    def setUp(self) -> None:
        self.clock = Clock()
        self.people = People()
        self.context = make_context(self.clock, self.people, self.limits)
        self.model = self.context.model
        self.world = World(self.clock, self.context)

    def connect(self, token: str | None = None, *, deflate: bool = False) -> Client:
        client = self.world.connect(deflate=deflate)
        self.assertEqual(client.status, 101)
        if token is not None:
            client.say({"token": token})
        return client


class Talking(WireTestCase):
    def test_nothing_on_connect(self) -> None:
        """A client asks."""
        self.assertEqual(self.connect().frames(), [])

    def test_handshake(self) -> None:
        headers = self.connect().answer.headers  # type: ignore[attr-defined]
        self.assertNotIn("Server", headers)
        self.assertNotIn("Sec-WebSocket-Extensions", headers)

    def test_broadcast(self) -> None:
        """To every connection that may read the key, the setter's confirmation first."""
        setter, other, third = self.connect("olga"), self.connect("victor"), self.connect()
        self.assertEqual(
            setter.say({"brightness": 75}),
            [{"brightness": 75, "info": ["brightness"]}, {"brightness": 75}],
        )
        self.assertEqual(other.messages(), [{"brightness": 75}])
        self.assertEqual(third.messages(), [{"brightness": 75}])

    def test_query_sees_the_update_before_it(self) -> None:
        client = self.connect("olga")
        answers = client.say({"gain": 7}, {"get": ["gain"]})
        self.assertEqual(answers[:2], [{"gain": 7, "info": ["gain"]}, {"gain": 7}])

    def test_login_and_command_back_to_back(self) -> None:
        """As the seed's clients do: nothing is answered out of order."""
        self.people.answer = checked = Deferred()
        client = self.connect()
        credentials = {"username": "olga", "password": "secret"}
        self.assertEqual(client.say(credentials, {"gain": 7}, {"get": ["gain"]}, b"nonsense"), [])
        checked.callback(Login(self.people.sessions["olga"], "olga"))  # type: ignore[arg-type]
        login, confirmed, read, error, told = client.messages()
        self.assertIs(login["authenticated"], True)
        self.assertEqual(confirmed, {"gain": 7, "info": ["gain"]})
        self.assertEqual(read, {"gain": 7})
        self.assertEqual(error["error"], "Invalid message")
        self.assertEqual(told, {"gain": 7})

    def test_a_device_step_is_waited_for(self) -> None:
        """By its own connection alone, for two seconds at most; then it is a Device error."""

        class Stuck(Lane):
            def apply(self, values: object) -> Deferred[None]:
                return Deferred()

        self.model.add_lane(Stuck("gain"))
        client, other = self.connect("olga"), self.connect("olga")
        self.assertEqual(client.say({"gain": 7}, {"get": ["gain"]}), [])
        self.assertEqual(other.say({"contrast": 7})[0]["info"], ["contrast"])
        self.assertEqual(client.messages(), [{"contrast": 7}])
        self.clock.advance(1.9)
        self.assertEqual(client.messages(), [])
        self.clock.advance(0.1)
        error, read = client.messages()
        self.assertEqual((error["error"], error["key"]), ("Device error", "gain"))
        self.assertEqual(read, {"gain": 50})

    def test_the_same_value_again(self) -> None:
        """Confirmed, and not broadcast."""
        setter, other = self.connect("olga"), self.connect()
        self.assertEqual(setter.say({"gain": 50}), [{"gain": 50, "info": ["gain"]}])
        self.assertEqual(other.messages(), [])

    def test_without_anonymous(self) -> None:
        """A query is denied, nothing is broadcast, until somebody logs in."""
        self.people.anonymous = NOTHING
        client = self.connect()
        nothing, error = client.say({"get": ["gain"]})
        self.assertEqual(nothing, {})
        self.assertEqual((error["error"], error["key"]), ("Permission denied", "gain"))
        self.model.commit({"gain": 1})
        self.assertEqual(client.messages(), [])
        client.say({"token": "victor"})
        self.model.commit({"gain": 2})
        self.assertEqual(client.messages(), [{"gain": 2}])

    def test_early_frames(self) -> None:
        """What comes in one piece with the handshake is not lost."""
        channel = self.world.site.buildProtocol(None)
        transport = StringTransport()
        channel.makeConnection(transport)
        probe = self.connect()
        probe.protocol.send_text(b'{"get": ["gain"], "id": 1}')
        request = (
            b"GET /api/v1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        channel.dataReceived(request + b"".join(probe.protocol.data_to_send()))
        self.assertIn(b'{"gain":50,"id":1}', transport.value())

    def test_binary(self) -> None:
        client = self.connect()
        client.protocol.send_binary(b'{"get": "*"}')
        (answer,) = client.messages()
        self.assertEqual(answer["error"], "Invalid message")

    def test_fragments(self) -> None:
        client = self.connect()
        client.protocol.send_text(b'{"get": ["ga', fin=False)
        client.protocol.send_ping(b"between")
        client.protocol.send_continuation(b'in"]}', fin=True)
        pong, answer = client.frames()
        self.assertEqual((pong.opcode, bytes(pong.data)), (Opcode.PONG, b"between"))
        self.assertEqual(json.loads(answer.data), {"gain": 50})

    def test_looks_like_a_message(self) -> None:
        """And is the rest of a ping whose head came before it."""
        client = self.connect("olga")
        inside = b"\x81\x8d\0\0\0\0" + b'{"gain": 60 }'
        client.send_raw(b"\x89" + bytes((128 + len(inside),)) + bytes(4))
        client.send_raw(inside)
        pongs = [frame for frame in client.frames() if frame.opcode is not Opcode.TEXT]
        self.assertEqual([(f.opcode, bytes(f.data)) for f in pongs], [(Opcode.PONG, inside)])
        self.assertEqual(self.model["gain"], 50)

    def test_rights_change(self) -> None:
        """From then on other broadcasts."""
        client = self.connect("victor")
        self.people.sessions["victor"].change(ended=True)
        self.assertEqual(client.messages(), [{"authenticated": False, "permissions": ["Device_r"]}])
        self.model.commit({"storage-free": 1, "gain": 1})
        self.assertEqual(client.messages(), [{"gain": 1}])

    def test_lost(self) -> None:
        """Nothing of a connection remains."""
        client = self.connect("victor")
        client.lose()
        self.assertEqual(self.world.roster.count, 0)
        self.assertEqual(self.people.sessions["victor"].attached, [])
        self.model.commit({"gain": 1})
        self.clock.advance(0)
        self.assertEqual(client.transport.value(), b"")
        self.clock.advance(3600)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_lost_while_logging_in(self) -> None:
        """Checking a password takes its time; what comes of it is nobody's any more."""
        self.people.answer = answer = Deferred()
        client = self.connect()
        client.say({"username": "olga", "password": "secret", "gain": 7})
        client.lose()
        session = self.people.sessions["olga"]
        answer.callback(Login(session, "olga"))  # type: ignore[arg-type]
        self.assertEqual(session.attached, [])
        self.assertEqual(self.model["gain"], 50)
        self.model.commit({"gain": 1})
        self.clock.advance(0)
        self.assertEqual(self.context.metrics.broadcasts, 0)

    def test_by_role(self) -> None:
        self.connect("victor"), self.connect("olga"), self.connect()
        self.assertEqual(self.world.roster.by_role(), {"viewer": 1, "operator": 1, "anonymous": 1})


class Compression(WireTestCase):
    def receive(self, message: object, *, deflate: bool = True) -> list[int]:
        """The first bytes of the frames that answer: 0x81 plain, 0xC1 compressed."""
        client = self.connect("olga", deflate=deflate)
        client.protocol.send_text(json.dumps(message).encode())
        for data in client.protocol.data_to_send():
            client.channel.dataReceived(data)
        return [client.transport.value()[0]]

    def test_negotiated(self) -> None:
        """When asked for, without context takeover."""
        client = self.connect("olga", deflate=True)
        extension = client.answer.headers["Sec-WebSocket-Extensions"]  # type: ignore[attr-defined]
        self.assertIn("client_no_context_takeover", extension)
        sizes = []
        for _ in range(2):
            client.protocol.send_text(json.dumps({"get": "*", "id": "é" * 500}).encode())
            for data in client.protocol.data_to_send():
                client.channel.dataReceived(data)
            sizes.append(len(client.transport.value()))
            client.receive()
        self.assertEqual(sizes[0], sizes[1], "the second one gains nothing from the first")

    def test_large_only(self) -> None:
        self.assertEqual(self.receive({"get": ["gain"]}), [0x81])
        for identifier, first in (("é" * 507 + "x", 0x81), ("é" * 508, 0xC1)):
            answer = f'{{"id":"{identifier}"}}'.encode()
            self.assertEqual(len(answer), 1024 if first == 0x81 else 1025)
            self.assertEqual(self.receive({"get": [], "id": identifier}), [first])
        names = [f"unknown-{n}" for n in range(100)]
        self.assertEqual(self.receive({"get": "*", "id": "é" * 500}), [0xC1])
        self.assertEqual(self.receive({"get": "*", "id": "é" * 500}, deflate=False), [0x81])
        self.assertEqual(self.receive({"get": names}), [0x81], "each error is a message of its own")

    def test_never_a_login(self) -> None:
        self.assertEqual(self.receive({"token": "olga", "id": "é" * 500}), [0x81])

    def test_understood(self) -> None:
        client = self.connect("olga", deflate=True)
        (answer,) = client.say({"get": "*", "id": "é" * 500})
        self.assertEqual(answer["gain"], 50)

    def test_limit_holds_inflated(self) -> None:
        """A bomb is 1009, like any message that is too large."""
        client = self.connect(deflate=True)
        client.protocol.send_text(b'{"get": "' + b" " * 10_000_000 + b'"}')
        self.assertEqual(client.close_code, 1009)

    def test_limit_holds_to_the_byte(self) -> None:
        """What zlib keeps back for want of room is not cut off unseen."""
        message = b'{"get": []}'
        client = self.connect(deflate=True)
        self.assertEqual(client.say(message.ljust(65_536)), [{}])
        for over in (1, 2, 200, 258, 300):
            for text in (message, b""):
                client = self.connect(deflate=True)
                client.protocol.send_text(text.ljust(65_536 + over))
                self.assertEqual(client.close_code, 1009, over)

    def test_limit_holds_in_pieces(self) -> None:
        """Compressed or not, what counts is the whole message."""
        for deflate in (False, True):
            for size, code in ((65_536, None), (65_537, 1009)):
                client = self.connect(deflate=deflate)
                text = b'{"get": []}'.ljust(size)
                client.protocol.send_text(text[:65_535], fin=False)
                client.protocol.send_continuation(text[65_535:], fin=True)
                self.assertEqual(client.close_code, code, (size, deflate))


class Endings(WireTestCase):
    def test_too_large(self) -> None:
        """64 KiB go, one more byte does not: 1009."""
        client = self.connect()
        (answer,) = client.say(b" " * (65_536 - 14) + b'{"get": []}   ')
        self.assertEqual(answer, {})
        client.protocol.send_text(b" " * 65_537)
        self.assertEqual(client.close_code, 1009)

    def test_bad_utf8(self) -> None:
        client = self.connect()
        client.protocol.send_frame(Frame(Opcode.TEXT, b"\xff\xfe"))
        self.assertEqual(client.close_code, 1007)

    def test_unmasked(self) -> None:
        """RFC 6455 5.1: a client's frames are masked."""
        client = self.connect()
        client.send_raw(b'\x81\x0d{"get": "*"}')
        self.assertEqual(client.close_code, 1002)

    def test_flood(self) -> None:
        client, other = self.connect("olga"), self.connect()
        for number in range(301):
            client.protocol.send_text(b'{"gain": %d}' % (number % 100))
        self.assertEqual(client.close_code, 1008)
        told = len(other.messages())
        self.clock.pump([0.1] * 50)
        self.assertEqual(other.messages(), [], f"{told} had been told before")

    def test_closed_by_the_client(self) -> None:
        client = self.connect()
        client.protocol.send_close(1000, "bye")
        self.assertEqual(client.close_code, 1000)
        self.assertTrue(client.transport.disconnecting)

    def test_no_reset_after_the_handshake(self) -> None:
        """Closed on both sides, the connection ends in order: a reset could eat the code."""
        client = self.connect()
        self.world.factory.shut_down()
        self.assertEqual(client.close_code, 1001)
        client.exchange()
        self.assertTrue(client.transport.disconnecting)
        self.assertFalse(client.transport.aborted)

    def test_no_answer_to_the_close(self) -> None:
        """A client that does not do its part of the closing is cut off."""
        client = self.connect()
        self.world.factory.shut_down()
        self.assertFalse(client.transport.aborted)
        self.clock.advance(CLOSING)
        self.assertTrue(client.transport.aborted)

    def test_socket_is_let_go(self) -> None:
        """Even a client that never reads the rest cannot keep the socket."""
        client = self.connect()
        client.protocol.send_close(1000)
        client.exchange()
        self.clock.advance(CLOSING)
        self.assertTrue(client.transport.aborted)

    def test_shutdown(self) -> None:
        clients = [self.connect(), self.connect("olga")]
        done = self.world.factory.shut_down()
        self.assertEqual([c.close_code for c in clients], [1001, 1001])
        self.assertNoResult(done)
        for client in clients:
            client.lose()
        self.successResultOf(done)

    def test_no_timer_is_left(self) -> None:
        """However the end came about."""
        for how in ("theirs", "ours", "lost"):
            client = self.connect()
            if how == "theirs":
                client.protocol.send_close(1000)
            elif how == "ours":
                self.world.factory.shut_down()
            client.exchange()
            client.exchange()
            client.lose()
            self.assertEqual(self.clock.getDelayedCalls(), [], how)

    def test_nothing_is_done_after_the_close(self) -> None:
        """A command that could not be answered is not obeyed."""
        client = self.connect("olga")
        client.protocol.send_text(b'{"gain": 7}')
        late = client.protocol.data_to_send()
        self.world.factory.shut_down()
        client.send_raw(b"".join(late))
        self.assertEqual(self.model["gain"], 50)

    def test_nothing_after_the_close(self) -> None:
        """A change in the last moment is not sent behind the close frame."""
        client = self.connect()
        self.world.factory.shut_down()
        client.transport.clear()
        self.model.commit({"gain": 1})
        self.clock.advance(0)
        self.assertEqual(client.transport.value(), b"")


class LifeSigns(WireTestCase):
    def pings(self, client: Client) -> int:
        """How many pings have come; the client's answers do not go out."""
        data = client.transport.value()
        client.transport.clear()
        return data.count(b"\x89\x00")

    def test_ping(self) -> None:
        """Every twenty seconds; nothing for twenty more, and it is closed with 1008."""
        client = self.connect()
        self.clock.advance(19)
        self.assertEqual(self.pings(client), 0)
        self.clock.advance(1)
        self.assertEqual(self.pings(client), 1)
        self.clock.advance(19)
        self.assertEqual(client.transport.value(), b"")
        self.clock.advance(1)
        self.assertIn(b"\x88\x11\x03\xf0no sign of life", client.transport.value())
        self.clock.advance(CLOSING)
        self.assertTrue(client.transport.aborted)

    def test_anything_counts(self) -> None:
        """A message is as good as a pong."""
        client = self.connect()
        for _ in range(20):
            self.clock.advance(15)
            client.say({"get": []})
        self.assertIs(client.close_code, None)

    def test_pong(self) -> None:
        client = self.connect()
        for _ in range(40):
            self.clock.advance(10)
            client.exchange()
            client.exchange()
        self.assertIs(client.close_code, None)


class SlowReaders(WireTestCase):
    def test_newest_values(self) -> None:
        """
        Beyond the backlog: the newest value of each key once it reads again,
        nothing older after it, and its own messages wait until then.
        """
        client = self.connect("olga")
        transport = client.transport
        producer = transport.producer
        assert producer is not None
        producer.pauseProducing()
        for number in range(30_000):
            self.model.commit({"gain": number % 100, "storage-free": number})
            self.clock.advance(0)
        self.assertEqual(transport.producerState, "paused", "it is not read from")
        client.send_raw(b"".join(self._frame(client, {"contrast": 99})))
        self.assertEqual(self.model["contrast"], 50)
        producer.resumeProducing()
        self.assertEqual(transport.producerState, "producing")
        messages = client.messages()
        self.assertIn({"gain": 99, "storage-free": 29_999}, messages)
        frees = [m["storage-free"] for m in messages if "storage-free" in m]
        self.assertEqual(frees, sorted(frees))  # type: ignore[type-var]
        self.assertLess(len(frees), 30_000)
        self.assertEqual(self.model["contrast"], 99)

    def _frame(self, client: Client, message: object) -> list[bytes]:
        client.protocol.send_text(json.dumps(message).encode())
        return client.protocol.data_to_send()

    def test_slow_is_not_silent(self) -> None:
        """Who is not read from cannot give a sign of life, and need not while it reads."""
        client = self.connect()
        producer = client.transport.producer
        assert producer is not None
        producer.pauseProducing()
        for _ in range(10):
            self.clock.advance(15)
            producer.resumeProducing()
            producer.pauseProducing()
        self.assertFalse(client.transport.disconnecting)
        producer.resumeProducing()
        client.receive()
        self.clock.pump([10] * 5)
        self.assertEqual(client.close_code, 1008, "now it is silent")

    def test_life_signs_that_cross_with_a_full_socket(self) -> None:
        """Neither a ping it has not come to yet nor one it cannot be heard to answer counts."""
        for blocked, free in ((25, 45), (15, 35)):
            self.setUp()
            client = self.connect()
            producer = client.transport.producer
            assert producer is not None
            self.clock.pump([5] * (blocked // 5))
            producer.pauseProducing()
            self.clock.pump([5] * ((free - blocked) // 5))
            producer.resumeProducing()
            self.clock.pump([5] * ((50 - free) // 5))
            self.assertIsNone(client.close_code, (blocked, free))
            self.assertFalse(client.transport.disconnecting, (blocked, free))

    def test_stalled(self) -> None:
        client = self.connect()
        assert client.transport.producer is not None
        client.transport.producer.pauseProducing()
        self.clock.advance(29)
        client.send_raw(b"")
        self.assertFalse(client.transport.aborted)
        self.clock.advance(1)
        self.assertTrue(client.transport.aborted)


class Places(WireTestCase):
    limits = Limits(connections=10)

    def test_full(self) -> None:
        """503 at the handshake, readable."""
        for _ in range(10):
            self.connect("olga")
        late = self.world.connect()
        self.assertEqual(late.status, 503)
        body = json.loads(late.answer.body)  # type: ignore[attr-defined]
        self.assertIn("10 connections", body["message"])
        self.assertEqual(late.answer.headers["Retry-After"], "5")  # type: ignore[attr-defined]
        self.assertEqual(self.world.roster.count, 10)

    def test_last_places(self) -> None:
        """A tenth is for those who log in: others are shown out with 1013."""
        clients = [self.connect() for _ in range(9)]
        anonymous = self.connect()
        self.clock.advance(LOGIN_GRACE)
        self.assertEqual(anonymous.close_code, 1013)
        anonymous.lose()
        user = self.connect("olga")
        self.clock.advance(LOGIN_GRACE)
        self.assertEqual({c.close_code for c in [*clients, user]}, {None})

    def test_place_is_free_again(self) -> None:
        clients = [self.connect("olga") for _ in range(10)]
        clients[3].lose()
        self.connect("olga")
