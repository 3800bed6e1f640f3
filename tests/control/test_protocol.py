"""One connection to the control socket, without a socket."""

from __future__ import annotations

import json
import os

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.control.protocol import IDLE, MAX_CONNECTIONS, ControlFactory, ControlProtocol
from rotoclear.control.request import Refused, Request
from rotoclear.control.wire import MAX_REQUEST

SECRET = "correct horse battery"


class ControlTests(SynchronousTestCase):
    """What one client sees."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.requests: list[Request] = []
        self.waiting: list[Deferred[dict[str, object]]] = []
        self.uid = os.geteuid()

        async def echo(request: Request) -> dict[str, object]:
            self.requests.append(request)
            return {"arguments": dict(request.arguments)}

        async def wait(request: Request) -> dict[str, object]:
            waiting: Deferred[dict[str, object]] = Deferred()
            self.waiting.append(waiting)
            return await waiting

        async def refuse(request: Request) -> dict[str, object]:
            raise Refused("no such user")

        async def fail(request: Request) -> dict[str, object]:
            raise ZeroDivisionError

        async def nonsense(request: Request) -> dict[str, object]:
            return {"set": {1}}

        async def add(request: Request) -> dict[str, object]:
            name, _password = request.texts("name", "password")
            return {"name": name}

        self.factory = ControlFactory(
            self.clock,
            {
                "echo": echo,
                "wait": wait,
                "refuse": refuse,
                "fail": fail,
                "nonsense": nonsense,
                "add": add,
            },
            lambda transport: self.uid,
        )
        self.connect()

    def connect(self) -> None:
        protocol = self.factory.buildProtocol(None)
        assert protocol is not None
        self.protocol: ControlProtocol = protocol
        self.transport = StringTransport()
        self.transport.abortConnection = self.transport.loseConnection
        protocol.makeConnection(self.transport)

    def send(self, data: bytes | dict[str, object]) -> None:
        self.protocol.dataReceived(
            data if isinstance(data, bytes) else json.dumps(data).encode() + b"\n"
        )

    def answers(self) -> list[dict[str, object]]:
        lines = self.transport.value().splitlines()
        self.transport.clear()
        return [json.loads(line) for line in lines]

    def assert_error(self, text: str) -> None:
        self.assertEqual(self.answers(), [{"ok": False, "error": text}])

    def test_answer(self) -> None:
        self.send({"do": "echo", "a": 1})
        self.assertEqual(self.answers(), [{"arguments": {"a": 1}, "ok": True}])
        self.assertEqual(self.requests[0].do, "echo")
        self.assertEqual(self.requests[0].by, f"uid {self.uid}")

    def test_in_pieces_and_together(self) -> None:
        line = b'{"do": "echo"}\r\n'
        for byte in line:
            self.send(bytes([byte]))
        self.send(line * 3)
        self.assertEqual(len(self.answers()), 4)

    def test_refusal(self) -> None:
        self.send({"do": "refuse"})
        self.assert_error("no such user")

    def test_unknown(self) -> None:
        there_are = "there are: add, echo, fail, nonsense, refuse, wait"
        self.send({"do": "dance"})
        self.assert_error(f"unknown request 'dance'; {there_are}")
        for message in ({}, {"do": 1}, {"do": ["echo"]}):
            self.send(message)
            self.assert_error(f'"do" names what is to be done; {there_are}')
        self.send({"do": "x" * 1000})
        self.assertLess(len(str(self.answers())), 250)

    def test_malformed_line_and_the_next_one(self) -> None:
        with capturedLogs() as events:
            self.send(b"\x00\xff nonsense\n[]\n" + b'{"do": "echo"}\n')
        first, second, third = self.answers()
        self.assertEqual(first, {"ok": False, "error": "The message is not UTF-8"})
        self.assertEqual(second, {"ok": False, "error": "The message must be a JSON object"})
        self.assertTrue(third["ok"])
        self.assertEqual([e for e in events if "log_failure" in e], [])

    def test_line_too_long(self) -> None:
        self.send(b"x" * (MAX_REQUEST + 1))
        self.assert_error(f"a request has at most {MAX_REQUEST} bytes")
        self.assertTrue(self.transport.disconnecting)
        self.send(b"x" * MAX_REQUEST + b'\n{"do": "echo"}\n')
        self.assertEqual(self.answers(), [])
        self.assertEqual(self.requests, [])

    def test_longest_line(self) -> None:
        line = b'{"do": "echo"}'
        self.send(line + b" " * (MAX_REQUEST - len(line)) + b"\n")
        self.assertTrue(self.answers()[0]["ok"])

    def test_failure_is_answered_and_logged(self) -> None:
        self.send({"do": "fail"})
        self.assert_error("the server failed to do it; its log says why")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.send({"do": "nonsense"})
        self.assert_error("the server failed to do it; its log says why")
        self.assertEqual(len(self.flushLoggedErrors(TypeError)), 1)

    def test_no_secret_in_the_log(self) -> None:
        with capturedLogs() as events:
            self.send({"do": "add", "name": "joe", "password": SECRET})
            self.send({"do": "add", "name": "joe", "pass": SECRET})
            self.send({"do": "add", "name": "joe", "password": [SECRET]})
            self.send({"do": SECRET[:3], "password": SECRET})
            self.send(f'{{"do": "add", "password": "{SECRET}"'.encode() + b"\n")
        self.assertNotIn(SECRET, repr(events))
        self.assertNotIn(SECRET, str(self.answers()))
        self.assertNotIn(SECRET, repr(Request(do="a", by="b", arguments={"password": SECRET})))

    def test_one_after_another(self) -> None:
        self.send(b'{"do": "wait"}\n{"do": "echo"}\n')
        self.assertEqual((self.answers(), self.requests), ([], []))
        self.assertEqual(self.transport.producerState, "paused")
        self.waiting[0].callback({"n": 1})
        self.assertEqual(self.answers(), [{"n": 1, "ok": True}, {"arguments": {}, "ok": True}])
        self.assertEqual(self.transport.producerState, "producing")

    def test_answers_not_taken(self) -> None:
        """The transport's buffer is full: nothing more is read until it is not."""
        self.transport.producer.pauseProducing()
        self.send({"do": "echo"})
        self.assertEqual((self.answers(), self.transport.producerState), ([], "paused"))
        self.transport.producer.resumeProducing()
        self.assertEqual(len(self.answers()), 1)

    def test_answers_not_taken_while_working(self) -> None:
        self.send(b'{"do": "wait"}\n{"do": "echo"}\n')
        self.transport.producer.pauseProducing()
        self.transport.producer.resumeProducing()
        self.assertEqual(self.requests, [])
        self.assertEqual(self.transport.producerState, "paused")

    def test_idle(self) -> None:
        self.clock.advance(IDLE - 1)
        self.send({"do": "echo"})
        self.clock.advance(IDLE - 1)
        self.assertFalse(self.transport.disconnecting)
        self.clock.advance(1)
        self.assertTrue(self.transport.disconnecting)

    def test_working_is_not_idle(self) -> None:
        self.send({"do": "wait"})
        self.clock.advance(IDLE * 2)
        self.assertFalse(self.transport.disconnecting)

    def test_asker_leaves(self) -> None:
        """What it asked for is done all the same."""
        self.send({"do": "wait"})
        self.protocol.connectionLost()
        self.waiting[0].callback({})
        self.assertEqual(self.answers(), [])
        self.assertEqual(self.factory.connections, set())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_another_user(self) -> None:
        self.uid = os.geteuid() + 1
        self.connect()
        self.assert_error("only the server's own user and root may use its control socket")
        self.assertTrue(self.transport.disconnecting)
        self.send({"do": "echo"})
        self.assertEqual(self.requests, [])

    def test_end_when_idle(self) -> None:
        ended = self.protocol.end()
        self.assertTrue(self.transport.disconnecting)
        self.assertNoResult(ended)
        self.protocol.connectionLost()
        self.successResultOf(ended)

    def test_end_after_the_answer(self) -> None:
        self.send(b'{"do": "wait"}\n{"do": "echo"}\n')
        self.protocol.end()
        self.assertFalse(self.transport.disconnecting)
        self.waiting[0].callback({})
        self.assertEqual(self.answers(), [{"ok": True}])
        self.assertTrue(self.transport.disconnecting)
        self.assertEqual(self.requests, [])

    def test_abort(self) -> None:
        self.send({"do": "wait"})
        self.protocol.abort()
        self.assert_error("the server is being stopped")
        self.assertTrue(self.transport.disconnecting)

    def test_too_many(self) -> None:
        for _ in range(MAX_CONNECTIONS - 1):
            self.connect()
        self.assertIsNone(self.factory.buildProtocol(None))
        self.protocol.connectionLost()
        self.assertIsNotNone(self.factory.buildProtocol(None))


class RequestTests(SynchronousTestCase):
    def request(self, **arguments: object) -> Request:
        return Request(do="user-role", by="somebody", arguments=arguments)

    def refusal(self, *names: str, **arguments: object) -> str:
        return str(self.assertRaises(Refused, self.request(**arguments).texts, *names))

    def test_texts(self) -> None:
        request = self.request(role="viewer", name="joe")
        self.assertEqual(request.texts("name", "role"), ("joe", "viewer"))

    def test_missing_or_no_text(self) -> None:
        expected = "user-role needs a text role"
        self.assertEqual(self.refusal("name", "role", name="joe"), expected)
        self.assertEqual(self.refusal("name", "role", name="joe", role=1), expected)

    def test_more_than_that(self) -> None:
        self.assertEqual(
            self.refusal("name", name="joe", b="", a=""), "user-role does not know a, b"
        )
