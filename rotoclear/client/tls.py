"""How a client makes sure that it talks to its own server."""

from __future__ import annotations

import hashlib
import hmac
import re
import ssl
from os import PathLike
from typing import Any, Final

from attrs import field, frozen

_SHA256: Final = re.compile(r"[0-9a-f]{64}")

MISMATCH: Final = "The server's certificate is not the one with this fingerprint"


def _fingerprint(text: str | None) -> str | None:
    if text is None:
        return None
    digits = text.lower().removeprefix("sha256:").replace(":", "").replace(" ", "")
    if not _SHA256.fullmatch(digits):
        raise ValueError("A fingerprint is the SHA-256 of the certificate: 64 hexadecimal digits")
    return digits


@frozen(kw_only=True)
class TLS:
    """
    What the server's certificate must be. Without either, one that this machine trusts.

    :ivar cafile: certificates in PEM, instead of those that this machine trusts: of
        authorities, or the server's own if it has signed itself. The host's name is checked.
    :ivar fingerprint: SHA-256 of the server's certificate in hexadecimal, with or
        without colons, as of ``openssl x509 -noout -fingerprint -sha256``. That certificate
        and no other is taken, whatever its names, its dates and who has signed it.
    """

    cafile: str | PathLike[str] | None = None
    fingerprint: str | None = field(default=None, converter=_fingerprint)

    def matches(self, certificate: bytes) -> bool:
        """Whether the certificate (DER) is the one that is pinned."""
        found = hashlib.sha256(certificate).hexdigest()
        return hmac.compare_digest(found, self.fingerprint or "")

    def context(self) -> ssl.SSLContext:
        """
        For Python's own ``ssl``.

        :raises OSError: ``cafile`` cannot be read, or holds no certificate (``ssl.SSLError``).
        """
        if self.fingerprint is None:
            context = ssl.create_default_context(cafile=self.cafile)
        else:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            # The connection is not used before its handshake has ended, and the handshake
            # does not end well unless the certificate is the one.
            context.sslobject_class = type("Pinned", (_Pinned,), {"pin": self})
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


class _Pinned(ssl.SSLObject):
    """A TLS connection that trusts one certificate."""

    pin: TLS

    def do_handshake(self) -> None:
        super().do_handshake()
        certificate: Any = self.getpeercert(binary_form=True)
        if not certificate or not self.pin.matches(certificate):
            raise ssl.SSLCertVerificationError(MISMATCH)
