"""
The film of one head alone, whatever the view shows.

While the view shows this head and nothing else, and is encoded anyhow, it is the
recorder's own film; else another encoder makes it. It changes from one to the other
with a keyframe, so that whoever watches sees one film.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable
from typing import Final

from rotoclear.media.engine import wire
from rotoclear.media.engine.encode import Encoded, EncoderError
from rotoclear.media.engine.encoding import Encoding
from rotoclear.media.engine.pictures import PULSE, Picture

WAITING: Final = 3
"""Pictures that may wait for the encoder; those beyond are dropped."""

NICE: Final = 5
"""How much the encoder gives way to others (``setpriority``): to that of the recorder."""


class Track(threading.Thread):
    """
    The thread that encodes it when it has to; a sink for the head's own pictures.

    :param camera: the head's number.
    :param encoded: whether the view is being encoded for something else.
    :param send: given each encoded picture, and when it was taken.
    :param complain: told of encoders that do not work.
    :ivar alive: when it last looked around.
    :ivar dropped: pictures that came too quickly for the encoder.
    """

    def __init__(
        self,
        camera: int,
        encoded: Callable[[], bool],
        send: Callable[[Encoded, int], None],
        complain: Callable[[str], None],
    ) -> None:
        super().__init__(name=f"track {camera}", daemon=True)
        self._view_encoded = encoded
        self._send = send
        self._complain = complain
        self._pictures: queue.SimpleQueue[Picture | None] = queue.SimpleQueue()
        self._room = threading.Semaphore(WAITING)
        self._lock = threading.Lock()
        self._stream = wire.Stream(False, wire.Plan(), camera)
        self._key = False
        self._shared = False
        self._from_view = False
        self.alive = time.monotonic()
        self.dropped = 0

    # -- from other threads ----------------------------------------------

    @property
    def on(self) -> bool:
        """Somebody watches."""
        return self._stream.on

    def order(self, message: wire.Stream | wire.Keyframe) -> None:
        """Do this, from the next picture on."""
        with self._lock:
            self._key = True
            if isinstance(message, wire.Stream):
                self._stream = message
                self._shared = self._from_view = False
        self._pictures.put(None)

    def wants(self, alone: bool) -> bool:
        """
        Whether it wants the head's next picture: not if the view's film has it.

        :param alone: the view shows this head and nothing else.
        """
        with self._lock:
            self._shared = self._stream.on and alone and self._view_encoded()
            return self._stream.on and not self._shared

    def put(self, picture: Picture) -> None:
        """One of the head's, in the size of the view."""
        if self._room.acquire(blocking=False):
            self._pictures.put(picture)
        else:
            self.dropped += 1

    def wants_key(self) -> bool:
        """Whether the view's next picture has to be a keyframe for it."""
        with self._lock:
            wanted = self._shared and (self._key or not self._from_view)
            self._key = self._key and not wanted
            return wanted

    def relay(self, encoded: Encoded, taken: int) -> None:
        """An encoded picture of the view, which shows this head alone."""
        with self._lock:
            if self._shared and encoded.key:
                self._from_view = True
            if self._stream.on and self._from_view:
                self._send(encoded, taken)

    # -- the thread ------------------------------------------------------

    def run(self) -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        encoding = Encoding()
        while True:
            self.alive = time.monotonic()
            try:
                picture = self._pictures.get(timeout=PULSE)
            except queue.Empty:
                continue
            if picture is not None:
                self._room.release()
                self._encode(encoding, picture)
            elif not self._stream.on:
                encoding = Encoding()

    def _encode(self, encoding: Encoding, picture: Picture) -> None:
        with self._lock:
            if not self._stream.on:
                return
            plan, key = self._stream.plan, self._key or self._from_view
            self._key = False
        try:
            units = encoding.encode(plan, picture, key=key)
        except EncoderError as error:
            self._complain(str(error))
            return
        for unit in units:
            self._own(unit.encoded, unit.taken)

    def _own(self, encoded: Encoded, taken: int) -> None:
        with self._lock:
            if not self._shared and encoded.key:
                self._from_view = False
            if self._stream.on and not self._from_view:
                self._send(encoded, taken)
