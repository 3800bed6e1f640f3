"""Somebody who looks at the live picture, as bytes."""

from __future__ import annotations

import json
import threading
import time
from contextlib import ExitStack
from typing import Self

import numpy as np
import simplejpeg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from rotoclear.pixels.marks import Mark, Unreadable, read_luma


class Viewer:
    """
    A connection to ``/api/live``; a context manager.

    :param address: of the server: ``HOST:PORT``.
    :ivar pictures: how many have come.
    """

    def __init__(self, address: str, token: str) -> None:
        self._stack = ExitStack()
        self._socket = self._stack.enter_context(
            connect(f"ws://{address}/api/live", max_size=None, compression=None, max_queue=4)
        )
        self._socket.send(json.dumps({"token": token}))
        assert json.loads(self._socket.recv(timeout=10))["authenticated"] is True
        self._newest = b""
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.pictures = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        self._thread.join(10)

    def _run(self) -> None:
        try:
            for picture in self._socket:
                if isinstance(picture, bytes):
                    with self._changed:
                        self._newest = picture
                        self.pictures += 1
                        self._changed.notify_all()
        except ConnectionClosed:
            pass

    def shown(self) -> float:
        """When the picture that it shows was taken, in seconds of ``CLOCK_MONOTONIC``."""
        with self._changed:
            picture = self._newest
        return marked(picture).time / 1000

    def since(self, moment: float, limit: float) -> float:
        """
        Wait for a picture that was taken later than that; return when it was here.

        :param moment: seconds of ``CLOCK_MONOTONIC``, as what is returned.
        :raises AssertionError: none has come within ``limit`` seconds.
        """
        late = time.monotonic() + limit
        while True:
            with self._changed:
                seen = self.pictures
                assert self._changed.wait_for(
                    lambda seen=seen: self.pictures > seen,  # type: ignore[misc]
                    max(0.0, late - time.monotonic()),
                ), f"no picture in {limit} s"
                now, picture = time.monotonic(), self._newest
            if marked(picture).time / 1000 > moment:
                return now


def marked(jpeg: bytes) -> Mark:
    """What a live picture says of itself."""
    grey = simplejpeg.decode_jpeg(jpeg, "GRAY")
    try:
        return read_luma(np.ascontiguousarray(grey[:, :, 0]))
    except Unreadable as error:
        raise AssertionError(str(error)) from None
