"""A small RTSP client that decodes what it is sent, and says whatever the test wants."""

from __future__ import annotations

import base64
import contextlib
import socket
import struct
import time

import av

LIMIT = 20.0
"""Seconds, on a machine that has much else to do."""


class Viewer:
    """
    One client; a context manager.

    :param login: name and password, for Basic.
    :ivar packets: RTP that has come.
    :ivar reports: RTCP that has come.
    :ivar units: access units that have come, in Annex B form.
    """

    def __init__(self, port, path="/live", login=None, host="127.0.0.1"):
        self.url = f"rtsp://{host}:{port}{path}"
        self.socket = socket.create_connection((host, port), LIMIT)
        self.login = login
        self.number = 0
        self.session = ""
        self.packets, self.reports, self.units = [], [], []
        self.data = self.control = None
        self._buffer = b""
        self._decoder = av.CodecContext.create("h264", "r")
        self._unit = []
        self._part = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for one in (self.socket, self.data, self.control):
            if one is not None:
                one.close()

    # -- requests --------------------------------------------------------

    def ask(self, method, path="", **headers):
        """Status, headers and body of the answer; what is interleaved is kept."""
        self.number += 1
        lines = [f"{method} {self.url}{path} RTSP/1.0", f"CSeq: {self.number}"]
        if self.login is not None:
            token = base64.b64encode(":".join(self.login).encode()).decode()
            lines.append(f"Authorization: Basic {token}")
        if self.session:
            lines.append(f"Session: {self.session}")
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        return self.answer()

    def answer(self):
        while (found := self._message()) is None:
            pass
        return found

    def _message(self):
        """An answer, or ``None`` when it was something interleaved."""
        if self._need(1) == b"$":
            length = int.from_bytes(self._need(4)[2:])
            packet = self._take(4 + length)
            (self.reports if packet[1] % 2 else self.packets).append(packet[4:])
            return None
        while b"\r\n\r\n" not in self._buffer:
            self._more()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        body = self._take(int(headers.get("Content-Length", 0)))
        return int(first.split()[1]), headers, body.decode()

    def _need(self, count):
        while len(self._buffer) < count:
            self._more()
        return self._buffer[:count]

    def _take(self, count):
        found = self._need(count)
        self._buffer = self._buffer[count:]
        return found

    def _more(self):
        data = self.socket.recv(1 << 16)
        if not data:
            raise ConnectionError("hung up")
        self._buffer += data

    def play(self, udp=False):
        """Describe, set up and play; fails unless all of it is allowed."""
        end = time.monotonic() + 2 * LIMIT
        while (status := self.ask("DESCRIBE")[0]) == 503:
            assert time.monotonic() < end, "there were no pictures"
            time.sleep(0.2)
        assert status == 200, status
        transport = "RTP/AVP/TCP;unicast;interleaved=0-1"
        if udp:
            self.data, self.control = _pair()
            port = self.data.getsockname()[1]
            transport = f"RTP/AVP;unicast;client_port={port}-{port + 1}"
        status, headers, _ = self.ask("SETUP", "/trackID=0", Transport=transport)
        assert status == 200, status
        self.session = headers["Session"].partition(";")[0]
        self.transport = headers["Transport"]
        status, headers, body = self.ask("PLAY")
        assert status == 200, (status, body)
        return self

    # -- pictures --------------------------------------------------------

    def packet(self):
        """The next RTP packet."""
        if self.data is not None:
            return self.data.recv(1 << 16)
        while not self.packets:
            assert self._message() is None
        return self.packets.pop(0)

    def frames(self, count):
        """So many decoded pictures."""
        found = []
        end = time.monotonic() + LIMIT
        while len(found) < count:
            assert time.monotonic() < end, f"only {len(found)} pictures came"
            packet = self.packet()
            self._payload(packet[12:])
            if packet[1] & 0x80:
                unit, self._unit = b"".join(self._unit), []
                self.units.append(unit)
                found += self._decoder.decode(av.Packet(unit))
        return found

    def _payload(self, payload):
        if payload[0] & 0x1F != 28:
            self._unit += (b"\0\0\0\1", payload)
        elif payload[1] & 0x80:
            header = bytes((payload[0] & 0xE0 | payload[1] & 0x1F,))
            self._unit += (b"\0\0\0\1", header, payload[2:])
        else:
            self._unit.append(payload[2:])

    def lost(self):
        """Wait until the server hangs up."""
        with contextlib.suppress(ConnectionError):
            while True:
                self._message()


def _pair():
    """Two neighbouring UDP ports, the first one even."""
    while True:
        first = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        first.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        first.bind(("127.0.0.1", 0))
        port = first.getsockname()[1]
        second = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        if port % 2 or not _bound(second, port + 1):
            first.close()
            second.close()
            continue
        for one in (first, second):
            one.settimeout(LIMIT)
        return first, second


def _bound(one, port):
    try:
        one.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


def sender_report(packet):
    """``ssrc``, NTP time and RTP time of a sender report (RFC 3550, 6.4.1)."""
    version, kind, _, ssrc, ntp, rtp = struct.unpack("!BBHIQI", packet[:20])
    assert (version >> 6, kind) == (2, 200)
    return ssrc, ntp, rtp
