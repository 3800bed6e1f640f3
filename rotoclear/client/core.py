"""
The client's side of the protocol: everything but sockets and waiting.

It is told what happens (a connection, a message, a moment) and says what is to
be done through its :class:`~rotoclear.client.port.Port`. Both faces, the one of
asyncio and the one of Twisted, run this.

After connecting, it logs in, asks for the whole state, and is *ready*: from then
on what it knows is so. When the connection is lost it connects again, a little
later each time, logs in with the token (with the password if the token is
refused and there is one), and asks for the state anew: who watches is told of
what has changed meanwhile. If nothing has been heard for a while it asks a question; if that is
not answered either, the connection is taken for lost.

A login that is refused for good ends it: nobody goes on as somebody else than
they think they are.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final, TypeVar

from attrs import define, evolve, field

from rotoclear.client.backoff import Backoff
from rotoclear.client.credentials import Credentials
from rotoclear.client.errors import (
    ClientError,
    Closed,
    ConnectionFailed,
    Disconnected,
    LoginRefused,
    TimedOut,
    TooManyAttempts,
    login_refusal,
)
from rotoclear.client.port import Line, Port, Timer
from rotoclear.client.promise import Promise
from rotoclear.client.queries import Queries, Query
from rotoclear.client.updates import Change, Updates
from rotoclear.client.watching import Feed, State
from rotoclear.client.wire import (
    API_PATH,
    Login,
    Message,
    decode,
    encode,
    login_of,
    permissions_of,
    state_of,
)
from rotoclear.values import Value

log = logging.getLogger("rotoclear.client")

T = TypeVar("T")


class ConnectionState(Enum):
    """How it stands with the connection."""

    CLOSED = "closed"
    """It is not used, or has ended for good."""
    CONNECTING = "connecting"
    """It is being made; logging in included."""
    READY = "ready"
    """It is there, and what is known of the state is so."""
    WAITING = "waiting"
    """It was lost or could not be made; after a pause it is tried again."""


@define(kw_only=True)
class Options:
    """
    What can be set.

    :ivar timeout: seconds for a request, from when it is made; ``None``: any time.
    :ivar throttle: seconds between two updates of a key.
    :ivar queue: requests that may wait for a connection.
    :ivar reconnect: whether to connect again.
    :ivar keep_password: keep a password behind the login that it was given for.
    :ivar connect_timeout: seconds from dialling to being ready.
    :ivar silence: seconds without a message after which a question is asked.
    :ivar patience: seconds that its answer may take.
    """

    timeout: float | None = 10.0
    throttle: float = 0.05
    queue: int = 256
    reconnect: bool = True
    keep_password: bool = True
    connect_timeout: float = 10.0
    silence: float = 10.0
    patience: float = 10.0


class Core:
    """
    See the module.

    :param random: numbers from 0 to 1, for the pauses.
    :ivar state: how it stands.
    :ivar failure: why it is not ready, if it is not.
    :ivar login: who one is now.
    :ivar values: the state as it was told.
    """

    def __init__(
        self, port: Port, credentials: Credentials, options: Options, random: Callable[[], float]
    ) -> None:
        self._port = port
        self._credentials = credentials
        self._options = options
        self._backoff = Backoff(random)
        self.state = ConnectionState.CLOSED
        self.failure: ClientError | None = None
        self.login = Login()
        self.values = State()
        self._updates = Updates(
            port, self._send_change, self.values.learn, options.throttle, options.queue
        )
        self._queries = Queries(self._send_query, options.queue)
        self._link: _Link | None = None
        self._line: Line | None = None
        self._fail_fast = False
        self._finished = False
        self._ready_since = 0.0
        self._answers: dict[str, Callable[[Message], bool]] = {}
        self._number = 0
        self._heard = 0.0
        self._timer: Timer | None = None
        self._liveness: Timer | None = None
        self._trying: Promise[Login] | None = None
        self._waiters: list[Promise[None]] = []
        self._states: list[Feed[ConnectionState]] = []

    # -- beginning and end -----------------------------------------------

    def start(self, *, fail_fast: bool = False) -> None:
        """
        Connect, and stay connected.

        :param fail_fast: if the first connection cannot be made, end.
        :raises Closed: it was closed, and has forgotten who one is.
        """
        if self._finished:
            raise Closed("The client was closed; log in anew, or make another one")
        if self.state is ConnectionState.CLOSED:
            self._fail_fast = fail_fast
            self._backoff.forget()
            self._dial()

    def close(self, error: ClientError | None = None) -> None:
        """
        End. What still waits fails.

        :param error: why, if nobody wanted it.
        """
        self._drop()
        self._stop_timer()
        self.failure = error
        self.login = Login()
        if error is None:
            # To connect again would be to connect as nobody.
            self._finished = not self._credentials.anonymous
            self._credentials.forget()
        reason = error or Closed("The client was closed")
        self._set_state(ConnectionState.CLOSED)
        self._updates.fail(reason)
        self._queries.fail(reason)
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.break_(reason)
        self.values.end(error)
        states, self._states = self._states, []
        for feed in states:
            feed.end()

    def until_ready(self) -> Promise[None]:
        """Kept when it is ready, broken when it never will be."""
        promise: Promise[None] = Promise()
        if self.state is ConnectionState.READY:
            promise.keep(None)
        elif self.state is ConnectionState.CLOSED:
            promise.break_(self._why_closed())
        else:
            self._waiters.append(promise)
        return promise

    def states(self) -> Feed[ConnectionState]:
        """What it is now, and then each change."""
        feed: Feed[ConnectionState] = Feed()
        feed.put(self.state)
        self._states.append(feed)
        return feed

    def forget_states(self, feed: Feed[ConnectionState]) -> None:
        """Nobody reads that any more."""
        self._states = [other for other in self._states if other is not feed]

    # -- requests --------------------------------------------------------

    def query(self, keys: tuple[str, ...] | None) -> Promise[dict[str, Value]]:
        """Ask for the values of some keys, or of all that can be read."""
        promise, allowed = self._promise(self._queries.withdrawn)
        if allowed:
            self._queries.add(keys, promise)
        return promise

    def update(self, values: Mapping[str, object]) -> Promise[dict[str, Value]]:
        """
        Set some keys.

        :raises ValueError: a value is none, or there are none.
        """
        if not values:
            raise ValueError("There is nothing to set")
        encode(values)
        promise, allowed = self._promise(self._updates.withdrawn)
        if allowed:
            self._updates.add(values, promise)
        return promise

    def log_in(self, credentials: Credentials) -> Promise[Login]:
        """
        Be somebody else from now on; connects if that is needed.

        When it is refused, it stays as it was.
        """
        promise: Promise[Login] = Promise()
        if self.state is ConnectionState.READY:
            self._try_login(credentials, promise)
            return promise
        self._credentials = credentials
        self._finished = False
        self.start(fail_fast=True)
        self.until_ready().then(lambda _: promise.keep(self.login), promise.break_)
        return promise

    def log_out(self) -> str | None:
        """Keep nothing to log in with; return the token, to be ended."""
        token = self._credentials.token
        self._credentials.forget()
        self.login = evolve(self.login, token=None)
        return token

    @property
    def token(self) -> str | None:
        """The token to log in with, if there is one."""
        return self._credentials.token

    def _promise(self, withdrawn: Callable[[], None]) -> tuple[Promise[dict[str, Value]], bool]:
        timeout = self._options.timeout
        promise: Promise[dict[str, Value]] = Promise(withdrawn)
        if self.state is ConnectionState.CLOSED:
            promise.break_(self._why_closed())
            return promise, False
        if timeout is not None:
            promise.expire(self._port, timeout, lambda: self._too_late(timeout))
        return promise, True

    def _too_late(self, timeout: float) -> TimedOut:
        if self.state is ConnectionState.READY:
            return TimedOut(f"No answer within {timeout:g} s")
        reason = f": {self.failure}" if self.failure else ""
        return TimedOut(f"No connection within {timeout:g} s{reason}")

    def _why_closed(self) -> ClientError:
        return self.failure or Closed("The client is not connected")

    # -- connecting ------------------------------------------------------

    def _dial(self) -> None:
        self._set_state(ConnectionState.CONNECTING)
        self._link = _Link(self)
        self._line = self._port.dial(API_PATH, self._link)
        self._set_timer(self._options.connect_timeout, self._connecting_takes_too_long)

    def _connecting_takes_too_long(self) -> None:
        seconds = self._options.connect_timeout
        self._gone(ConnectionFailed(f"The server did not answer within {seconds:g} s"))

    def opened(self) -> None:
        """There is a connection."""
        self._answers.clear()
        self._heard = self._port.now()
        self._log_in()

    def _log_in(self) -> None:
        try:
            message = self._credentials.message()
        except Exception as error:  # noqa: BLE001 - the user's own function
            self.close(LoginRefused(f"There is no password: {error}"))
            return
        if message is None:
            self.login = Login()
            self._synchronise()
        else:
            self._ask(message, self._login_answered)

    def _login_answered(self, answer: Message) -> bool:
        if answer.get("authenticated") is True:
            self.login = login_of(answer)
            if self.login.token is not None:
                self._credentials.accepted(self.login.token, self.login.username)
            self._synchronise()
            return True
        error = login_refusal(answer)
        if isinstance(error, TooManyAttempts):
            self._gone(error, error.retry_after)
        elif self._credentials.refused():
            self._log_in()
        else:
            self.close(error)
        return True

    def _synchronise(self) -> None:
        self._ask({"get": "*"}, self._synchronised)

    def _synchronised(self, answer: Message) -> bool:
        if "error" not in answer:
            self.values.replace(state_of(answer))
        if self.state is ConnectionState.CONNECTING:
            self._ready()
        return True

    def _ready(self) -> None:
        self._stop_timer()
        self.failure = None
        self._fail_fast = False
        self._ready_since = self._port.now()
        self._listen()
        self._set_state(ConnectionState.READY)
        self._updates.opened()
        self._queries.opened()
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.keep(None)

    def lost(self, error: ClientError) -> None:
        """The connection could not be made, or has ended."""
        self._line = None
        self._gone(error)

    def _gone(self, error: ClientError, at_least: float = 0.0) -> None:
        was_ready = self.state is ConnectionState.READY
        good_for = self._port.now() - self._ready_since if was_ready else 0.0
        self._drop()
        if self._fail_fast or not self._options.reconnect:
            self.close(error)
            return
        delay = max(self._backoff.delay(good_for), at_least)
        log.info("no connection: %s; next try in %.1f s", error, delay)
        self.failure = error
        self._set_state(ConnectionState.WAITING)
        self._updates.lost()
        self._queries.lost()
        self._set_timer(delay, self._dial)

    def _drop(self) -> None:
        line, self._line, self._link = self._line, None, None
        self._abandon_login()
        if self._liveness is not None:
            self._liveness.cancel()
            self._liveness = None
        if line is not None:
            line.drop()

    def is_current(self, link: _Link) -> bool:
        """Whether that is the connection that counts."""
        return link is self._link

    # -- messages --------------------------------------------------------

    def received(self, data: str | bytes) -> None:
        """A message has come."""
        self._heard = self._port.now()
        message = decode(data) if isinstance(data, str) else None
        if message is None:
            self._gone(ConnectionFailed("What answers there is no rotoclear server"))
            return
        number = message.pop("id", None)
        if number is not None:
            answer = self._answers.get(str(number))
            if answer is not None and answer(message):
                self._answers.pop(str(number), None)
        elif "authenticated" in message:
            self._rights_changed(message)
        elif "error" in message:
            log.warning("the server complains: %s", message.get("message") or message["error"])
        else:
            values = state_of(message)
            self._updates.broadcast(values)
            self.values.learn(values)

    def _rights_changed(self, message: Message) -> None:
        if message["authenticated"] is True:
            self.login = evolve(self.login, permissions=permissions_of(message))
            self._synchronise()
        elif self._credentials.anonymous:
            self.login = Login(permissions=permissions_of(message))
            self._synchronise()
        elif self._credentials.refused():
            self._log_in()
        else:
            self.close(LoginRefused("The server has ended the session; log in again"))

    def _try_login(self, credentials: Credentials, promise: Promise[Login]) -> None:
        message = credentials.message()
        if message is None:
            raise ValueError("There is nothing to log in with")

        def answered(answer: Message) -> bool:
            if answer.get("authenticated") is True:
                self._credentials = credentials
                self._login_answered(answer)
                promise.keep(self.login)
            else:
                promise.break_(login_refusal(answer))
            return True

        self._abandon_login()
        self._trying = promise
        promise.expire(
            self._port, self._options.connect_timeout, lambda: TimedOut("No answer to the login")
        )
        self._ask(message, answered)

    def _abandon_login(self) -> None:
        if self._trying is not None:
            self._trying.break_(Disconnected("The login was not answered any more"))
            self._trying = None

    def _send_change(self, change: Change) -> None:
        self._ask(change.values, lambda answer: self._updates.answered(change, answer))

    def _send_query(self, query: Query) -> None:
        self._ask({"get": query.asked}, lambda answer: self._queries.answered(query, answer))

    def _ask(self, message: Mapping[str, object], answered: Callable[[Message], bool]) -> None:
        """
        Send a message.

        :param answered: called with each answer to it, until it says that
            that was the last.
        """
        self._number += 1
        number = f"r{self._number}"
        self._answers[number] = answered
        if self._line is not None:
            self._line.send(encode({**message, "id": number}))

    # -- signs of life ---------------------------------------------------

    def _listen(self) -> None:
        """Look whether it has been silent for too long."""
        self._liveness = None
        silent = self._port.now() - self._heard
        if silent < self._options.silence:
            self._liveness = self._port.call_later(self._options.silence - silent, self._listen)
            return
        asked = self._port.now()
        self._ask({"get": []}, lambda answer: True)

        def judge() -> None:
            self._liveness = None
            if self._heard < asked:
                self._gone(Disconnected("The server gives no sign of life"))
            else:
                self._listen()

        self._liveness = self._port.call_later(self._options.patience, judge)

    # -- small things ----------------------------------------------------

    def _set_state(self, state: ConnectionState) -> None:
        if state is not self.state:
            self.state = state
            for feed in list(self._states):
                feed.put(state)

    def _set_timer(self, delay: float, function: Callable[[], None]) -> None:
        self._stop_timer()

        def due() -> None:
            self._timer = None
            function()

        self._timer = self._port.call_later(delay, due)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


@define(eq=False)
class _Link:
    """One connection: what is told of one that is no longer used is not heard."""

    _core: Core = field()

    def opened(self) -> None:
        if self._core.is_current(self):
            self._core.opened()

    def received(self, data: str | bytes) -> None:
        if self._core.is_current(self):
            self._core.received(data)

    def lost(self, error: ClientError) -> None:
        if self._core.is_current(self):
            self._core.lost(error)


__all__: Final = ["ConnectionState", "Core", "Options"]
