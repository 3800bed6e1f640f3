"""TLS as this server speaks it, with a certificate that can change under way."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from attrs import define, field, frozen
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from zope.interface import implementer

from rotoclear.errors import StartError
from rotoclear.listening.descriptions import CertificateFiles

CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2: forward secrecy and authenticated encryption. All of TLS 1.3 has both."""
GROUPS = (b"X25519MLKEM768:X25519:P-256:P-384", b"X25519:P-256:P-384")
"""
For the key exchange: Mozilla's "intermediate" ones, the best first.

The first list if OpenSSL knows all of it (ML-KEM came with 3.5), else the second.
"""
ALPN_PROTOCOL = b"http/1.1"
"""What ALPN agrees on: WebSocket's handshake is HTTP/1.1 (RFC 6455 4.1)."""

Stamp = tuple[tuple[int, int, int, int] | None, ...]
"""What tells one state of the files from another: device, inode, size, time of each."""


class CertificateError(StartError):
    """A certificate or its key cannot be used."""


@frozen
class Loaded:
    """A certificate, ready for connections."""

    context: SSL.Context
    begins: datetime
    ends: datetime

    def remark(self, now: datetime) -> str | None:
        """What people should know about its dates, if anything."""
        if now > self.ends:
            return f"expired on {self.ends:%Y-%m-%d}"
        if now < self.begins:
            return f"is valid from {self.begins:%Y-%m-%d} only"
        return None


def load(files: CertificateFiles) -> Loaded:
    """
    Read a certificate and its key; blocking.

    :raises CertificateError: they cannot be read, are none, or are of two pairs.
    """
    try:
        key: Any = load_pem_private_key(_read(files.key, "private key"), password=None)
    except TypeError:
        raise CertificateError(f"the private key {files.key} has a passphrase: remove it") from None
    except ValueError:
        raise CertificateError(f"{files.key} holds no private key in PEM form") from None
    certificate, *chain = _certificates(files.certificate)
    if files.chain is not None:
        chain += _certificates(files.chain)
    if certificate.public_key() != key.public_key():
        raise CertificateError(
            f"the private key {files.key} does not belong to the certificate {files.certificate}"
        )
    try:
        context = _context()
        context.use_certificate(certificate)  # type: ignore[arg-type, unused-ignore]
        context.use_privatekey(key)
        for link in chain:
            context.add_extra_chain_cert(link)  # type: ignore[arg-type, unused-ignore]
        context.check_privatekey()
    except (SSL.Error, TypeError) as error:
        raise CertificateError(
            f"the certificate {files.certificate} is not usable for TLS: {_words(error)}"
        ) from None
    return Loaded(context, certificate.not_valid_before_utc, certificate.not_valid_after_utc)


@define(eq=False)
@implementer(IOpenSSLServerConnectionCreator)
class ServerCertificate:
    """
    A certificate whose files are looked at now and then.

    New connections get the newest good one; those that are open keep theirs.
    """

    files: CertificateFiles
    loaded: Loaded
    problem: str | None = None
    """Why the files, as they are now, are not in use."""
    _seen: Stamp = field(factory=tuple)

    @classmethod
    def open(cls, files: CertificateFiles) -> ServerCertificate:
        """
        Read it for the first time; blocking.

        :raises CertificateError: it cannot be used.
        """
        seen = _stamp(files)
        return cls(files, load(files), seen=seen)

    def look(self, *, force: bool = False) -> Loaded | CertificateError | None:
        """
        Read the files if they have changed; blocking, for a thread.

        :param force: read them even if they look the same.
        :return: a new certificate, or why there is none; None if nothing has changed.
        """
        stamp = _stamp(self.files)  # before reading: a change in between is seen next time
        if stamp == self._seen and not force:
            return None
        self._seen = stamp
        try:
            return load(self.files)
        except CertificateError as error:
            return error

    def take(self, found: Loaded | CertificateError) -> None:
        """Use what `look` has found from now on, if it is any good."""
        if isinstance(found, Loaded):
            self.loaded, self.problem = found, None
        else:
            self.problem = str(found)

    def serverConnectionForTLS(self, tlsProtocol: object) -> SSL.Connection:
        """A connection with the certificate as it is now."""
        return SSL.Connection(self.loaded.context, None)


def _context() -> SSL.Context:
    """Settings that hold for all certificates; see Mozilla's "intermediate" recommendations."""
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(
        SSL.OP_NO_COMPRESSION  # CRIME
        | SSL.OP_NO_RENEGOTIATION  # type: ignore[attr-defined, unused-ignore]  # work for the server, of no use here
        | SSL.OP_NO_TICKET
        | SSL.OP_CIPHER_SERVER_PREFERENCE
        | SSL.OP_SINGLE_ECDH_USE
    )
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)  # some 34 KiB for each idle connection
    context.set_verify(SSL.VERIFY_NONE)
    context.set_cipher_list(CIPHERS)
    _choose_groups(context)
    context.set_alpn_select_callback(_select_protocol)
    return context


def _choose_groups(context: SSL.Context) -> None:
    """
    Offer :data:`GROUPS` alone for the key exchange.

    pyOpenSSL has no name for this yet; OpenSSL's own is there since cryptography 47. With an older
    one it is P-256 alone, which everybody speaks (RFC 8446 9.1).
    """
    lib: Any = getattr(SSL, "_lib", None)
    choose = getattr(lib, "SSL_CTX_set1_curves_list", None)
    pointer: Any = getattr(context, "_context", None)
    if choose is not None and pointer is not None:
        for groups in GROUPS:
            if choose(pointer, groups) == 1:
                return
            lib.ERR_clear_error()  # else it is taken for an error of whatever comes next
    context.set_tmp_ecdh(ec.SECP256R1())


def _select_protocol(connection: SSL.Connection, offered: list[bytes]) -> Any:
    # No fatal alert (RFC 7301 3.2) when nothing fits: some clients offer h2 alone and
    # speak HTTP/1.1 all the same.
    return ALPN_PROTOCOL if ALPN_PROTOCOL in offered else SSL.NO_OVERLAPPING_PROTOCOLS


def _certificates(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(_read(path, "certificate"))
    except ValueError:
        raise CertificateError(f"{path} holds no certificate in PEM form") from None


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CertificateError(f"cannot read the {what} {path}: {error.strerror}") from None


def _stamp(files: CertificateFiles) -> Stamp:
    return tuple(
        _stamp_of(path) for path in (files.key, files.certificate, files.chain) if path is not None
    )


def _stamp_of(path: Path) -> tuple[int, int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _words(error: Exception) -> str:
    """OpenSSL's reason, without its queue of tuples."""
    if isinstance(error, SSL.Error) and error.args and error.args[0]:
        return "; ".join(str(entry[-1]) for entry in error.args[0])
    return str(error)


def now_utc() -> datetime:
    """The wall clock, for a certificate's dates."""
    return datetime.now(UTC)
