"""One client's requests, without a network: sessions, who is let in, time-outs."""

from __future__ import annotations

import base64
import hashlib
import re

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionAborted
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.media.rtsp.admission import FRESH
from rotoclear.media.rtsp.connection import RATE, SILENCE, TIMEOUT
from rotoclear.media.rtsp.server import RtspFactory
from rotoclear.media.rtsp.stream import PATIENCE
from tests.media.rtsp.played import Door, Encoder, Film, house

URL = "rtsp://192.0.2.1:8554/live"
BASIC = "Basic " + base64.b64encode(b"joe:correct horse").decode()
TCP = "RTP/AVP/TCP;unicast;interleaved=0-1"


class Transport(StringTransport):
    """Closes at once."""

    aborted = False

    connection = None

    def abortConnection(self):
        self.aborted = True
        self.loseConnection()
        self.connection.connectionLost(Failure(ConnectionAborted()))


class Case(SynchronousTestCase):
    options = {}

    def setUp(self):
        self.clock, self.film, self.door = Clock(), Film(), Door()
        self.house = house(self.clock, self.film, self.door, **self.options)
        self.factory = RtspFactory(self.house, 3)
        self.encoder = Encoder()
        self.connect()

    def connect(self):
        peer = IPv4Address("TCP", "192.0.2.7", 4000)
        self.connection = self.factory.buildProtocol(peer)
        self.transport = Transport(
            hostAddress=IPv4Address("TCP", "192.0.2.1", 8554), peerAddress=peer
        )
        self.transport.connection = self.connection
        self.connection.makeConnection(self.transport)
        self.number = 0

    def send(self, method, url=URL, body="", **headers):
        self.number += 1
        lines = [f"{method} {url} RTSP/1.0", f"CSeq: {self.number}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.transport.clear()
        self.connection.dataReceived("\r\n".join([*lines, "", ""]).encode() + body.encode())

    def ask(self, method, url=URL, **headers):
        """Status and headers of the answer."""
        self.send(method, url, **headers)
        return self.answer()

    def answer(self):
        head = self.transport.value().partition(b"\r\n\r\n")[0].decode()
        first, *lines = head.split("\r\n")
        self.headers = [tuple(line.split(": ", 1)) for line in lines]
        return int(first.split()[1]), dict(self.headers)

    def play_one(self, key=False):
        data, is_key = self.encoder.next(key)
        self.film.play(data, round(self.clock.seconds() * 10**9), is_key)

    def set_up(self):
        status, headers = self.ask("SETUP", URL + "/trackID=0", Transport=TCP, Authorization=BASIC)
        self.assertEqual(status, 200)
        self.session = headers["Session"].partition(";")[0]

    def start(self):
        self.set_up()
        self.assertEqual(self.ask("PLAY", Session=self.session)[0], 200)


class MethodTests(Case):
    def test_what_there_is_may_be_asked_by_anybody(self):
        status, headers = self.ask("OPTIONS", "*")
        self.assertEqual((status, headers["CSeq"]), (200, "1"))
        self.assertIn("DESCRIBE", headers["Public"])
        self.assertEqual(self.film.listeners, [])

    def test_describe_waits_for_the_film(self):
        self.send("DESCRIBE", URL + "/", Authorization=BASIC)
        self.assertEqual(self.transport.value(), b"")
        self.assertEqual(len(self.film.listeners), 1)
        self.play_one()
        status, headers = self.answer()
        self.assertEqual(
            (status, headers["Content-Base"], headers["Content-Type"]),
            (200, URL + "/", "application/sdp"),
        )
        self.assertIn(b"sprop-parameter-sets=", self.transport.value())
        self.clock.advance(3)
        self.assertEqual(self.film.listeners, [], "nobody came to watch")

    def test_without_pictures_it_says_so(self):
        self.send("DESCRIBE", Authorization=BASIC)
        self.clock.advance(PATIENCE)
        self.assertEqual(self.answer()[0], 503)

    def test_a_login_in_the_address_is_not_repeated(self):
        self.send("DESCRIBE", "rtsp://joe:secret@h/live", Authorization=BASIC)
        self.play_one()
        self.assertNotIn(b"secret", self.transport.value())

    def test_a_viewer_gets_the_film_from_a_keyframe_on(self):
        self.start()
        self.transport.clear()
        self.encoder.next()
        self.play_one()
        self.assertEqual(self.transport.value(), b"")
        self.play_one(key=True)
        self.assertEqual(self.transport.value()[:2], b"$\0")

    def test_a_second_viewer_has_a_keyframe_made_and_many_at_once_have_one(self):
        self.start()
        for _ in range(2):
            self.connect()
            self.start()
        self.assertEqual(self.film.keyframes, 1)
        self.clock.advance(0.5)
        self.assertEqual(self.film.keyframes, 2)
        self.clock.advance(5)
        self.assertEqual(self.film.keyframes, 2)

    def test_pause_and_go_on(self):
        self.start()
        self.play_one()
        self.assertEqual(self.ask("PAUSE", Session=self.session)[0], 200)
        self.transport.clear()
        self.play_one(key=True)
        self.assertEqual(self.transport.value(), b"")
        self.ask("PLAY", Session=self.session)
        self.transport.clear()
        self.play_one(key=True)
        self.assertIn(b"$", self.transport.value())

    def test_teardown_ends_the_need_for_pictures(self):
        self.start()
        self.assertEqual(self.ask("TEARDOWN", Session=self.session)[0], 200)
        self.clock.advance(3)
        self.assertEqual(self.film.listeners, [])
        self.assertEqual(self.ask("PLAY", Session=self.session)[0], 454)

    def test_what_cannot_be(self):
        for status, method, url, headers in (
            (404, "DESCRIBE", "rtsp://h/other", {"Authorization": BASIC}),
            (404, "SETUP", "rtsp://h/", {"Authorization": BASIC, "Transport": TCP}),
            (400, "DESCRIBE", "http://h/live", {"Authorization": BASIC}),
            (400, "DESCRIBE", "rtsp://[h/live", {"Authorization": BASIC}),
            (461, "SETUP", URL, {"Authorization": BASIC}),
            (461, "SETUP", URL, {"Authorization": BASIC, "Transport": "RTP/AVP;multicast"}),
            (454, "PLAY", URL, {"Session": "0"}),
            (454, "PLAY", URL, {}),
            (454, "GET_PARAMETER", URL, {}),
            (501, "ANNOUNCE", URL, {}),
            (551, "OPTIONS", "*", {"Require": "x"}),
        ):
            self.assertEqual(self.ask(method, url, **headers)[0], status, (method, url))
        self.assertFalse(self.transport.disconnecting)

    def test_while_playing_nothing_is_set_up(self):
        self.start()
        self.assertEqual(self.ask("SETUP", Session=self.session, Transport=TCP)[0], 455)

    def test_a_camera_that_is_not_there(self):
        self.house = house(self.clock, self.film, missing=lambda path: f"No {path}")
        self.factory = RtspFactory(self.house, 3)
        self.connect()
        self.assertEqual(self.ask("DESCRIBE", Authorization=BASIC)[0], 503)
        self.assertIn(b"No /live", self.transport.value())


class LoginCase(Case):
    options = {"offer": "both"}

    def proof(self, algorithm="MD5", key="k3y", uri=URL, name="joe", nonce=None):
        self.ask("DESCRIBE", uri)
        h = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[algorithm]
        offered = [v for n, v in self.headers if n == "WWW-Authenticate" and algorithm in v]
        nonce = nonce or re.search('nonce="([^"]*)"', offered[0])[1]

        def hashed(text):
            return h(text.encode()).hexdigest()

        response = hashed(
            f"{hashed(f'{name}:rotoclear:{key}')}:{nonce}:{hashed(f'DESCRIBE:{uri}')}"
        )
        return (
            f'Digest username="{name}", realm="rotoclear", nonce="{nonce}", uri="{uri}", '
            f'response="{response}", algorithm={algorithm}'
        )

    def described(self, authorization):
        self.send("DESCRIBE", Authorization=authorization)
        if not self.transport.value():
            self.play_one(key=True)
        return self.answer()[0]


class LoginTests(LoginCase):
    def test_nobody_unknown(self):
        status, _ = self.ask("DESCRIBE")
        self.assertEqual(status, 401)
        kinds = [v.split()[0] for n, v in self.headers if n == "WWW-Authenticate"]
        self.assertEqual(kinds, ["Digest", "Digest", "Basic"])
        self.assertEqual(self.ask("SETUP", Transport=TCP)[0], 401)
        self.assertEqual(self.film.listeners, [])

    def test_basic(self):
        self.assertEqual(self.described(BASIC), 200)
        wrong = "Basic " + base64.b64encode(b"joe:wrong").decode()
        self.assertEqual(self.described(wrong), 401)
        self.assertEqual(self.door.asked, [("joe", "192.0.2.7")] * 2)

    def test_digest(self):
        for algorithm in ("MD5", "SHA-256"):
            self.assertEqual(self.described(self.proof(algorithm)), 200, algorithm)
            self.assertEqual(self.described(self.proof(algorithm, key="wrong")), 401)
            self.assertEqual(self.described(self.proof(algorithm, name="eve")), 401)

    def test_a_proof_for_another_address_is_none(self):
        self.assertEqual(self.described(self.proof(uri="rtsp://192.0.2.1:8554/cam1")), 401)

    def test_a_proof_of_another_connection_is_none(self):
        proof = self.proof()
        self.connect()
        self.assertEqual(self.described(proof), 401)

    def test_an_old_nonce_is_told_to_be_stale(self):
        self.described(self.proof())
        proof = self.proof()
        for _ in range(2):
            self.clock.advance(FRESH / 2)
            self.ask("OPTIONS", "*")
        self.assertEqual(self.described(proof), 401)
        self.assertTrue(any("stale=true" in value for _, value in self.headers))
        self.assertEqual(self.described(self.proof()), 200)

    def test_without_the_right_to_see_pictures(self):
        login = "Basic " + base64.b64encode(b"bob:bob").decode()
        self.assertEqual(self.described(login), 403)

    def test_tried_too_often(self):
        self.door.late = 42
        self.assertEqual(self.described(BASIC), 503)
        self.assertIn(("Retry-After", "42"), self.headers)

    def test_rights_that_are_lost_end_it_at_once(self):
        self.start()
        self.door.guests["joe"].change({"Device_r"})
        self.assertTrue(self.transport.disconnecting)
        self.assertEqual(self.door.guests["joe"].attached, [])

    def test_headers_that_make_no_sense(self):
        for header in (
            "",
            "Basic",
            "Basic !",
            "Basic am9l",
            "Digest",
            "Digest a",
            "Bearer x",
            'Digest username="joe"',
            'Digest username="joe", username="joe"',
        ):
            self.assertEqual(self.described(header), 401, header)

    @given(st.text(st.characters(blacklist_categories=("Cs",)), max_size=120))
    @settings(max_examples=150, deadline=None)
    def test_any_header_is_refused_in_peace(self, text):
        text = text.replace("\r", "").replace("\n", "").replace("\0", "")
        self.connect()
        self.assertEqual(self.described("Digest " + text), 401)


class DigestOnlyTests(LoginCase):
    options = {"offer": "digest"}

    def test_a_key_is_enough(self):
        self.assertEqual(self.described(self.proof()), 200)

    def test_no_password_is_asked_for_or_taken(self):
        self.ask("DESCRIBE")
        kinds = [v.split()[0] for n, v in self.headers if n == "WWW-Authenticate"]
        self.assertEqual(kinds, ["Digest", "Digest"])
        self.assertEqual(self.described(BASIC), 401)
        self.assertEqual(self.door.asked, [])


class AnonymousTests(Case):
    options = {"anonymous": True}

    def test_nobody_needs_to_log_in(self):
        self.assertEqual(self.ask("SETUP", Transport=TCP)[0], 200)

    def test_who_does_must_be_right(self):
        wrong = "Basic " + base64.b64encode(b"joe:wrong").decode()
        self.assertEqual(self.ask("SETUP", Transport=TCP, Authorization=wrong)[0], 401)


class LimitTests(Case):
    def test_a_session_ends_without_a_sign_of_life(self):
        self.start()
        self.clock.advance(TIMEOUT - 1)
        self.assertFalse(self.transport.disconnecting)
        self.clock.advance(1)
        self.assertTrue(self.transport.disconnecting)
        self.clock.advance(3)
        self.assertEqual(self.film.listeners, [])

    def test_requests_and_reports_are_signs_of_life(self):
        self.start()
        for _ in range(3):
            self.clock.advance(TIMEOUT - 1)
            self.assertEqual(self.ask("GET_PARAMETER", Session=self.session)[0], 200)
            self.clock.advance(TIMEOUT - 1)
            self.connection.dataReceived(b"$\1\0\x08\x80\xc9\0\1\0\0\0\1")
        self.assertFalse(self.transport.disconnecting)

    def test_who_is_not_let_in_is_not_kept(self):
        self.clock.advance(SILENCE - 1)
        self.assertEqual(self.ask("OPTIONS", "*")[0], 200)
        self.assertEqual(self.ask("DESCRIBE")[0], 401)
        self.clock.advance(1)
        self.assertTrue(self.transport.disconnecting)

    def test_too_many_requests(self):
        for _ in range(RATE):
            self.assertEqual(self.ask("OPTIONS", "*")[0], 200)
        self.assertEqual(self.ask("OPTIONS", "*")[0], 429)
        self.assertTrue(self.transport.disconnecting)

    def test_nonsense_is_answered_and_ended(self):
        self.connection.dataReceived(b"nonsense\r\n\r\n")
        self.assertEqual(self.answer()[0], 400)
        self.assertTrue(self.transport.disconnecting)

    def test_binary_data_without_a_session_is_no_sign_of_life(self):
        self.clock.advance(SILENCE - 1)
        self.connection.dataReceived(b"$\1\0\x08\x80\xc9\0\1\0\0\0\1")
        self.assertFalse(self.transport.disconnecting)
        self.clock.advance(1)
        self.assertTrue(self.transport.disconnecting)

    def test_who_is_not_let_in_gives_way(self):
        first = self.transport
        self.connect()
        self.start()
        self.connect()
        self.connect()
        self.assertTrue(first.aborted)

    def test_too_many_connections(self):
        self.start()
        for _ in range(2):
            self.connect()
            self.start()
        extra = self.factory.buildProtocol(IPv4Address("TCP", "192.0.2.8", 1))
        transport = Transport()
        extra.makeConnection(transport)
        self.assertTrue(transport.value().startswith(b"RTSP/1.0 453"))
        self.assertTrue(transport.disconnecting)

    def test_who_reads_nothing_is_cut_off(self):
        self.start()
        self.connection.pauseProducing()
        for _ in range(8):
            self.clock.advance(5)
        self.assertTrue(self.transport.aborted)

    def test_a_lost_connection_leaves_nothing(self):
        self.start()
        self.connection.connectionLost()
        self.clock.advance(3)
        self.assertEqual(self.film.listeners, [])
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(
            self.factory.status(), {"connections": 0, "viewers": {"live": 0, "cam1": 0}}
        )
        self.assertEqual(self.door.guests["joe"].attached, [])

    @given(st.lists(st.binary(max_size=200), max_size=4))
    @settings(max_examples=100, deadline=None)
    def test_any_bytes_are_survived(self, pieces):
        self.factory = RtspFactory(self.house, 3)
        self.connect()
        for piece in pieces:
            self.connection.dataReceived(piece)
        self.connection.connectionLost()
