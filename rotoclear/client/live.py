"""The live picture: a connection of its own, of which only the newest picture is kept."""

from __future__ import annotations

import json
from collections.abc import Callable

from attrs import field, frozen

from rotoclear.client.backoff import Backoff
from rotoclear.client.core import Options
from rotoclear.client.errors import (
    ClientError,
    ConnectionFailed,
    Disconnected,
    LoginRefused,
    TooManyAttempts,
    login_refusal,
    refusal,
)
from rotoclear.client.port import Line, Port, Timer
from rotoclear.client.promise import Promise
from rotoclear.client.wire import LIVE_PATH, decode, encode


@frozen
class Frame:
    """
    A picture.

    :ivar jpeg: the whole file.
    :ivar number: counts the pictures that the server has made; a gap is what was missed.
    :ivar taken: when, in seconds since 1970 by the server's clock.
    """

    jpeg: bytes = field(repr=False)
    number: int = 0
    taken: float = 0.0


def frame_of(jpeg: bytes) -> Frame:
    """A picture, with what its comment says of it (a COM segment, ITU-T T.81 B.2.4.5)."""
    at = 2
    while jpeg[at : at + 1] == b"\xff" and len(jpeg) >= at + 4:
        marker, length = jpeg[at + 1], int.from_bytes(jpeg[at + 2 : at + 4], "big")
        if marker == 0xDA or length < 2:
            break
        if marker == 0xFE:
            try:
                said = json.loads(jpeg[at + 4 : at + 2 + length])
                return Frame(jpeg, int(said["number"]), float(said["taken"]))
            except (ValueError, KeyError, TypeError):
                pass
        at += 2 + length
    return Frame(jpeg)


class Live:
    """
    Pictures, for one who takes them one by one.

    It connects when the first is asked for, and again when the connection is lost.

    :param token: what to log in with, asked each time.
    :param random: numbers from 0 to 1, for the pauses.
    """

    def __init__(
        self,
        port: Port,
        token: Callable[[], str | None],
        options: Options,
        random: Callable[[], float],
    ) -> None:
        self._port = port
        self._token = token
        self._options = options
        self._backoff = Backoff(random)
        self._link: _LiveLink | None = None
        self._line: Line | None = None
        self._timer: Timer | None = None
        self._good_since: float | None = None
        self._heard = 0.0
        self._seen = False
        self._newest: Frame | None = None
        self._reader: Promise[Frame] | None = None
        self._begun = False
        self._error: ClientError | None = None

    def next(self) -> Promise[Frame]:
        """A picture that is newer than the last one."""
        promise: Promise[Frame] = Promise()
        newest, self._newest = self._newest, None
        if self._error is not None:
            promise.break_(self._error)
        elif newest is not None:
            promise.keep(newest)
        else:
            self._reader = promise
            if not self._begun:
                self._begun = True
                self._dial()
        return promise

    def end(self, error: ClientError) -> None:
        """No more of them."""
        self._drop()
        self._error = error
        self._newest = None
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.break_(error)

    # -- the connection --------------------------------------------------

    def _dial(self) -> None:
        self._link = _LiveLink(self)
        self._line = self._port.dial(LIVE_PATH, self._link)
        self._set_timer(self._options.connect_timeout, self._silent)

    def opened(self) -> None:
        """Log in."""
        self._log_in()

    def _log_in(self) -> None:
        token = self._token()
        if token is None:
            self.end(LoginRefused("Seeing the live picture takes a login"))
        elif self._line is not None:
            self._line.send(encode({"token": token}))

    def received(self, data: str | bytes) -> None:
        """A picture, or who we are."""
        self._heard = self._port.now()
        if isinstance(data, bytes):
            self._picture(frame_of(data))
            return
        message = decode(data)
        if message is None:
            self.lost(ConnectionFailed("What answers there is no rotoclear server"))
        elif message.get("authenticated") is False and "error" in message:
            error = login_refusal(message)
            if isinstance(error, TooManyAttempts):
                self._again(error, error.retry_after)
            else:
                self.end(error)
        elif message.get("authenticated") is False:
            # The session has ended; the client itself may have logged in anew.
            self.lost(Disconnected("The server has ended the session"))
        elif "error" in message:
            self.end(refusal(message["error"], message.get("key"), message.get("message")))
        elif self._good_since is None:
            self._good_since = self._heard
            self._listen()

    def _picture(self, frame: Frame) -> None:
        self._seen = True
        reader, self._reader = self._reader, None
        if reader is not None and not reader.done:
            reader.keep(frame)
        else:
            self._newest = frame

    def lost(self, error: ClientError) -> None:
        """The connection could not be made, or has ended."""
        self._again(error, 0.0)

    def _again(self, error: ClientError, at_least: float) -> None:
        good_since = self._good_since
        self._drop()
        if not self._options.reconnect or not self._seen:
            self.end(error)
            return
        good_for = 0.0 if good_since is None else self._port.now() - good_since
        self._set_timer(max(self._backoff.delay(good_for), at_least), self._dial)

    def _drop(self) -> None:
        line, self._line, self._link = self._line, None, None
        self._good_since = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if line is not None:
            line.drop()

    # -- signs of life ---------------------------------------------------

    def _listen(self) -> None:
        """While a camera is away there are no pictures: a login, too, is answered."""
        silent = self._port.now() - self._heard
        if silent < self._options.silence:
            self._set_timer(self._options.silence - silent, self._listen)
            return
        asked = self._port.now()
        self._log_in()

        def judge() -> None:
            if self._heard < asked:
                self._silent()
            else:
                self._listen()

        if self._line is not None:
            self._set_timer(self._options.patience, judge)

    def _silent(self) -> None:
        self.lost(Disconnected("The server gives no sign of life"))

    def _set_timer(self, delay: float, function: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()

        def due() -> None:
            self._timer = None
            function()

        self._timer = self._port.call_later(delay, due)

    def is_current(self, link: _LiveLink) -> bool:
        """Whether that is the connection that counts."""
        return link is self._link


class _LiveLink:
    """One connection."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def opened(self) -> None:
        if self._live.is_current(self):
            self._live.opened()

    def received(self, data: str | bytes) -> None:
        if self._live.is_current(self):
            self._live.received(data)

    def lost(self, error: ClientError) -> None:
        if self._live.is_current(self):
            self._live.lost(error)
