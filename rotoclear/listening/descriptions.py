"""
Endpoint strings, read and checked.

The grammar is Twisted's (`twisted.internet.endpoints.serverFromString`):
``KIND:ARGUMENT:NAME=VALUE``, a backslash before a colon or an equals sign that
is part of a value. Beyond it, the colons of an IPv6 address need no backslash.
An unknown kind or parameter is refused with those that there are.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from attrs import frozen

from rotoclear.errors import StartError

BACKLOG = 1024
"""Connections that wait in the kernel to be accepted, unless the string says otherwise."""

_T = TypeVar("_T")


class ListenError(StartError):
    """The server cannot listen where it was told to."""


@frozen
class CertificateFiles:
    """The PEM files of one server certificate, as absolute paths."""

    key: Path
    """The private key, without a passphrase."""
    certificate: Path
    """The certificate, and after it, if it likes, those that lead to its authority."""
    chain: Path | None = None
    """More certificates that lead to its authority."""


@frozen
class Tcp:
    """``tcp:PORT``, ``tcp6:PORT`` and, with ``tls``, ``ssl:PORT``."""

    port: int
    interface: str
    """A local IP address; ``0.0.0.0`` and ``::`` are all of them."""
    backlog: int = BACKLOG
    tls: CertificateFiles | None = None


@frozen
class Unix:
    """``unix:PATH``."""

    path: Path
    mode: int = 0o666
    backlog: int = BACKLOG


@frozen
class Systemd:
    """
    ``systemd:index=N`` or ``systemd:name=NAME``: a socket that systemd has opened.

    Beyond Twisted's grammar it takes the files of a certificate, as ``ssl:`` does,
    and speaks TLS then.
    """

    index: int | None = None
    name: str | None = None
    tls: CertificateFiles | None = None


@frozen
class Description:
    """One endpoint string."""

    text: str
    """As it was written."""
    where: Tcp | Unix | Systemd
    proxied: bool = False
    """``haproxy:``: each connection begins with a PROXY protocol header, before any TLS."""


def parse(text: str, folder: Path | None = None) -> Description:
    """
    Read one endpoint string.

    :param folder: what relative paths in it are relative to; the working
        directory, if not given.
    :raises ListenError: it is none, or not one of ours.
    """
    rest, proxied = text, False
    if rest.startswith("haproxy:"):
        rest, proxied = rest.removeprefix("haproxy:"), True
    try:
        return Description(text, _read(rest, folder or Path.cwd()), proxied)
    except ValueError as error:
        raise ListenError(f"{text or 'an empty endpoint'}: {error}") from None


def _read(text: str, folder: Path) -> Tcp | Unix | Systemd:
    kind, *fields = _split(text)
    reader = _KINDS.get(kind[0])
    if reader is None or len(kind) > 1:
        raise ValueError(f"an endpoint begins with one of {', '.join(_KINDS)}, haproxy")
    return reader(_Arguments(fields, folder))


class _Arguments:
    """The arguments of one endpoint string, taken one by one."""

    def __init__(self, fields: list[list[str]], folder: Path) -> None:
        self._folder = folder
        self._positional: list[str] = []
        self._named: dict[str, str] = {}
        self._known: list[str] = []
        self._misplaced = ""
        name = None
        for field in fields:
            if len(field) == 2:
                name, value = field
                if name in self._named:
                    raise ValueError(f"{name} is given twice")
                self._named[name] = value
            elif name == "interface":  # an IPv6 address whose colons have no backslash
                self._named[name] += ":" + field[0]
            elif name is not None:
                self._misplaced = f"{field[0]!r} must stand before {name}=, or have a name"
                break
            else:
                self._positional.append(field[0])

    def take(self, name: str, convert: Callable[[str], _T], default: _T | None = None) -> _T:
        """The next positional argument, or the one of that name."""
        self._known.append(name)
        if self._positional:
            if name in self._named:
                raise ValueError(f"{name} is given twice")
            return convert(self._positional.pop(0))
        return self.option(name, convert, default)

    def option(self, name: str, convert: Callable[[str], _T], default: _T | None = None) -> _T:
        """The argument of that name."""
        if name not in self._known:
            self._known.append(name)
        if name in self._named:
            return convert(self._named.pop(name))
        if default is None:
            raise ValueError(self._misplaced or f"{name} is missing")
        return default

    def path(self, value: str) -> Path:
        """An absolute path: twistd may change its working directory later."""
        if not value:
            raise ValueError("a file name is missing")
        return self._folder / Path(value).expanduser()

    def certificate(self, nowhere: Path) -> CertificateFiles | None:
        """The files of a certificate, by name; ``nowhere`` stands for those that are not given."""
        key = self.option("privateKey", self.path, nowhere)
        certificate = self.option("certKey", self.path, nowhere)
        chain = self.option("extraCertChain", self.path, nowhere)
        if key is nowhere:
            if certificate is not nowhere or chain is not nowhere:
                raise ValueError("privateKey is missing")
            return None
        return CertificateFiles(
            key,
            key if certificate is nowhere else certificate,
            None if chain is nowhere else chain,
        )

    def end(self) -> None:
        """Nothing may be left."""
        known = ", ".join(self._known)
        if self._named:
            raise ValueError(f"unknown parameter {next(iter(self._named))}; there are: {known}")
        if self._misplaced:
            raise ValueError(self._misplaced)
        if self._positional:
            raise ValueError(f"{self._positional[0]!r} is one too many; there are: {known}")


def _read_tcp(arguments: _Arguments) -> Tcp:
    found = Tcp(
        port=arguments.take("port", _port),
        interface=arguments.option("interface", _address, "0.0.0.0"),  # noqa: S104
        backlog=arguments.option("backlog", _backlog, BACKLOG),
    )
    arguments.end()
    return found


def _read_tcp6(arguments: _Arguments) -> Tcp:
    found = Tcp(
        port=arguments.take("port", _port),
        interface=arguments.option("interface", _address, "::"),
        backlog=arguments.option("backlog", _backlog, BACKLOG),
    )
    arguments.end()
    if ":" not in found.interface:
        raise ValueError(f"{found.interface} is no IPv6 address")
    return found


def _read_ssl(arguments: _Arguments) -> Tcp:
    port = arguments.take("port", _port)
    key = arguments.take("privateKey", arguments.path)
    certificate = arguments.take("certKey", arguments.path, key)
    nowhere = Path()
    chain = arguments.option("extraCertChain", arguments.path, nowhere)
    found = Tcp(
        port=port,
        interface=arguments.option("interface", _address, "0.0.0.0"),  # noqa: S104
        backlog=arguments.option("backlog", _backlog, BACKLOG),
        tls=CertificateFiles(key, certificate, None if chain is nowhere else chain),
    )
    arguments.end()
    return found


def _read_unix(arguments: _Arguments) -> Unix:
    found = Unix(
        path=arguments.take("address", arguments.path),
        mode=arguments.option("mode", _mode, 0o666),
        backlog=arguments.option("backlog", _backlog, BACKLOG),
    )
    arguments.option("lockfile", str, "1")  # Twisted's; a stale file is replaced without
    arguments.end()
    if len(bytes(found.path)) > 107:  # sockaddr_un.sun_path, unix(7)
        raise ValueError("the path of a UNIX socket may have 107 bytes at most")
    return found


def _read_systemd(arguments: _Arguments) -> Systemd:
    arguments.option("domain", str, "")  # Twisted's; the socket itself knows
    index = arguments.option("index", lambda value: _integer("index", value, 0, 4096), -1)
    name = arguments.option("name", str, "")
    tls = arguments.certificate(Path())
    arguments.end()
    if (index < 0) == (not name):
        raise ValueError("systemd: needs either index=NUMBER or name=NAME")
    return Systemd(None, name, tls) if name else Systemd(index, None, tls)


_KINDS: dict[str, Callable[[_Arguments], Tcp | Unix | Systemd]] = {
    "tcp": _read_tcp,
    "tcp6": _read_tcp6,
    "ssl": _read_ssl,
    "unix": _read_unix,
    "systemd": _read_systemd,
}


def _port(value: str) -> int:
    return _integer("port", value, 0, 65535)


def _backlog(value: str) -> int:
    return _integer("backlog", value, 1, 65535)


def _integer(name: str, value: str, low: int, high: int) -> int:
    if not (value.isascii() and value.isdigit() and low <= int(value) <= high):
        raise ValueError(f"{name} must be a number from {low} to {high}, not {value!r}")
    return int(value)


def _mode(value: str) -> int:
    if not (value and set(value) <= set("01234567") and int(value, 8) <= 0o777):
        raise ValueError(f"mode must be an octal number from 000 to 777, not {value!r}")
    return int(value, 8)


def _address(value: str) -> str:
    if value == "localhost":
        return "127.0.0.1"
    try:
        return str(ipaddress.ip_address(value.removeprefix("[").removesuffix("]")))
    except ValueError:
        raise ValueError(
            f"interface must be an IP address of this machine, not {value!r}"
        ) from None


def _split(text: str) -> Iterator[list[str]]:
    """The fields between colons: ``[VALUE]`` or ``[NAME, VALUE]``."""
    field = [""]
    characters = iter(text)
    for character in characters:
        if character == ":":
            yield field
            field = [""]
        elif character == "=" and len(field) == 1:
            field.append("")
        elif character == "\\":
            following = next(characters, None)
            if following is None:
                raise ValueError("it ends in a backslash")
            field[-1] += following
        else:
            field[-1] += character
    yield field
