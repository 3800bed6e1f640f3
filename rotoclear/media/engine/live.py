"""Live pictures: one JPEG of each, or of as many as there is time for."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Final

from rotoclear.media.engine.pictures import PULSE, Picture
from rotoclear.pixels.convert import to_jpeg

NICE: Final = 5


class Live(threading.Thread):
    """
    The thread that encodes them; a sink that takes the newest picture only.

    :param send: given each JPEG and its picture's time.
    :ivar alive: when it last looked around.
    :ivar quality: 1 to 100; 0: nobody looks.
    """

    def __init__(self, send: Callable[[bytes, int], None]) -> None:
        super().__init__(name="live", daemon=True)
        self._send = send
        self._newest: Picture | None = None
        self._changed = threading.Condition()
        self.alive = time.monotonic()
        self.quality = 0

    def wants(self) -> bool:
        """See :class:`~rotoclear.media.engine.pictures.Sink`; so the other."""
        return self.quality > 0

    def put(self, picture: Picture) -> None:
        with self._changed:
            self._newest = picture
            self._changed.notify()

    def run(self) -> None:
        # On Linux a thread has a niceness of its own (setpriority(2)): viewers miss pictures
        # before the film does.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        while True:
            self.alive = time.monotonic()
            with self._changed:
                self._changed.wait_for(lambda: self._newest, PULSE)
                picture, self._newest = self._newest, None
            if picture is not None and self.quality:
                self._send(to_jpeg(picture.planes, self.quality), picture.time)
