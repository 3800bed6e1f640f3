"""Both faces over TLS: whom they trust, and that nobody else is told anything."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path

import pytest
import pytest_twisted

from rotoclear.client import TLS, CertificateRefused
from tests.client.faces import Face
from tests.harness import Server


def fingerprint(certificate: Path) -> str:
    der = ssl.PEM_cert_to_DER_cert(certificate.read_text())
    return hashlib.sha256(der).hexdigest()


@pytest_twisted.ensureDeferred
async def test_trusted(face: Face, secure: Server) -> None:
    assert secure.certificate is not None
    pin = fingerprint(secure.certificate)
    colons = ":".join(pin[at : at + 2] for at in range(0, 64, 2)).upper()

    async def scenario(face: Face) -> None:
        for url, tls in (
            (secure.url, TLS(cafile=secure.certificate)),
            (secure.url, TLS(fingerprint=pin)),
            # The pin is of the certificate, whatever the server is called.
            (f"127.0.0.2:{secure.port}", TLS(fingerprint=colons)),
            (f"localhost:{secure.port}", TLS(cafile=secure.certificate)),
        ):
            options = {"username": "admin", "password": secure.admin_password, "tls": tls}
            async with face.client(url, **options) as client:
                assert await client.set("brightness", 71) == 71
                assert (await client.status())["name"] == "rotoclear"

    await face.run(scenario)


@pytest_twisted.ensureDeferred
async def test_not_trusted(face: Face, secure: Server, other_certificate: Path) -> None:
    def password() -> str:
        raise AssertionError("Nobody may be told the password")

    async def scenario(face: Face) -> None:
        for url, tls, reason in (
            (secure.url, None, "self.signed|unable to get|trusted"),
            (secure.url, TLS(cafile=other_certificate), "self.signed|unable to get|trusted"),
            (secure.url, TLS(fingerprint=fingerprint(other_certificate)), "fingerprint"),
            (
                f"wss://127.0.0.2:{secure.port}",
                TLS(cafile=secure.certificate),
                "mismatch|another name",
            ),
        ):
            client = face.client(url, username="admin", password=password, tls=tls)
            with pytest.raises(CertificateRefused, match=reason):
                await client.connect()
            with pytest.raises(CertificateRefused, match=reason):
                await client.status()
            await client.close()

    await face.run(scenario)
