"""Requests, taken out of bytes: right ones, wrong ones, any."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.media.rtsp.messages import (
    MAX_BODY,
    MAX_HEAD,
    BadRequest,
    Interleaved,
    Parser,
    answer,
)
from rotoclear.media.rtsp.transports import Wanted, wanted


def read(data):
    return list(Parser().feed(data))


class ParserTests(SynchronousTestCase):
    def refused(self, data):
        return self.assertRaises(BadRequest, read, data)

    def test_requests_and_binary_data_byte_by_byte(self):
        stream = (
            b"\r\nOPTIONS rtsp://h/live/ RTSP/1.0\r\nCSeq: 1\r\nX: a\r\nx:b\r\n\r\n"
            b"$\x01\x00\x02ab"
            b"SET_PARAMETER /live RTSP/1.0\r\ncseq: 2\r\nContent-Length: 3\r\n\r\nabc"
        )
        parser, found = Parser(), []
        for byte in stream:
            found += parser.feed(bytes((byte,)))
        first, binary, second = found
        self.assertEqual(
            (first.method, first.path, first.cseq, first.headers["x"]),
            ("OPTIONS", "/live", "1", "a, b"),
        )
        self.assertEqual(binary, Interleaved(1, b"ab"))
        self.assertEqual((second.path, second.body), ("/live", b"abc"))

    def test_wrong_requests_say_why(self):
        for data, status, cseq in (
            (b"GET / HTTP/1.1\r\nCSeq: 3\r\n\r\n", 400, "3"),
            (b"OPTIONS * RTSP/2.0\r\nCSeq: 3\r\n\r\n", 505, "3"),
            (b"OPTIONS * RTSP/1.0\r\n\r\n", 400, ""),
            (b"OPTIONS * RTSP/1.0\r\nCSeq: -1\r\n\r\n", 400, ""),
            (b"OPTIONS  * RTSP/1.0\r\nCSeq: 1\r\n\r\n", 400, "1"),
            (b"OPTIONS /\xff RTSP/1.0\r\nCSeq: 1\r\n\r\n", 400, ""),
            (b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nno header\r\n\r\n", 400, ""),
            (b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: x\r\n\r\n", 400, "1"),
            (
                b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY + 1),
                413,
                "1",
            ),
            (b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n" + b"a:b\r\n" * 64 + b"\r\n", 413, ""),
            (b"x" * (MAX_HEAD + 1), 413, ""),
            (b"\x16\x03\x01", 400, ""),
            (b"\r\x16", 400, ""),
        ):
            error = self.refused(data)
            self.assertEqual((error.status, error.cseq), (status, cseq), data[:60])

    def test_an_endless_head_is_not_kept(self):
        parser = Parser()
        with self.assertRaises(BadRequest):
            for _ in range(20):
                list(parser.feed(b"x" * 1000))

    @given(st.lists(st.binary(max_size=300), max_size=5))
    @settings(max_examples=200, deadline=None)
    def test_any_bytes_are_requests_or_a_bad_request(self, pieces):
        parser = Parser()
        try:
            for piece in pieces:
                for found in parser.feed(piece):
                    if not isinstance(found, Interleaved):
                        found.path  # noqa: B018 - may refuse, may not fail
        except BadRequest as error:
            self.assertTrue(answer(error.status, error.cseq).startswith(b"RTSP/1.0 4"))

    @given(st.text(max_size=80))
    @settings(max_examples=200, deadline=None)
    def test_any_transport_header_is_read_or_not(self, header):
        found = wanted(header)
        self.assertTrue(found is None or isinstance(found, Wanted))


class TransportTests(SynchronousTestCase):
    def test_ways(self):
        for header, found in (
            ("RTP/AVP/TCP;unicast;interleaved=2-3", Wanted(True, 2, 3)),
            ("RTP/AVP/TCP", Wanted(True)),
            ("RTP/AVP;unicast;client_port=5000-5001", Wanted(False, 5000, 5001)),
            (
                'RTP/AVP;multicast, RTP/AVP/UDP;client_port=5000;mode="PLAY"',
                Wanted(False, 5000, 5001),
            ),
            ("RTP/AVP;multicast;client_port=5000-5001", None),
            ("RTP/AVP;unicast", None),
            ("RTP/AVP;client_port=53-54", None),
            ("RTP/AVP;client_port=70000-70001", None),
            ("RTP/AVP/TCP;interleaved=255-256", None),
            ("RTP/AVP/TCP;interleaved=1-1", None),
            ("RTP/AVP;client_port=5000-5001;mode=record", None),
            ("", None),
        ):
            self.assertEqual(wanted(header), found, header)
