"""Where the server is."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from attrs import frozen

from rotoclear.client.wire import API_PATH

_PORTS: Final = {"http": 80, "https": 443}
_SCHEMES: Final = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


@frozen
class Address:
    """
    A server's address.

    :ivar scheme: ``"http"`` or ``"https"``.
    :ivar host: a name or an IP address, without brackets.
    :ivar port: 1 to 65535.
    :ivar prefix: what a proxy has put before all paths, such as ``"/hall-2"``, or ``""``.
    """

    scheme: str
    host: str
    port: int
    prefix: str = ""

    @property
    def secure(self) -> bool:
        """It is TLS."""
        return self.scheme == "https"

    @property
    def local(self) -> bool:
        """It is this machine."""
        return self.host in ("localhost", "::1") or self.host.startswith("127.")

    @property
    def authority(self) -> str:
        """Host and port as they stand in a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def http(self, path: str) -> str:
        """The URL of a page."""
        return f"{self.scheme}://{self.authority}{self.prefix}{path}"

    def websocket(self, path: str) -> str:
        """The URL of a WebSocket."""
        return f"{'wss' if self.secure else 'ws'}://{self.authority}{self.prefix}{path}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.prefix}"


def parse(url: str) -> Address:
    """
    Read an address.

    :param url: ``wss://``, ``ws://``, ``https://`` or ``http://``, a host, perhaps a
        port and ``/api/v1``. Without a scheme it is TLS.
    :raises ValueError: it is none, or there is a name or a password in it.
    """
    text = url if "://" in url else f"https://{url}"
    parts = urlsplit(text)
    scheme = _SCHEMES.get(parts.scheme)
    if scheme is None:
        raise ValueError(f"{url!r} must begin with wss://, https://, ws:// or http://")
    if "@" in parts.netloc:
        raise ValueError("An address must not hold a name or a password; give them apart")
    if parts.query or parts.fragment:
        raise ValueError(f"{url!r} must not have a ? or a #")
    try:
        port = parts.port
    except ValueError:
        port = 0
    if not parts.hostname or port == 0 or any(c.isspace() for c in parts.netloc):
        raise ValueError(f"{url!r} must be such as wss://camera.example.com")
    prefix = parts.path.rstrip("/").removesuffix(API_PATH)
    return Address(scheme, parts.hostname, port or _PORTS[scheme], prefix)
