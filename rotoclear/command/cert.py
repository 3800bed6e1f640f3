"""``rotoclear cert``: a certificate that the server signs itself."""

from __future__ import annotations

import hashlib
import os
import ssl
from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path

from rotoclear.command.errors import FAILED, OK, UNAVAILABLE, CommandError
from rotoclear.command.folder import become_owner, chosen
from rotoclear.errors import StartError


def run(arguments: Namespace) -> int:
    """Make it, and say how the server is told of it."""
    # Names need it, when this process may already be somebody who cannot read it.
    from encodings import idna  # noqa: F401

    from rotoclear.listening.certificates import make_self_signed

    folder = Path(arguments.dir).absolute() if arguments.dir else _prepared(chosen(arguments))
    if not folder.is_dir():
        raise CommandError(f"there is no folder {folder}", UNAVAILABLE)
    if os.geteuid() == 0:
        become_owner(folder)  # who has to be able to read the key
    try:
        key, certificate = make_self_signed(
            folder, arguments.name, arguments.force, datetime.now(UTC)
        )
    except StartError as error:
        raise CommandError(str(error), FAILED) from None
    print(f"key:         {key}")
    print(f"certificate: {certificate}")
    print(f"fingerprint: {_fingerprint(certificate)}")
    print("use it with:")
    print(f"  twistd rotoclear --listen {_endpoint(key, certificate)}")
    return OK


def _prepared(folder: Path) -> Path:
    """The data folder; made, if this comes before the first start."""
    from rotoclear.paths import prepare_data_folder

    try:
        prepare_data_folder(folder)
    except StartError as error:
        raise CommandError(str(error), UNAVAILABLE) from None
    return folder


def _fingerprint(certificate: Path) -> str:
    """By which clients can trust it without the file: ``rotoclear login --fingerprint``, say."""
    # As bytes: by now this process may be somebody who cannot load another codec.
    der = ssl.PEM_cert_to_DER_cert(certificate.read_bytes().decode())
    return hashlib.sha256(der).digest().hex(":").upper()


def _endpoint(key: Path, certificate: Path) -> str:
    def escaped(path: Path) -> str:
        return str(path).replace("\\", "\\\\").replace(":", "\\:").replace("=", "\\=")

    return f"ssl:8443:privateKey={escaped(key)}:certKey={escaped(certificate)}"
