"""Whom to trust, for Twisted: pyOpenSSL's contexts, and service-identity for the names."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL, crypto
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import Certificate, optionsForClientTLS, trustRootFromCertificates
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer

from rotoclear.client.address import Address
from rotoclear.client.tls import TLS


def creator(where: Address, tls: TLS) -> IOpenSSLClientConnectionCreator:
    """
    What makes TLS connections to the server; reads ``cafile``.

    :raises OSError: it cannot be read.
    :raises ValueError: it holds no certificate.
    """
    if tls.fingerprint is not None:
        return _Pinned(where.host, tls)
    if tls.cafile is None:
        return optionsForClientTLS(where.host)
    found = x509.load_pem_x509_certificates(Path(tls.cafile).read_bytes())
    roots = [Certificate.loadPEM(one.public_bytes(Encoding.PEM)) for one in found]
    return optionsForClientTLS(where.host, trustRoot=trustRootFromCertificates(roots))


@implementer(IOpenSSLClientConnectionCreator)
class _Pinned:
    """Trusts one certificate."""

    def __init__(self, host: str, tls: TLS) -> None:
        self._host = host
        self._tls = tls
        self._context = SSL.Context(SSL.TLS_METHOD)
        self._context.set_min_proto_version(SSL.TLS1_2_VERSION)
        self._context.set_verify(SSL.VERIFY_PEER, self._verify)

    def clientConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        connection = SSL.Connection(self._context, None)
        connection.set_app_data(tlsProtocol)
        if not _is_address(self._host):
            connection.set_tlsext_host_name(self._host.encode("idna"))
        return connection

    def _verify(
        self, _: SSL.Connection, certificate: crypto.X509, error: int, depth: int, good: int
    ) -> bool:
        """OpenSSL asks for each certificate of the chain; the server's own is at depth 0."""
        if depth:
            return True
        der = certificate.to_cryptography().public_bytes(Encoding.DER)
        return self._tls.matches(der)


def _is_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()


@implementer(IPolicyForHTTPS)
class Policy:
    """The same for HTTP: there is one server only."""

    def __init__(self, tls: IOpenSSLClientConnectionCreator) -> None:
        self._tls = tls

    def creatorForNetloc(self, hostname: bytes, port: int) -> IOpenSSLClientConnectionCreator:
        return self._tls
