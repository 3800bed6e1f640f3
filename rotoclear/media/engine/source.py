"""The frames of one camera, as they come from its driver's process."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Final

from rotoclear.devices.ring import BadPacket, NoPictures, Picture, Reader, ViewEnded

TIMEOUT: Final = 0.5
"""Seconds between two looks at whether it is still wanted."""


class Source(threading.Thread):
    """
    The thread that takes them out of the ring.

    :param connection: the viewer's end; closed in the end.
    :param deliver: called with each frame.
    :param silent: called when there are none for the moment.
    :param ended: called when there will be no more, if that was not asked for.
    :ivar lost: frames that the camera has taken and that never came.
    """

    def __init__(
        self,
        connection: socket.socket,
        deliver: Callable[[Picture], None],
        silent: Callable[[], None],
        ended: Callable[[], None],
    ) -> None:
        super().__init__(name="frames", daemon=True)
        self._reader = Reader(connection)
        self._deliver = deliver
        self._silent = silent
        self._ended = ended
        self._wanted = True
        self.lost = 0

    def end(self) -> None:
        """Let go of the camera, soon."""
        self._wanted = False

    def run(self) -> None:
        expected = 0
        try:
            while self._wanted:
                try:
                    frame = self._reader.next(TIMEOUT)
                except TimeoutError:
                    continue
                except NoPictures:
                    if self._wanted:
                        self._silent()
                    continue
                # It counts from 0 again when the camera was stopped meanwhile.
                if 0 < expected < frame.sequence:
                    self.lost += frame.sequence - expected
                expected = frame.sequence + 1
                if self._wanted:
                    self._deliver(frame)
        except (ViewEnded, BadPacket):
            if self._wanted:
                self._ended()
        finally:
            self._reader.close()
