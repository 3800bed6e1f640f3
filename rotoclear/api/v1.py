"""
The protocol of ``/api/v1``: what a message means and how it is answered.

A message is a JSON object, its kind told by its keys::

    {"username": U, "password": P}  or  {"token": T}      login
    {KEY: value, ...}                                     update
    {"get": [KEY, ...]}  or  {"get": "*"}                 query

One object may mix them; it is worked through in this order, and a refused
login ends it there. ``id`` comes back in every answer to its message. The
answers:

    login    {"authenticated": true, "permissions": [...], "username": U,
              "role": R, "token": T, "expires": ISO-8601}, or
             {"authenticated": false, "error": E, ...}
    update   {KEY: value, ..., "info": [KEY, ...]}, then an error a refused key
    query    {KEY: value, ...}, then an error a refused key
    error    {"error": E, "key": K, "message": M}

Nothing here knows of sockets: bytes come in through :meth:`Conversation.handle`,
objects go out through the ``send`` that it was given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from rotoclear.api.context import ApiContext
from rotoclear.api.strict_json import ID_RULE, MAX_KEYS, InvalidMessage, decode, identifier
from rotoclear.auth.accounts import Login, Session
from rotoclear.auth.errors import Busy, InvalidCredentials, TooManyAttempts
from rotoclear.state.errors import INVALID_MESSAGE, MAX_KEY_ECHO, Refusal
from rotoclear.state.permissions import Permissions
from rotoclear.state.queue import Outcome

LOGIN_KEYS: Final = ("username", "password", "token")

BUSY_RETRY: Final = 1
"""Seconds after which to try again when too many others are logging in."""

Answer = dict[str, object]


@frozen
class Message:
    """A message whose shape is right."""

    id: str | int | None
    login: Mapping[str, str]
    update: Mapping[str, object]
    query: Iterable[str] | None
    asks: bool


class Conversation:
    """
    One connection's side of the protocol.

    :param address: where the client is, for the audit log and the throttle.
    :param send: sends an answer; told when it holds a secret.
    :param rights_changed: called with the permissions before and after.
    :ivar permissions: what the connection holds now.
    :ivar session: who has logged in, or ``None``.
    """

    _log = Logger()

    def __init__(
        self,
        context: ApiContext,
        address: str,
        send: Callable[[Answer, bool], None],
        rights_changed: Callable[[Permissions, Permissions], None],
    ) -> None:
        self._context = context
        self._address = address
        self._send = send
        self._rights_changed = rights_changed
        self.session: Session | None = None
        self.permissions: Permissions = context.accounts.anonymous
        self._closed = False

    def close(self) -> None:
        """The connection has ended: a login that is still being checked comes to nothing."""
        self._closed = True
        self._forget_session()

    # -- messages --------------------------------------------------------

    def handle(self, payload: bytes | None) -> Deferred[None] | None:
        """
        Deal with one message.

        :param payload: its text, UTF-8; ``None`` for a binary one.
        :return: ``None`` when it is answered already, else what fires then.
            Never fails.
        """
        self._context.metrics.messages += 1
        if payload is None:
            self._invalid("Messages are JSON in text frames; this one is binary", None)
            return None
        try:
            raw = decode(payload)
        except InvalidMessage as error:
            self._invalid(str(error), None)
            return None
        try:
            message = _understand(raw)
        except InvalidMessage as error:
            self._invalid(str(error), identifier(raw.get("id")))
            return None
        if message.login:
            return Deferred.fromCoroutine(self._all(message)).addErrback(self._failed, message)
        return self.proceed(message)

    def _invalid(self, text: str, id_: str | int | None) -> None:
        self._context.metrics.refused(INVALID_MESSAGE)
        self._answer({"error": INVALID_MESSAGE, "message": text}, id_)

    async def _all(self, message: Message) -> None:
        if await self._login(message):
            rest = self.proceed(message)
            if rest is not None:
                await rest

    def proceed(self, message: Message) -> Deferred[None] | None:
        """After a login: the update, then the query. At once, if the update needs no waiting."""
        if not message.update:
            self._query(message)
            return None
        by = self.session.username if self.session is not None else ""
        outcome = self._context.model.request(message.update, self.permissions, by)

        def decided(outcome: Outcome) -> None:
            if outcome.applied:
                self._answer({**outcome.applied, "info": list(outcome.applied)}, message.id)
            self._refuse(outcome.refused, message)
            self._query(message)

        return outcome.addCallback(decided).addErrback(self._failed, message)

    def _query(self, message: Message) -> None:
        if not message.asks:
            return
        values, refused = self._context.model.read(message.query, self.permissions)
        self._answer({**values}, message.id)
        self._refuse(refused, message)

    def _refuse(self, refusals: Iterable[Refusal], message: Message) -> None:
        for refusal in refusals:
            self._context.metrics.refused(refusal.error)
            self._answer(
                {
                    "error": refusal.error,
                    "key": refusal.key[:MAX_KEY_ECHO],
                    "message": refusal.message,
                },
                message.id,
            )

    def _answer(self, answer: Answer, id_: str | int | None, *, secret: bool = False) -> None:
        if id_ is not None:
            answer["id"] = id_
        self._send(answer, secret)

    def _failed(self, failure: Failure, message: Message) -> None:
        """A fault of ours must not leave the client without an answer."""
        self._log.failure("a message could not be handled", failure=failure)
        self._answer(
            {"error": "Server error", "message": "The server failed; its log tells why"},
            message.id,
        )

    # -- who it is -------------------------------------------------------

    async def _login(self, message: Message) -> bool:
        """Log in, answer, and say whether it went well."""
        accounts = self._context.accounts
        try:
            if "token" in message.login:
                token = message.login["token"]
                username = message.login.get("username")
                login = Login(accounts.resume(token, username, self._address), token)
            else:
                login = await accounts.login(
                    message.login["username"], message.login["password"], self._address
                )
        except InvalidCredentials:
            return self._refuse_login({"error": "Invalid credentials"}, message)
        except TooManyAttempts as error:
            wait = error.retry_after
            text = f"Too many failed logins; try again in {wait} seconds"
            return self._refuse_login(
                {"error": "Too many attempts", "message": text, "retry-after": wait}, message
            )
        except Busy:
            text = f"Too many others are logging in; try again in {BUSY_RETRY} seconds"
            return self._refuse_login(
                {"error": "Too many attempts", "message": text, "retry-after": BUSY_RETRY}, message
            )
        if self._closed:
            return False
        self._take_session(login.session)
        self._answer(
            {
                "authenticated": True,
                "permissions": sorted(self.permissions),
                "username": login.session.username,
                "role": login.session.role,
                "token": login.token,
                "expires": login.session.expires,
            },
            message.id,
            secret=True,
        )
        return True

    def _refuse_login(self, answer: Answer, message: Message) -> bool:
        self._context.metrics.refused(str(answer["error"]))
        self._answer({"authenticated": False, **answer}, message.id)
        return False

    def _take_session(self, session: Session) -> None:
        self._forget_session()
        self.session = session
        session.attach(self._session_changed)
        self._take_permissions(session.permissions)

    def _forget_session(self) -> None:
        if self.session is not None:
            self.session.detach(self._session_changed)
            self.session = None

    def _session_changed(self) -> None:
        """Log-out, another role, expiry: the client is told what it holds now."""
        session = self.session
        if session is None:
            return
        if session.ended:
            self._forget_session()
            self._take_permissions(self._context.accounts.anonymous)
        else:
            self._take_permissions(session.permissions)
        self._answer(
            {
                "authenticated": self.session is not None,
                "permissions": sorted(self.permissions),
            },
            None,
        )

    def _take_permissions(self, permissions: Permissions) -> None:
        before, self.permissions = self.permissions, permissions
        if before != permissions:
            self._rights_changed(before, permissions)


def _understand(raw: Mapping[str, object]) -> Message:
    """
    Sort a message into its kinds.

    :raises InvalidMessage: it has a kind's key with the wrong shape.
    """
    if "id" in raw and identifier(raw["id"]) is None:
        raise InvalidMessage(ID_RULE)
    login: dict[str, str] = {}
    update: dict[str, object] = {}
    query: list[str] | None = None
    asks = "get" in raw
    for name, value in raw.items():
        if name == "get":
            query = _names(value)
        elif name in LOGIN_KEYS:
            if not isinstance(value, str):
                raise InvalidMessage(f"{name} must be a string")
            login[name] = value
        elif name != "id":
            update[name] = value
    if login and ("token" in login) == ("password" in login):
        raise InvalidMessage("A login takes a username and a password, or a token")
    if "password" in login and "username" not in login:
        raise InvalidMessage("A login with a password takes a username")
    if not (login or update or asks):
        raise InvalidMessage("The message asks for nothing: give keys to set, or get")
    return Message(identifier(raw.get("id")), login, update, query, asks)


def _names(value: object) -> list[str] | None:
    """What a query asks for; ``None`` for everything."""
    if value == "*":
        return None
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise InvalidMessage('get must be a list of keys, or "*" for all of them')
    if len(value) > MAX_KEYS:
        raise InvalidMessage(f"A query may name {MAX_KEYS} keys at most")
    return value
