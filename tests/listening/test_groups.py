"""Which groups TLS exchanges its keys in, asked by OpenSSL's own client."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from OpenSSL import SSL

from rotoclear.listening import tls
from tests.harness import Server
from tests.listening.pairs import make_pair
from tests.listening.test_tls import client_context, shake

TEMPORARY = {"X25519": "X25519", "P-256": "ECDH, prime256v1", "P-384": "ECDH, secp384r1"}
"""How OpenSSL's client names the key of a group."""
OTHERS = ("X448", "P-521", "ffdhe2048", "ffdhe4096")


def test_groups(tmp_path: Path) -> None:
    """Mozilla's "intermediate" ones alone, with both versions of TLS."""
    files = make_pair(tmp_path / "served")
    endpoint = f"ssl:{{port}}:privateKey={files.key}:certKey={files.certificate}"
    with Server(
        tmp_path, listen=(f"{endpoint}:interface=127.0.0.1",), certificate=files.certificate
    ) as server:
        taken = {group: temporary_key(server.port, "tls1_3", group) for group in TEMPORARY}
        assert taken == TEMPORARY
        for group in OTHERS:
            assert temporary_key(server.port, "tls1_3", group) == "", group
            # A client has to know its certificate's as well.
            agreed = temporary_key(server.port, "tls1_2", f"{group}:P-256")
            assert agreed == TEMPORARY["P-256"], group
        assert temporary_key(server.port, "tls1_2", "P-256:X25519") == TEMPORARY["X25519"]


def temporary_key(port: int, version: str, groups: str) -> str:
    """What a client with these groups is given; nothing if there is no agreement."""
    done = subprocess.run(
        [
            *("openssl", "s_client", "-connect", f"127.0.0.1:{port}"),
            *(f"-{version}", "-groups", groups),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "CONNECTED" in done.stdout, done.stderr
    found = re.search(r"^Server Temp Key: (.*), \d+ bits$", done.stdout, re.M)
    return found[1] if found else ""


class Less:
    """OpenSSL's functions, but for some."""

    def __init__(self, library: object) -> None:
        self._library = library

    def __getattr__(self, name: str) -> object:
        if name == "SSL_CTX_set1_curves_list":
            raise AttributeError(name)
        return getattr(self._library, name)


def agreed(folder: Path) -> str | None:
    """The group that a client without a wish gets."""
    certificate = tls.ServerCertificate.open(make_pair(folder))
    server = certificate.serverConnectionForTLS(None)
    client = SSL.Connection(client_context(), None)
    shake(server, client)
    return client.get_group_name()


def test_best_group(tmp_path: Path) -> None:
    """No recording of today is opened by a quantum computer of tomorrow."""
    if SSL.OPENSSL_VERSION_NUMBER >= 0x30500000:
        assert agreed(tmp_path) == "X25519MLKEM768"
    else:
        assert agreed(tmp_path) == "x25519"


def test_unknown_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An OpenSSL that does not know the first list takes the second, and is not upset."""
    monkeypatch.setattr(tls, "GROUPS", (b"X25519TOMORROW:X25519", tls.GROUPS[1]))
    assert agreed(tmp_path) == "x25519"


def test_library_without_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where groups cannot be named it is the one that everybody has."""
    monkeypatch.setattr(SSL, "_lib", Less(SSL._lib))
    assert agreed(tmp_path) == "secp256r1"
