"""Frames between the server and a driver's process."""

from __future__ import annotations

import struct
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.devices import wire
from rotoclear.processes.framing import WireError


def reader() -> wire.Reader[Any]:
    return wire.Reader(wire.FromHost)  # type: ignore[arg-type]


class Frames(SynchronousTestCase):
    MESSAGES = (
        wire.Started("acme", "camera", False),
        wire.Found(("a", "b")),
        wire.Lost("no bus", "Traceback"),
        wire.Answer(7, {"total": 1, "free": 0}),
        wire.Refused(8, "gone", "unplugged"),
        wire.Record(30, "warm"),
        wire.Stopped("no licence"),
    )

    def test_every_message_comes_out_as_it_went_in(self) -> None:
        data = b"".join(wire.frame(message) for message in self.MESSAGES)
        self.assertEqual(list(reader().feed(data)), list(self.MESSAGES))

    def test_a_stream_may_be_cut_anywhere(self) -> None:
        data = b"".join(wire.frame(message) for message in self.MESSAGES)
        incoming = reader()
        got = [message for byte in data for message in incoming.feed(bytes([byte]))]
        self.assertEqual(got, list(self.MESSAGES))

    def test_the_servers_messages_come_through_too(self) -> None:
        messages = [
            wire.Start({"port": "/dev/ttyS0", "speed": 9600}),
            wire.Open(1, 1, "head"),
            wire.Call(2, 1, "set", ("brightness", 75)),
            wire.Call(3, 1, "set", ("auto-exposure", True)),
            wire.Simulate(4, "latency", "head", {"milliseconds": 5}),
            wire.Close(5, 1),
            wire.Stop(),
        ]
        incoming: wire.Reader[Any] = wire.Reader(wire.ToHost)  # type: ignore[arg-type]
        got = list(incoming.feed(b"".join(wire.frame(message) for message in messages)))
        self.assertEqual(got, messages)
        self.assertIs(got[3].arguments[1], True)

    def test_a_frame_that_is_too_long_is_refused_by_its_length_alone(self) -> None:
        with self.assertRaisesRegex(WireError, "1048577 bytes"):
            list(reader().feed(struct.pack("!I", wire.MAX_FRAME + 1)))

    def test_what_is_too_long_is_not_sent(self) -> None:
        with self.assertRaisesRegex(WireError, "too many"):
            wire.frame(wire.Answer(1, "x" * wire.MAX_FRAME))

    def test_what_cannot_be_encoded_is_not_sent(self) -> None:
        for thing in (object(), 2**70, {1j: 2}):
            with self.assertRaisesRegex(WireError, "cannot be sent"):
                wire.frame(wire.Answer(1, thing))

    def test_other_things_than_messages_are_refused(self) -> None:
        for payload in (b"", b"\xc1", b"\x80", b"\x81\xa2is\xa4stop", b"\x93\x01\x02\x03"):
            with self.assertRaises(WireError):
                list(reader().feed(struct.pack("!I", len(payload)) + payload))

    def test_a_message_with_wrong_fields_is_refused(self) -> None:
        frame = wire.frame(wire.Record("loud", "x"))  # type: ignore[arg-type]
        with self.assertRaises(WireError):
            list(reader().feed(frame))

    @given(st.binary(max_size=200))
    def test_noise_never_raises_anything_else(self, noise: bytes) -> None:
        try:
            list(reader().feed(struct.pack("!I", len(noise)) + noise))
        except WireError:
            pass


class Cut(SynchronousTestCase):
    def test_a_long_text_is_cut_and_a_short_one_is_not(self) -> None:
        self.assertEqual(wire.cut("abc", 3), "abc")
        self.assertEqual(wire.cut("abcd", 3), "ab\N{HORIZONTAL ELLIPSIS}")
