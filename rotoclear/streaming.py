"""
The film for others: shown over RTSP, and pushed to another server.

As :mod:`rotoclear.service`, this knows several rooms: whom auth lets in may watch
what media makes, where listening listens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from attrs import frozen
from twisted.application.service import Service
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.python.failure import Failure

from rotoclear.auth.accounts import Accounts, Session
from rotoclear.auth.errors import AuthError, Busy, InvalidCredentials, TooManyAttempts
from rotoclear.config import Configuration
from rotoclear.errors import StartError
from rotoclear.listening.endpoints import Listener, ListenerService, open_listeners
from rotoclear.media.publishing import Publishing, pusher
from rotoclear.media.rtsp.admission import Admission
from rotoclear.media.rtsp.connection import House
from rotoclear.media.rtsp.door import NotLetIn
from rotoclear.media.rtsp.server import PATHS, RtspFactory, streams
from rotoclear.media.service import EngineService
from rotoclear.state.model import Model

BUSY: Final = 5
"""Seconds after which a login that found too many others may be tried again."""


def listeners_for(reactor: Any, configuration: Configuration) -> list[Listener]:
    """
    Listen where ``[rtsp]`` says, before the reactor runs.

    :raises StartError: that cannot be.
    """
    try:
        return open_listeners(reactor, configuration.rtsp.listen)
    except StartError as error:
        raise type(error)(f"rtsp.listen: {error}") from None


@frozen
class AccountsDoor:
    """Lets the users in: a :class:`rotoclear.media.rtsp.door.Door`."""

    accounts: Accounts

    def basic(self, username: str, password: str, address: str) -> Deferred[Any]:
        if self.accounts.is_stream_key(username, password):
            return maybeDeferred(self.digest, username, lambda _: True, address)
        return self.accounts.verify(username, password, address).addErrback(_explained)

    def digest(self, username: str, proves: Callable[[str], bool], address: str) -> Session:
        try:
            return self.accounts.verify_stream(username, proves, address)
        except AuthError as error:
            raise _not_let_in(error) from None


def _explained(failure: Failure) -> Failure:
    failure.trap(InvalidCredentials, TooManyAttempts, Busy)
    return Failure(_not_let_in(failure.value))


def _not_let_in(error: BaseException | None) -> NotLetIn:
    match error:
        case TooManyAttempts():
            return NotLetIn(str(error), later=error.retry_after)
        case Busy():
            return NotLetIn(str(error), later=BUSY)
    return NotLetIn(str(error))


class Streaming(Service):
    """
    Both of them, as far as the configuration wants them.

    :param listeners: from :func:`listeners_for`; they are this service's own.
    """

    def __init__(
        self,
        reactor: Any,
        configuration: Configuration,
        model: Model,
        accounts: Accounts,
        engine: EngineService,
        listeners: Sequence[Listener],
    ) -> None:
        settings = configuration.rtsp
        self._model = model
        admission = Admission(
            reactor,
            AccountsDoor(accounts),
            settings.authentication,
            anonymous=settings.anonymous,
        )
        house = House(
            reactor,
            admission,
            streams(reactor, engine),
            self._missing,
            (settings.udp_first, settings.udp_last),
        )
        self._factory = RtspFactory(house, settings.connections)
        self._listening = ListenerService(reactor, listeners, self._factory) if listeners else None
        publish = configuration.publish
        self._publishing = (
            Publishing(reactor, engine, publish.url, pusher(reactor), publish.ca_file)
            if publish.url
            else None
        )

    def _missing(self, path: str) -> str | None:
        camera = PATHS.get(path) or int(self._model["main-camera"])
        if self._model[f"cam{camera}-exists"]:
            return None
        return f"Camera {camera} is not plugged in"

    def startService(self) -> None:
        """Let players in, and begin to push."""
        Service.startService(self)
        for service in (self._listening, self._publishing):
            if service is not None:
                service.startService()

    def stopService(self) -> Deferred[None]:
        """End all of it."""
        Service.stopService(self)
        if self._publishing is not None:
            self._publishing.stopService()
        self._factory.shut_down()
        return succeed(None) if self._listening is None else self._listening.stopService()

    def status(self) -> dict[str, Any]:
        """``rtsp`` and ``publish``, each only if it is turned on; ready for JSON."""
        found: dict[str, Any] = {}
        if self._listening is not None:
            found["rtsp"] = self._factory.status()
        if self._publishing is not None:
            found["publish"] = self._publishing.status()
        return found

    def health(self) -> dict[str, dict[str, object]]:
        """``publish``, if it is turned on, and ``rtsps``, if there are certificates. Not vital."""
        found: dict[str, dict[str, object]] = {}
        if self._publishing is not None:
            found["publish"] = {**self._publishing.health(), "vital": False}
        if self._listening is not None:
            for state in self._listening.health().values():
                found["rtsps"] = {**state, "vital": False}
        return found
