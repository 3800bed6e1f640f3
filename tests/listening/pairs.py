"""Certificates for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from rotoclear.listening.certificates import make_self_signed
from rotoclear.listening.descriptions import CertificateFiles

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def make_pair(folder: Path, now: datetime | None = None, force: bool = False) -> CertificateFiles:
    """A self-signed pair, as ``rotoclear cert`` makes it."""
    folder.mkdir(parents=True, exist_ok=True)
    key, certificate = make_self_signed(folder, [], force, now or datetime.now(UTC))
    return CertificateFiles(key, certificate)


def serial(files: CertificateFiles) -> int:
    return x509.load_pem_x509_certificate(files.certificate.read_bytes()).serial_number


class Authority:
    """A certificate authority with one intermediate."""

    def __init__(self) -> None:
        self.root_key, self.root = self._issue("root", None, None, ca=True)
        self.middle_key, self.middle = self._issue("middle", self.root_key, self.root, ca=True)

    def issue(self, folder: Path, *, chain_in_file: bool) -> CertificateFiles:
        """A server certificate for localhost and the chain that leads to the root."""
        folder.mkdir(parents=True, exist_ok=True)
        key, leaf = self._issue("localhost", self.middle_key, self.middle, ca=False)
        pem = [c.public_bytes(serialization.Encoding.PEM) for c in (leaf, self.middle)]
        (folder / "key.pem").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        (folder / "root.pem").write_bytes(self.root.public_bytes(serialization.Encoding.PEM))
        (folder / "chain.pem").write_bytes(pem[1])
        (folder / "cert.pem").write_bytes(b"".join(pem) if chain_in_file else pem[0])
        chain = None if chain_in_file else folder / "chain.pem"
        return CertificateFiles(folder / "key.pem", folder / "cert.pem", chain)

    def _issue(self, name, signer, issuer, *, ca):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.subject if issuer else subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        )
        return key, builder.sign(signer or key, hashes.SHA256())
