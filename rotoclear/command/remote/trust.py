"""
Which server is believed to be the one that was meant (TLS).

By default, one whose certificate the system trusts, for the name that was
asked for. ``--cafile`` trusts other authorities instead; ``--fingerprint`` one
certificate alone, whatever names it holds: how a certificate that a device has
signed itself is trusted without copying files. Nothing turns the checks off.
"""

from __future__ import annotations

import hashlib
import re
import ssl
from typing import Final

from rotoclear.client.address import Address
from rotoclear.command.errors import USAGE, CommandError

_SHA256: Final = re.compile(r"(?:sha-?256[:=]?)?((?:[0-9a-f]{2}:?){32})", re.IGNORECASE)


def fingerprint(text: str) -> str:
    """
    A certificate's SHA-256, as people copy it, in the one form: ``AB:CD:...``, as openssl has it.

    :raises CommandError: it is none.
    """
    match = _SHA256.fullmatch(text.strip().replace(" ", ""))
    if match is None:
        raise CommandError(
            f"{text!r} is no fingerprint: it has 64 hexadecimal digits, as rotoclear cert and "
            "openssl x509 -fingerprint -sha256 print it",
            USAGE,
        )
    return _shown(bytes.fromhex(match[1].replace(":", "")))


def offered(address: Address, timeout: float) -> str | None:
    """
    The fingerprint of the certificate that a server shows, whoever it is.

    Nothing is sent to it but TLS's greeting.

    :return: ``None``: it cannot be reached now, or speaks no TLS.
    """
    try:
        pem = ssl.get_server_certificate((address.host, address.port), timeout=timeout)
    except (OSError, ValueError):
        return None
    return _shown(hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).digest())


def _shown(digest: bytes) -> str:
    return digest.hex(":").upper()
