"""A film that is played, and a server that shows it: in this process, or as one of its own."""

from __future__ import annotations

import sys
import threading
import time
from fractions import Fraction

import av
import numpy as np
from attrs import define, field
from twisted.internet.defer import Deferred, fail, succeed

from rotoclear.media.rtsp.admission import Admission
from rotoclear.media.rtsp.connection import House
from rotoclear.media.rtsp.door import NotLetIn
from rotoclear.media.rtsp.server import RtspFactory
from rotoclear.media.rtsp.stream import Stream

RATE = 30
SIZE = (320, 240)
MARKS = 16


class Encoder:
    """Pictures whose number can be read: 16 black or white bars."""

    def __init__(self, size=SIZE, noise=False):
        self.size, self.noise = size, noise
        context = av.CodecContext.create("libx264", "w")
        context.width, context.height = size
        context.pix_fmt = "yuv420p"
        context.time_base, context.framerate = Fraction(1, RATE), Fraction(RATE)
        context.gop_size, context.max_b_frames = RATE * 10, 0
        context.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "forced-idr": "1",
            "x264-params": "repeat-headers=1:threads=1:scenecut=0",
        }
        self.context = context
        self.number = 0

    def next(self, key=False):
        width, height = self.size
        planes = np.full((height * 3 // 2, width), 128, np.uint8)
        if self.noise:
            planes[height // 2 : height] = np.random.default_rng(self.number).integers(
                16, 235, (height - height // 2, width), np.uint8
            )
        step = width // MARKS
        for bit in range(MARKS):
            shade = 235 if self.number >> bit & 1 else 16
            planes[: height // 2, bit * step : (bit + 1) * step] = shade
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts = self.number
        if key:
            frame.pict_type = av.video.frame.PictureType.I
        self.number += 1
        (packet,) = self.context.encode(frame)
        return bytes(packet), bool(packet.is_keyframe)


def number_in(luma):
    """The number that a decoded picture bears; ``luma`` has its rows."""
    height, width = luma.shape
    step = width // MARKS
    row = luma[height // 4]
    return sum(
        1 << bit
        for bit in range(MARKS)
        if row[bit * step + step // 2 : bit * step + step // 2 + 2].mean() > 125
    )


@define
class Guest:
    permissions: frozenset[str] = frozenset({"Media_r"})
    attached: list = field(factory=list)

    def attach(self, on_change):
        self.attached.append(on_change)

    def detach(self, on_change):
        self.attached.remove(on_change)

    def change(self, permissions):
        self.permissions = frozenset(permissions)
        for on_change in tuple(self.attached):
            on_change()


@define
class Door:
    """``joe`` has a password and a key; ``bob`` may not see pictures."""

    passwords: dict[str, str] = field(factory=lambda: {"joe": "correct horse", "bob": "bob"})
    keys: dict[str, str] = field(factory=lambda: {"joe": "k3y"})
    guests: dict[str, Guest] = field(
        factory=lambda: {"joe": Guest(), "bob": Guest(frozenset({"Device_r"}))}
    )
    late: int = 0
    asked: list[tuple[str, str]] = field(factory=list)

    def basic(self, username, password, address) -> Deferred[Guest]:
        self.asked.append((username, address))
        if self.late:
            return fail(NotLetIn("Too many failed logins", later=self.late))
        if self.passwords.get(username) == password:
            return succeed(self.guests[username])
        return fail(NotLetIn("Invalid credentials"))

    def digest(self, username, proves, address):
        self.asked.append((username, address))
        if username in self.keys and proves(self.keys[username]):
            return self.guests[username]
        raise NotLetIn("Invalid credentials")


@define(eq=False)
class Film:
    """Notes what is asked of it."""

    listeners: list[Stream] = field(factory=list)
    keyframes: int = 0

    def listen(self, listener, camera):
        self.listeners.append(listener)

    def unlisten(self, listener, camera):
        self.listeners.remove(listener)

    def keyframe(self, camera):
        self.keyframes += 1

    def play(self, data, time, key):
        for listener in tuple(self.listeners):
            listener.access_unit(data, time, key)


class Playing(Film):
    """Plays in real time while somebody listens, as the engine does; a keyframe when asked."""

    def __init__(self, reactor, encoder):
        super().__init__()
        self._reactor, self._encoder = reactor, encoder
        self._key = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def listen(self, listener, camera):
        super().listen(listener, camera)
        self._key.set()

    def keyframe(self, camera):
        self._key.set()

    def _run(self):
        due = time.monotonic()
        while True:
            due = max(due + 1 / RATE, time.monotonic() - 1)
            time.sleep(max(0, due - time.monotonic()))
            if self.listeners:
                key = self._key.is_set()
                self._key.clear()
                data, is_key = self._encoder.next(key)
                now = round(time.monotonic() * 10**9)
                self._reactor.callFromThread(self.play, data, now, is_key)


def house(reactor, film, door=None, offer="basic", anonymous=False, ports=(0, 0), missing=None):
    return House(
        reactor,
        Admission(reactor, door or Door(), offer, anonymous=anonymous),
        {"/live": Stream(reactor, film), "/cam1": Stream(reactor, film, 1)},
        missing or (lambda path: None),
        ports,
    )


def main(offer, size, noise):
    """A server of its own; prints its port."""
    from twisted.internet import reactor
    from twisted.python import log

    log.startLogging(sys.stderr, setStdout=False)
    reactor.seconds = time.monotonic
    width, height = map(int, size.split("x"))
    film = Playing(reactor, Encoder((width, height), noise == "noise"))
    shown = house(reactor, film, offer=offer, ports=(36_000, 36_399))
    port = reactor.listenTCP(0, RtspFactory(shown, 100), interface="127.0.0.1")
    print(port.getHost().port, flush=True)
    reactor.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
