"""H.264 in packets, and put together again; reports; the description."""

from __future__ import annotations

import base64
import struct

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.media.rtsp import h264, rtcp, rtp, sdp
from rotoclear.media.rtsp.delivery import BACKLOG, Datagrams, Interleaved
from tests.media.rtsp.played import Encoder


def together(payloads):
    """What a receiver does (RFC 6184)."""
    units, part = [], b""
    for payload in payloads:
        if payload[0] & 0x1F != 28:
            units.append(payload)
            continue
        if payload[1] & 0x80:
            assert not part
            part = bytes((payload[0] & 0xE0 | payload[1] & 0x1F,))
        part += payload[2:]
        if payload[1] & 0x40:
            units.append(part)
            part = b""
    assert not part
    return units


class H264Tests(SynchronousTestCase):
    def test_units_between_start_codes(self):
        data = b"\0\0\0\1\x09\xf0\0\0\0\1\x67abc\0\0\1\x68d\0\0\0\1\x65" + b"e" * 9
        self.assertEqual(h264.split(data), [b"\x67abc", b"\x68d", b"\x65" + b"e" * 9])
        self.assertEqual(h264.split(b"nothing"), [])

    def test_parameters_of_a_real_encoder(self):
        data, key = Encoder().next()
        self.assertTrue(key)
        found = h264.parameters_in(h264.split(data))
        self.assertEqual((found.sps[0] & 31, found.pps[0] & 31), (7, 8))
        text = sdp.describe("live", "192.0.2.1", 7, found)
        self.assertIn(f"profile-level-id={found.sps[1:4].hex()};", text)
        sets = text.partition("sprop-parameter-sets=")[2].partition("\r\n")[0].split(",")
        self.assertEqual([base64.b64decode(one) for one in sets], [found.sps, found.pps])
        self.assertIn("packetization-mode=1", text)

    def test_without_parameters_there_are_none(self):
        self.assertIsNone(h264.parameters_in([b"\x65abc"]))


class PayloadTests(SynchronousTestCase):
    @given(st.lists(st.tuples(st.integers(1, 23), st.integers(0, 9000)), min_size=1, max_size=6))
    @settings(max_examples=100, deadline=None)
    def test_all_of_it_arrives_in_small_packets(self, shapes):
        units = [bytes((0x60 | kind,)) + bytes(size) for kind, size in shapes]
        payloads = rtp.payloads(units)
        self.assertEqual(together(payloads), units)
        self.assertLessEqual(max(map(len, payloads)), rtp.MTU - 12)

    def test_the_clock_does_not_drift(self):
        self.assertEqual(rtp.ticks(10**9 * 3600 + 11_112), 90_000 * 3600 + 1)


class ReportTests(SynchronousTestCase):
    def test_a_sender_report_has_the_time_and_a_name(self):
        data = rtcp.report(0x01020304, 0.5, 0x1_0000_0007, 3, 1000)
        head = struct.unpack("!BBHIIIIII", data[:28])
        self.assertEqual(head, (0x80, 200, 6, 0x01020304, 2_208_988_800, 1 << 31, 7, 3, 1000))
        flags, kind, length, ssrc = struct.unpack("!BBHI", data[28:36])
        self.assertEqual((flags, kind, ssrc), (0x81, 202, 0x01020304))
        self.assertEqual(len(data) - 28, 4 * (length + 1))
        self.assertEqual(data[36:47], b"\x01\x09rotoclear")
        self.assertEqual(data[-1], 0)

    def test_what_is_a_report_of_a_receiver(self):
        self.assertTrue(rtcp.is_rtcp(struct.pack("!BBHI", 0x80, 201, 1, 1)))
        for wrong in (b"", b"\x80\xc9", struct.pack("!BBHI", 0x80, 96, 1, 1), b"\0" * 8):
            self.assertFalse(rtcp.is_rtcp(wrong))


class SenderTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.clock.advance(100)
        self.written = []
        self.sender = Interleaved(self.clock, lambda: 0.0, self.written.append, (4, 5))

    def packets(self, channel=4):
        data, found = b"".join(self.written), []
        while data:
            self.assertEqual(data[:1], b"$")
            length = int.from_bytes(data[2:4])
            if data[1] == channel:
                found.append(data[4 : 4 + length])
            data = data[4 + length :]
        return found

    def test_nothing_before_a_keyframe(self):
        self.sender.unit([b"p"], 0, False)
        self.assertEqual(self.packets(), [])
        self.sender.unit([b"k"], 10, True)
        self.sender.unit([b"p", b"q"], 20, False)
        heads = [struct.unpack("!BBHII", one[:12]) for one in self.packets()]
        first = heads[0][2]
        self.assertEqual([(h[2] - first) & 0xFFFF for h in heads], [0, 1, 2])
        self.assertEqual([h[1] for h in heads], [96 | 0x80, 96, 96 | 0x80])
        self.assertEqual([(h[3] - heads[0][3]) & 0xFFFFFFFF for h in heads], [0, 10, 10])
        self.assertEqual({h[4] for h in heads}, {self.sender.ssrc})
        self.assertEqual([one[12:] for one in self.packets()], [b"k", b"p", b"q"])

    def test_the_first_keyframe_is_followed_by_the_time(self):
        self.sender.unit([b"k"], rtp.ticks(10**11), True)
        (report,) = self.packets(5)
        time = struct.unpack("!BBHII", self.packets()[0][:12])[3]
        self.assertEqual(struct.unpack("!I", report[16:20])[0], time)

    def test_reports_do_not_wait(self):
        self.sender.unit([b"k"], 0, True)
        self.sender.pause()
        self.sender.report()
        self.sender.bye()
        kinds = [one[1] for one in self.packets(5)]
        self.assertEqual(kinds, [200, 200, 203])

    def test_a_short_wait_loses_nothing(self):
        self.sender.unit([b"k"], 0, True)
        self.sender.pause()
        self.sender.unit([b"p"], 3000, False)
        self.assertEqual(len(self.packets()), 1)
        self.sender.resume()
        self.assertEqual([one[12:] for one in self.packets()], [b"k", b"p"])

    def test_who_is_too_slow_gets_the_next_keyframe_and_no_memory(self):
        self.sender.unit([b"k"], 0, True)
        self.sender.pause()
        big = [bytes(100_000)]
        for number in range(100):
            self.sender.unit(big, number, False)
            self.assertLessEqual(self.sender._bytes, BACKLOG)
        self.assertEqual(self.sender._bytes, 0)
        self.sender.resume()
        self.sender.unit([b"p"], 200, False)
        self.sender.unit([b"K"], 300, True)
        self.assertEqual([one[12:] for one in self.packets()], [b"k", b"K"])

    def test_old_pictures_are_not_kept(self):
        self.sender.unit([b"k"], 0, True)
        self.sender.pause()
        self.sender.unit([b"p"], 1, False)
        self.sender.unit([b"p"], 1 + 3 * rtp.CLOCK, False)
        self.sender.resume()
        self.assertEqual([one[12:] for one in self.packets()], [b"k"])

    def test_who_takes_nothing_is_noticed(self):
        self.sender.pause()
        self.clock.advance(29)
        self.assertFalse(self.sender.stalled)
        self.clock.advance(2)
        self.assertTrue(self.sender.stalled)


class Port:
    def __init__(self):
        self.sent, self.fails = [], False

    def write(self, packet, address):
        if self.fails:
            raise BlockingIOError(11, "full")
        self.sent.append((packet, address))


class Ports:
    numbers = (7000, 7001)

    def __init__(self):
        self.data, self.control, self.closed = Port(), Port(), False

    def close(self):
        self.closed = True


class DatagramTests(SynchronousTestCase):
    def setUp(self):
        self.clock, self.ports = Clock(), Ports()
        self.sender = Datagrams(self.clock, lambda: 0.0, self.ports, "192.0.2.7", (5000, 5001))

    def test_large_pictures_go_in_bursts_and_in_order(self):
        self.sender.unit([bytes((n,)) for n in range(100)], 0, True)
        self.assertLess(len(self.ports.data.sent), 100)
        for _ in range(10):
            self.clock.advance(0.001)
        self.assertEqual([p[12] for p, _ in self.ports.data.sent], list(range(100)))
        self.assertEqual({a for _, a in self.ports.data.sent}, {("192.0.2.7", 5000)})
        self.assertEqual([a for _, a in self.ports.control.sent], [("192.0.2.7", 5001)])

    def test_when_the_kernel_has_no_room_the_next_keyframe_is_waited_for(self):
        self.ports.data.fails = True
        self.sender.unit([b"k"], 0, True)
        self.ports.data.fails = False
        self.sender.unit([b"p"], 1, False)
        self.assertEqual(self.ports.data.sent, [])
        self.sender.unit([b"K"], 2, True)
        self.assertEqual([p[12:] for p, _ in self.ports.data.sent], [b"K"])

    def test_the_ports_are_given_back(self):
        self.sender.unit([b"k"] * 100, 0, True)
        self.sender.stop()
        self.assertTrue(self.ports.closed)
        self.assertEqual(self.clock.getDelayedCalls(), [])
