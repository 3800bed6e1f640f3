"""The engine, put together: what the server asks for, and the threads that do it."""

from __future__ import annotations

import logging
import os
import queue
import socket
import threading
import time
from collections import deque
from functools import partial
from typing import Final

from rotoclear.media.engine import stills, wire
from rotoclear.media.engine.encode import Encoded, available
from rotoclear.media.engine.live import Live
from rotoclear.media.engine.packets import Packets
from rotoclear.media.engine.pictures import Picture, Pictures
from rotoclear.media.engine.recording import Recording
from rotoclear.media.engine.source import Source
from rotoclear.media.engine.track import Track
from rotoclear.pixels.convert import to_jpeg
from rotoclear.processes.framing import pack

BEAT: Final = 0.25
"""Seconds between two signs of life."""

STUCK: Final = 2.0
"""Seconds after which a thread that does not look around is stuck: there are no more signs."""

QUIET: Final = 10.0
"""Seconds between two complaints about frames that make no sense."""

STILLS: Final = 8
"""Pictures that may be on their way to a volume; more mean that it hangs."""


class Engine:
    """
    See the module.

    :param control: leads to the server.
    :param packets: sends encoded pictures to it.
    """

    def __init__(self, control: socket.socket, packets: Packets) -> None:
        self._control = control
        self._sending: queue.SimpleQueue[wire.FromEngine] = queue.SimpleQueue()
        self._packets = packets
        self._sources: dict[int, Source] = {}
        self._stills = threading.Semaphore(STILLS)
        self._complained = -QUIET
        self._pictures = Pictures(self._complain)
        self._tracks = {camera: self._track(camera) for camera in wire.STREAMS if camera}
        self._recording = Recording(self, partial(self._encoded, 0), self._tracks)
        self._live = Live(packets.jpeg)
        self._pictures.add(self._recording)
        self._pictures.add(self._live)

    def _track(self, camera: int) -> Track:
        track = Track(
            camera,
            lambda: self._recording.wants(),
            partial(self._encoded, camera),
            self._complain,
        )
        self._pictures.add_head(camera, track)
        return track

    def start(self) -> None:
        """Start the threads, and say so."""
        for thread in (self._packets, self._pictures, self._recording, self._live):
            thread.start()
        for track in self._tracks.values():
            track.start()
        self.send(wire.Ready(available()))
        for work in (self._tell, self._beat):
            threading.Thread(target=work, name=work.__name__, daemon=True).start()

    # -- for whoever has something to say ----------------------------------

    def send(self, message: wire.FromEngine) -> None:
        """
        Tell the server; never blocks.

        See :class:`~rotoclear.media.engine.recording.Reporter`.
        """
        self._sending.put(message)

    def _tell(self) -> None:
        """The thread that does: the server may take its time."""
        try:
            while True:
                self._control.sendall(pack(self._sending.get(), wire.MAX_MESSAGE))
        except OSError:
            os._exit(0)  # the server has gone

    def answer(self, request: int, result: object = None) -> None:
        """What was asked is done."""
        self.send(wire.Answer(request, result))

    def refuse(self, request: int, message: str) -> None:
        """What was asked went wrong."""
        self.send(wire.Refused(request, message))

    def _complain(self, text: str) -> None:
        now = time.monotonic()
        if now - self._complained > QUIET:
            self._complained = now
            self.send(wire.Log(logging.WARNING, text))

    # -- what is asked -----------------------------------------------------

    def do(self, message: wire.ToEngine, connection: socket.socket | None = None) -> None:
        """
        Do what the server asks for; never blocks.

        :param connection: that came with a :class:`~rotoclear.media.engine.wire.Source`.
        """
        match message:
            case wire.Source(number, look):
                if connection is not None:
                    self._see(number, look, connection)
            case wire.NoSource(number):
                self._let_go(number)
            case wire.View():
                self._pictures.show(message)
            case wire.Live(quality):
                self._live.quality = quality
            case wire.Stream(camera=camera) | wire.Keyframe(camera) if camera in self._tracks:
                self._tracks[camera].order(message)
            case wire.Look(request, quality, camera):
                self._pictures.once(partial(self._looked, request, quality), camera)
            case wire.Snap():
                self._pictures.once(partial(self._snap, message))
            case _:
                self._recording.order(message)

    def _see(self, number: int, look: int, connection: socket.socket) -> None:
        self._let_go(number)
        source = Source(
            connection,
            partial(self._pictures.deliver, number),
            partial(self._pictures.forget, number),
            partial(self._unseen, number, look),
        )
        self._sources[number] = source
        source.start()

    def _let_go(self, number: int) -> None:
        source = self._sources.pop(number, None)
        if source is not None:
            source.end()
        self._pictures.forget(number)

    def _unseen(self, number: int, look: int) -> None:
        self._pictures.forget(number)
        self.send(wire.Unseen(look))

    def _encoded(self, camera: int, encoded: Encoded, taken: int) -> None:
        self._packets.h264(encoded.data, taken, key=encoded.key, camera=camera)

    # -- single pictures: each in a thread, for a volume may hang -----------

    def _looked(self, request: int, quality: int, picture: Picture) -> None:
        def work() -> None:
            self.answer(request, to_jpeg(picture.planes, quality))

        threading.Thread(target=work, name="look", daemon=True).start()

    def _snap(self, snap: wire.Snap, picture: Picture) -> None:
        if self._stills.acquire(blocking=False):
            threading.Thread(target=self._store, args=(snap, picture), daemon=True).start()
        else:
            self.refuse(snap.request, "The volume does not answer")

    def _store(self, snap: wire.Snap, picture: Picture) -> None:
        try:
            age = (time.monotonic_ns() - picture.time) / 1e9
            self.answer(snap.request, stills.store(picture.planes, snap, time.time() - age))
        except OSError as error:
            self.refuse(snap.request, f"The picture cannot be stored: {error.strerror or error}")
        finally:
            self._stills.release()

    # -- signs of life -----------------------------------------------------

    def _beat(self) -> None:
        history = deque([(time.monotonic(), 0)], maxlen=round(1 / BEAT))
        while True:
            time.sleep(BEAT)
            now = time.monotonic()
            tracks = tuple(self._tracks.values())
            alive = [thread.alive for thread in (self._pictures, self._recording, self._live)]
            if now - min(*alive, *(track.alive for track in tracks)) > STUCK:
                continue
            frames = self._pictures.made
            then, made = history[0]
            rate = (frames - made) / (now - then)
            history.append((now, frames))
            lost = sum(source.lost for source in tuple(self._sources.values()))
            self.send(
                wire.Beat(
                    frames=frames,
                    dropped=self._pictures.dropped
                    + self._recording.dropped
                    + sum(track.dropped for track in tracks)
                    + lost,
                    rate=round(rate, 1),
                    recording=self._recording.state,
                    written=self._recording.written,
                )
            )
            if (progress := self._recording.progress) is not None:
                self.send(progress)
