"""A certificate that the server signs itself, for a first start."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from rotoclear.errors import StartError

KEY_NAME = "server-key.pem"
CERTIFICATE_NAME = "server-cert.pem"

LIFETIME = timedelta(days=825)
"""As long as Apple's systems trust a certificate that their user has added."""

_SKEW = timedelta(days=1)
"""Clients whose clocks are behind take it all the same."""


class CertificateExists(StartError):
    """There is a certificate, or a key, already."""


def make_self_signed(
    directory: Path, names: Sequence[str], force: bool, now: datetime
) -> tuple[Path, Path]:
    """
    Make a key (ECDSA P-256, mode 0600) and a certificate for it; blocking.

    :param directory: where to; it is there.
    :param names: host names and IP addresses, besides this machine's name (and that
        in ``.local``, by which mDNS finds it), ``localhost``, ``127.0.0.1`` and ``::1``.
    :param force: replace those that are there.
    :param now: with a time zone.
    :return: the paths of the key and of the certificate.
    :raises CertificateExists: there is one, and not ``force``.
    :raises StartError: a name is none, or the directory cannot be written.
    """
    key_path, certificate_path = directory / KEY_NAME, directory / CERTIFICATE_NAME
    if not force:
        for path in (key_path, certificate_path):
            try:
                there = path.exists()
            except OSError as error:  # a folder that one may not even look into
                raise StartError(f"cannot write to {directory}: {error.strerror}") from None
            if there:
                raise CertificateExists(f"{path} is there already; --force replaces it")
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _sign(key, _subjects(names), now)
    key_pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    try:
        _write(key_path, key_pem, 0o600)
        _write(certificate_path, certificate.public_bytes(serialization.Encoding.PEM), 0o644)
    except OSError as error:
        raise StartError(f"cannot write to {directory}: {error.strerror}") from None
    return key_path, certificate_path


def _sign(
    key: ec.EllipticCurvePrivateKey, subjects: Sequence[x509.GeneralName], now: datetime
) -> x509.Certificate:
    # No host name in it: clients look at the alternative names only (RFC 9525 2), and a
    # common name may not be longer than 64 characters.
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "rotoclear")])
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now - _SKEW + LIFETIME)
        .add_extension(x509.SubjectAlternativeName(subjects), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )


def _subjects(names: Sequence[str]) -> list[x509.GeneralName]:
    """The alternative names, each of them once."""
    found: dict[x509.GeneralName, None] = {}
    for name in names:
        found[_subject(name)] = None
    host = socket.gethostname()
    local = f"{host.partition('.')[0]}.local"
    for name in (host, local, "localhost", "127.0.0.1", "::1"):
        try:
            found[_subject(name)] = None
        except StartError:  # a host name with an underscore, or none at all
            continue
    return list(found)


def _subject(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        ascii_name = name.encode("idna").decode("ascii").lower()
    except UnicodeError:
        ascii_name = ""
    label = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
    if len(ascii_name) > 253 or not re.fullmatch(rf"(\*\.)?{label}(\.{label})*", ascii_name):
        raise StartError(f"{name!r} is neither a host name nor an IP address")
    return x509.DNSName(ascii_name)


def _write(path: Path, content: bytes, mode: int) -> None:
    """All or nothing, and never readable by others before it has its mode."""
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        temporary = Path(file.name)  # mode 0600
        try:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
