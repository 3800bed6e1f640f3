"""The limits of protocol.md section 5: their names, their defaults, and that each is heeded."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from rotoclear.config import Configuration, load
from tests.api.test_websocket import WireTestCase

DEFAULTS = {
    "message-rate": 100,
    "message-burst": 100,
    "message-waiting": 200,
    "message-size": 64 * 1024,
    "connections": 1024,
    "login-failures": 5,
    "login-window": 5 * 60,
    "backlog": 256 * 1024,
    "stall": 30,
    "ping-interval": 20,
    "ping-timeout": 20,
}
"""Written out here from the protocol, not taken from the code."""


class Names(SynchronousTestCase):
    def load(self, text: str) -> Configuration:
        path = Path(self.mktemp())
        path.write_text(text)
        return load(path)

    def test_defaults(self) -> None:
        lines = [f"{name} = {value}" for name, value in DEFAULTS.items()]
        self.assertEqual(self.load("\n".join(["[limits]", *lines])), Configuration())

    def test_each_is_a_setting(self) -> None:
        for name, value in DEFAULTS.items():
            limits = self.load(f"[limits]\n{name} = {2 * value}").limits
            self.assertEqual(getattr(limits, name.replace("-", "_")), 2 * value)

    def test_login(self) -> None:
        text = "[login]\nanonymous = true\ntoken-idle = 1800"
        self.assertEqual(self.load(text), Configuration())


class Configured(WireTestCase):
    """What the configuration says is what holds."""

    def configure(self, text: str) -> None:
        path = Path(self.mktemp())
        path.write_text(f"[limits]\n{text}")
        self.limits = load(path).limits
        self.setUp()

    def test_rate(self) -> None:
        self.configure("message-rate = 10\nmessage-burst = 2\nmessage-waiting = 3")
        client = self.connect()
        ask = {"get": []}
        self.assertEqual(client.say(ask, ask, ask, ask, ask), [{}, {}])
        self.clock.advance(0.1)
        self.assertEqual(client.messages(), [{}])
        self.clock.advance(0.2)
        self.assertEqual(client.messages(), [{}, {}])
        client.say(*[ask] * 6)
        self.assertEqual(client.close_code, 1008)

    def test_size(self) -> None:
        self.configure("message-size = 2048")
        client = self.connect()
        self.assertEqual(client.say(b'{"get": []}'.ljust(2048)), [{}])
        client.protocol.send_text(b'{"get": []}'.ljust(2049))
        self.assertEqual(client.close_code, 1009)

    def test_backlog(self) -> None:
        """However large it is, no more than that is kept."""
        self.configure("backlog = 131072")
        client = self.connect()
        outbox = client.transport.producer
        assert outbox is not None
        outbox.pauseProducing()
        for number in range(20_000):
            self.model.commit({"gain": number % 100})
            self.clock.advance(0)
        self.assertLess(outbox.unsent, 131_072)
        self.assertEqual(client.transport.producerState, "paused")

    def test_stall(self) -> None:
        self.configure("stall = 3")
        client = self.connect()
        assert client.transport.producer is not None
        client.transport.producer.pauseProducing()
        self.clock.advance(2.9)
        self.assertFalse(client.transport.aborted)
        self.clock.advance(0.1)
        self.assertTrue(client.transport.aborted)

    def test_ping(self) -> None:
        self.configure("ping-interval = 5\nping-timeout = 1")
        client = self.connect()
        self.clock.advance(5)
        self.assertEqual(client.transport.value(), b"\x89\x00")
        self.clock.advance(1)
        self.assertEqual(client.close_code, 1008)
