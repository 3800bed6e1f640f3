"""From endpoint strings to ports that the reactor serves."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from attrs import define, frozen
from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList, succeed
from twisted.internet.interfaces import (
    IListeningPort,
    IProtocolFactory,
    IStreamServerEndpoint,
)
from twisted.logger import Logger
from twisted.protocols.haproxy import proxyEndpoint
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.systemd import ListenFDs
from zope.interface import implementer

from rotoclear.listening import sockets
from rotoclear.listening.descriptions import (
    CertificateFiles,
    Description,
    ListenError,
    Systemd,
    Tcp,
    Unix,
    parse,
)
from rotoclear.listening.hangup import HangupHandler
from rotoclear.listening.tls import CertificateError, ServerCertificate, now_utc
from rotoclear.listening.unixport import AdoptedUnixPort
from rotoclear.listening.watch import CertificateWatch


@define(eq=False)
class Listener:
    """One endpoint whose socket listens already; connections wait in it until it is adopted."""

    description: Description
    socket: socket.socket
    certificate: ServerCertificate | None = None

    @property
    def file(self) -> Path | None:
        """The socket's file, if it is ours."""
        where = self.description.where
        return where.path if isinstance(where, Unix) else None

    @property
    def address(self) -> str:
        """Where it listens, for people: the port that was found for port 0, too."""
        name = self.socket.getsockname()
        if self.socket.family == socket.AF_UNIX:
            return name if isinstance(name, str) else repr(name)
        host = f"[{name[0]}]" if ":" in name[0] else name[0]
        return f"{host}:{name[1]}"

    @property
    def in_clear(self) -> bool:
        """Whether others on a network may read what clients and we tell each other."""
        if self.certificate is not None or self.description.proxied:
            return False
        if self.socket.family == socket.AF_UNIX:
            return False
        return not ip_address(self.socket.getsockname()[0].partition("%")[0]).is_loopback

    def adopt(self, reactor: Any, factory: IProtocolFactory) -> Deferred[IListeningPort]:
        """Accept connections for ``factory`` from now on; the socket is the port's now."""
        if self.certificate is not None:
            factory = TLSMemoryBIOFactory(self.certificate, False, factory)
        endpoint: IStreamServerEndpoint = _Bound(self, reactor)
        if self.description.proxied:
            # Outside of TLS: a proxy sends its header first of all (proxy-protocol.txt, 2).
            endpoint = proxyEndpoint(endpoint)
        return endpoint.listen(factory)

    def close(self) -> None:
        """Give up before it was adopted."""
        self.socket.close()
        if self.file is not None:
            self.file.unlink(missing_ok=True)


@implementer(IStreamServerEndpoint)
@frozen
class _Bound:
    """A listener's socket, as it is, as an endpoint of a reactor's."""

    listener: Listener
    reactor: Any

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """Hand the socket over to the reactor."""
        bound = self.listener.socket
        if bound.family == socket.AF_UNIX:
            port = AdoptedUnixPort(bound, protocolFactory, self.reactor, self.listener.file)
            port.startListening()
            return succeed(port)
        adopted = self.reactor.adoptStreamPort(bound.fileno(), bound.family, protocolFactory)
        bound.close()  # the port has made itself a duplicate
        return succeed(adopted)


def check_listeners(descriptions: Sequence[str]) -> list[str]:
    """
    Say whether `open_listeners` would understand these, without listening.

    :return: remarks for people, such as a certificate that has expired.
    :raises ListenError: one cannot be used.
    """
    certificates: dict[CertificateFiles, ServerCertificate] = {}
    for description in [parse(text) for text in descriptions]:
        _certificate(description, certificates)
    remarks = []
    for files, certificate in certificates.items():
        remark = certificate.loaded.remark(now_utc())
        if remark is not None:
            remarks.append(f"the certificate {files.certificate} {remark}")
    return remarks


def open_listeners(
    reactor: Any, descriptions: Sequence[str], inherited: ListenFDs | None = None
) -> list[Listener]:
    """
    Listen at all of these, at once: blocking, and before the reactor runs.

    :param reactor: not used yet; `Listener.adopt` takes the one that will run.
    :param inherited: the sockets that systemd has handed over.
    :raises ListenError: one cannot be used; then none is left open.
    """
    certificates: dict[CertificateFiles, ServerCertificate] = {}
    parsed = [parse(text) for text in descriptions]
    if inherited is None and any(isinstance(d.where, Systemd) for d in parsed):
        inherited = sockets.handed_over(os.environ)
    listeners: list[Listener] = []
    try:
        for description in parsed:
            certificate = _certificate(description, certificates)
            bound = _open(description, inherited)
            _refuse_twice(description, bound, listeners)
            listeners.append(Listener(description, bound, certificate))
    except BaseException:
        for listener in listeners:
            listener.close()
        raise
    return listeners


def _open(description: Description, inherited: ListenFDs | None) -> socket.socket:
    try:
        match description.where:
            case Tcp() as where:
                return sockets.bind_tcp(where)
            case Unix() as where:
                return sockets.bind_unix(where)
            case Systemd() as where:
                return sockets.take_systemd(where, inherited or ListenFDs([]))
    except ListenError as error:
        raise ListenError(f"{description.text}: {error}") from None


def _refuse_twice(
    description: Description, bound: socket.socket, listeners: Sequence[Listener]
) -> None:
    """By index and by name it may be one and the same descriptor."""
    if bound.fileno() in [listener.socket.fileno() for listener in listeners]:
        bound.detach()
        raise ListenError(f"{description.text}: systemd's socket is there twice")


def _certificate(
    description: Description, known: dict[CertificateFiles, ServerCertificate]
) -> ServerCertificate | None:
    """Its certificate, read; endpoints with the same files share one."""
    files = None if isinstance(description.where, Unix) else description.where.tls
    if files is None:
        return None
    if files not in known:
        try:
            known[files] = ServerCertificate.open(files)
        except CertificateError as error:
            raise ListenError(f"{description.text}: {error}") from None
    return known[files]


class ListenerService(Service):
    """Serves one factory at all listeners, and keeps their certificates fresh."""

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        listeners: Sequence[Listener],
        factory: IProtocolFactory,
        *,
        watch: CertificateWatch | None = None,
        reloading: Callable[[bool], None] = lambda going_on: None,
    ) -> None:
        """
        :param listeners: from `open_listeners`; they are the service's own from now on.
        :param factory: what every connection is for, TLS or not: the site.
        :param reloading: called before and after what `reload` does.
        """
        self._reactor = reactor
        self._listeners = listeners
        self._factory = factory
        certificates = list({id(c): c for e in listeners if (c := e.certificate)}.values())
        self.watch = watch or CertificateWatch(reactor, certificates)
        self._hangup = HangupHandler(reactor, self.reload)
        self._reloading = reloading
        self.ports: list[IListeningPort] = []
        """The ports, in the order of the listeners; empty while it is not running."""

    def startService(self) -> None:
        """Accept connections. Those that came since the sockets were opened have waited."""
        super().startService()  # type: ignore[no-untyped-call]
        self._hangup.install()
        self.watch.startService()
        for listener in self._listeners:
            address = listener.address
            if listener.in_clear:
                self._log.warn(
                    "{address} is without TLS: whoever is on the way can read passwords and tokens",
                    address=address,
                )
            listener.adopt(self._reactor, self._factory).addCallback(self.ports.append)
            self._log.info(
                "Listening at {address} ({endpoint})",
                address=address,
                endpoint=listener.description.text,
            )

    def stopService(self) -> Deferred[None]:
        """Accept no more connections; those that there are stay open."""
        super().stopService()  # type: ignore[no-untyped-call]
        self._hangup.remove()
        self.watch.stopService()
        ports, self.ports = self.ports, []
        closing = [_deferred(port.stopListening()) for port in ports]
        return DeferredList(closing, consumeErrors=True).addCallback(lambda _: None)

    def reload(self) -> Deferred[None]:
        """Read the certificates again, as SIGHUP does."""
        self._log.info("SIGHUP: reading certificates again")
        self._reloading(True)
        return self.watch.look(force=True).addBoth(self._reloaded)

    def _reloaded(self, result: Any) -> Any:
        if self.running:
            self._reloading(False)
        return result

    def certificates(self) -> dict[str, float]:
        """Each certificate's file, and when it ends, in seconds since 1970."""
        return {
            str(certificate.files.certificate): certificate.loaded.ends.timestamp()
            for certificate in self.watch.certificates
        }

    def health(self) -> dict[str, dict[str, object]]:
        """The parts of this room for ``GET /api/health``."""
        if not self.watch.certificates:
            return {}
        state, reason = self.watch.verdict()
        # Not vital: the certificate from before serves on, and a restart would not
        # even find that.
        return {"tls": {"state": state, "vital": False, **({"reason": reason} if reason else {})}}


def _deferred(result: Deferred[Any] | None) -> Deferred[Any]:
    """`IListeningPort.stopListening` may answer with nothing at all."""
    if isinstance(result, Deferred):
        return result
    done: Deferred[Any] = Deferred()
    done.callback(None)
    return done
