"""
The configuration: every setting, its type, bounds and default.

It is read once, from a TOML file, before the server becomes a daemon. A
setting that is unknown or wrong is refused with the file, the key and what is
allowed; none is guessed.
"""

from __future__ import annotations

import datetime
import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct, field

from rotoclear.config_errors import explain
from rotoclear.errors import StartError

DEFAULT_LISTEN = ("tcp:8080:interface=127.0.0.1",)
"""Where the server listens when nobody says otherwise: this machine only."""

TOML_TYPES = (datetime.datetime, datetime.date, datetime.time)
"""What TOML knows beyond JSON: kept as it is, so that no setting takes it for text."""


class ConfigurationError(StartError):
    """The configuration cannot be used. ``str()`` is one line for people."""


Origin = Annotated[
    str, Meta(pattern=r"^https?://[^/?#@\s]+$", description="an origin such as https://example.com")
]
"""Scheme, host and, if it is not the scheme's own, port (RFC 6454)."""


class _Section(Struct, forbid_unknown_fields=True, rename="kebab", kw_only=True, frozen=True):
    """Common to all sections: written with hyphens, nothing unknown is let through."""


class Server(_Section, frozen=True):
    """``[server]``: where it listens and keeps its data."""

    listen: Annotated[tuple[str, ...], Meta(min_length=1)] = DEFAULT_LISTEN
    """Twisted endpoint strings: ``tcp:``, ``ssl:``, ``unix:``, ``systemd:``, ``haproxy:...``."""
    data_dir: Annotated[str, Meta(min_length=1)] | None = None
    """The data folder; else ``$STATE_DIRECTORY``, else the XDG state folder."""
    allowed_origins: tuple[Origin, ...] = ()
    """Web origins besides its own whose pages may use the HTTP API (``https://example.com``)."""
    hsts: Annotated[int, Meta(ge=0, le=63_072_000)] = 0
    """Seconds for which browsers insist on a trusted certificate (RFC 6797); 0: they do not."""


class Login(_Section, frozen=True):
    """``[login]``: who is let in, and for how long."""

    anonymous: bool = True
    """Whoever has not logged in may read the device's state (``Device_r``)."""
    token_idle: Annotated[int, Meta(ge=60, le=31_536_000)] = 1800
    """Seconds after which an unused token expires."""


class Limits(_Section, frozen=True):
    """``[limits]``: what one client may ask of the server."""

    message_rate: Annotated[float, Meta(ge=1, le=1_000_000)] = 100.0
    """Messages a second from one client."""
    message_burst: Annotated[int, Meta(ge=1, le=1_000_000)] = 100
    """Messages that one client may send at once, before the rate holds."""
    message_waiting: Annotated[int, Meta(ge=0, le=1_000_000)] = 200
    """Messages beyond the rate that wait their turn, two seconds at most."""
    message_size: Annotated[int, Meta(ge=1024, le=2**30)] = 65_536
    """Bytes of one message, inflated."""
    connections: Annotated[int, Meta(ge=10, le=100_000)] = 1024
    """WebSocket connections; a tenth of them is kept for those who log in."""
    login_failures: Annotated[int, Meta(ge=1, le=1000)] = 5
    """Failed logins for one user from one address within ``login-window``: then none is checked."""
    login_window: Annotated[float, Meta(ge=1, le=86_400)] = 300.0
    """Seconds for which a failed login counts."""
    backlog: Annotated[int, Meta(ge=16_384, le=2**30)] = 262_144
    """Unsent bytes for one client, after which it gets the newest values only."""
    stall: Annotated[float, Meta(ge=1, le=3600)] = 30.0
    """Seconds for which a client may read nothing at all before it is disconnected."""
    ping_interval: Annotated[float, Meta(ge=0.1, le=3600)] = 20.0
    """Seconds between two pings to a silent client."""
    ping_timeout: Annotated[float, Meta(ge=0.1, le=3600)] = 20.0
    """Seconds that a client has to answer a ping with anything."""


class Metrics(_Section, frozen=True):
    """``[metrics]``: the figures for Prometheus."""

    public: bool = False
    """``/metrics`` needs no login."""


class Log(_Section, frozen=True):
    """``[log]``: what the log looks like; see :doc:`monitoring`."""

    format: Literal["text", "json", "journal"] = "text"
    """
    ``text``: lines for people; ``json``: an object in each line; ``journal``: to systemd's
    journal, with fields that can be searched for.
    """
    level: Literal["debug", "info", "warn", "error"] = "info"
    """What is less than that is left out. The audit trail is ``info`` and ``warn``."""


class Discovery(_Section, frozen=True):
    """``[discovery]``: being found in the local network; see :doc:`discovery`."""

    enabled: bool = False
    """Announce the server by multicast DNS. It takes ``rotoclear[discovery]``."""
    name: Annotated[str, Meta(max_length=63)] = ""
    """What people see in a list of services; empty: ``rotoclear on HOST``."""
    host: Annotated[
        str,
        Meta(
            pattern=r"^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)?$",
            description="a host name without dots",
        ),
    ] = ""
    """
    The name that is answered for, without ``.local``: ``rotoclear-device``. Two devices in one
    network need two of them. Empty: this machine's own.
    """
    addresses: tuple[str, ...] = ()
    """Only these of the machine's addresses; empty: all but those of the machine itself."""


class Heads(_Section, frozen=True):
    """``[heads]``: which camera is 1 and which is 2, and whose lamp is whose."""

    camera_1: str = ""
    """
    Serial number, port or identity of camera 1, as ``GET /api/status`` names them; empty: a head
    keeps the number that it got first.
    """
    camera_2: str = ""
    """Likewise of camera 2."""
    light_1: str = ""
    """Serial number, port or identity of the lamp of camera 1."""
    light_2: str = ""
    """Likewise of the lamp of camera 2."""


class Storage(_Section, frozen=True):
    """``[storage]``: where recordings and snapshots go."""

    preferred: tuple[str, ...] = ("removable", "internal")
    """
    Volumes that may be written on, the best first: ``removable`` (any that can be
    pulled), ``internal`` (any other), a driver's name, or a volume's name or identity.
    """


class Recording(_Section, frozen=True):
    """``[recording]``: how films are made. A megabyte is a million bytes."""

    encoder: Annotated[
        str, Meta(pattern="^[a-z0-9_]+$", description="FFmpeg's name of an encoder")
    ] = "libx264"
    """FFmpeg's name of an H.264 encoder: ``libx264``, ``h264_v4l2m2m``, ..."""
    preset: Literal[
        "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower"
    ] = "superfast"
    """How much work ``libx264`` puts into small files; other encoders ignore it."""
    quality: Annotated[int, Meta(ge=0, le=51)] = 23
    """``libx264``'s constant rate factor: 0 is the best, 51 the worst."""
    bitrate: Annotated[int, Meta(ge=100, le=500_000)] = 20_000
    """The most kilobits a second."""
    keyframe: Annotated[float, Meta(ge=0.1, le=60)] = 2.0
    """Seconds between two keyframes."""
    segment_minutes: Annotated[float, Meta(ge=0, le=1440)] = 60.0
    """Minutes after which a recording goes on in a new file; 0: never."""
    segment_size: Annotated[int, Meta(ge=0, le=1_000_000)] = 4000
    """
    Megabytes after which a recording goes on in a new file; 0: never. FAT32, which many sticks
    have, holds no file above 4294.
    """
    reserve: Annotated[int, Meta(ge=1, le=1_000_000)] = 100
    """Megabytes that stay free on the volume: with less, a recording ends."""


class Retention(_Section, frozen=True):
    """``[retention]``: when stored films and pictures are deleted; see :doc:`recordings`."""

    keep_days: Annotated[int, Meta(ge=0, le=36_500)] = 0
    """Days after which they are deleted; 0: never."""
    keep_free: Annotated[
        str,
        Meta(
            pattern=r"^(|[1-9][0-9]{0,7} ?MB|[1-9][0-9]? ?%)$",
            description='such as "2000 MB", "10 %" or ""',
        ),
    ] = ""
    """
    What stays free on the volume that records: megabytes, or a share of it. The oldest
    are deleted for it. Empty: none is, and a recording ends when the volume is full.
    """
    trust_clock: bool = False
    """The machine's own clock is right, though no time server keeps it so."""


class Live(_Section, frozen=True):
    """``[live]``: the picture that viewers see."""

    quality: Annotated[int, Meta(ge=1, le=100)] = 80
    """JPEG quality, 1 (smallest) to 100 (best); all viewers share it."""


class Rtsp(_Section, frozen=True):
    """``[rtsp]``: the film for players and recorders that speak RTSP."""

    listen: tuple[str, ...] = ()
    """Where, as ``server.listen``: ``tcp:8554``, ``ssl:8322:...`` (rtsps). Empty: nowhere."""
    authentication: Literal["basic", "digest", "both"] = "basic"
    """
    How players say who they are: ``basic`` with a password or a stream key, as it is; ``digest``
    with a stream key, which is never sent; ``both``, and most players then use ``digest``.
    """
    anonymous: bool = False
    """Whoever can connect may watch."""
    udp_first: Annotated[int, Meta(ge=0, le=65_535)] = 6970
    """The first port that pictures are sent from by UDP, two a viewer; 0: no UDP."""
    udp_last: Annotated[int, Meta(ge=0, le=65_535)] = 7069
    """The last port that pictures are sent from by UDP."""
    connections: Annotated[int, Meta(ge=1, le=1000)] = 50
    """RTSP connections at once."""


class Publish(_Section, frozen=True):
    """``[publish]``: the film is pushed to another server, which shows it to many."""

    url: str = ""
    """
    An RTSP server's address, with a name and a password if it asks for them. Empty: none.
    ``rtsps://...`` is encrypted, and the server's certificate has to be good.
    """
    ca_file: str = ""
    """
    Certificates of the authorities that such a server's one may come from, PEM. Empty: the
    system's.
    """


_Plain = Annotated[
    bool | int | float | str, Meta(description="true, false, a number or text in quotes")
]
_Option = Annotated[
    bool | int | float | str | list[_Plain],
    Meta(description="true, false, a number, text in quotes, or a list of those"),
]
DriverOptions = dict[str, _Option]
"""One driver's own section; held against the driver's own options when it is known."""


class Configuration(_Section, frozen=True):
    """The whole file."""

    server: Server = field(default_factory=Server)
    login: Login = field(default_factory=Login)
    limits: Limits = field(default_factory=Limits)
    metrics: Metrics = field(default_factory=Metrics)
    log: Log = field(default_factory=Log)
    discovery: Discovery = field(default_factory=Discovery)
    heads: Heads = field(default_factory=Heads)
    storage: Storage = field(default_factory=Storage)
    recording: Recording = field(default_factory=Recording)
    retention: Retention = field(default_factory=Retention)
    live: Live = field(default_factory=Live)
    rtsp: Rtsp = field(default_factory=Rtsp)
    publish: Publish = field(default_factory=Publish)
    enabled_drivers: tuple[str, ...] = ("simulated", "vendors")
    """
    Drivers that may be started, by name, or ``simulated``, ``hardware`` (the other
    built-in ones) and ``vendors`` (all that are installed besides).
    """
    disabled_drivers: tuple[str, ...] = ()
    """Drivers that are not to be started, whatever is enabled: names or groups likewise."""
    drivers: dict[str, DriverOptions] = field(default_factory=dict)
    """
    ``[drivers.NAME]``: a driver's own options, see below; ``rotoclear driver list --json``
    shows what they are set to. One that is unknown or wrong keeps that driver from starting
    (it is ``refused``, with the reason), and nothing else.
    """


def load(path: Path) -> Configuration:
    """
    Read a configuration file; blocking.

    :raises ConfigurationError: it cannot be read, is no TOML, or holds
        something unknown or wrong.
    """
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: not valid TOML: it is not UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{path}: not valid TOML: {error}") from None
    try:
        found = msgspec.convert(raw, Configuration, builtin_types=TOML_TYPES)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"{path}: {explain(error, raw, Configuration)}") from None
    # There may be a password in it: it is not told what is there.
    if not re.fullmatch(r"(rtsps?://[^\s/]+(/\S*)?)?", found.publish.url):
        raise ConfigurationError(
            f"{path}: publish.url: must be an address such as rtsp://user:password@host:8554/path"
        )
    if found.rtsp.udp_first > found.rtsp.udp_last:
        raise ConfigurationError(f"{path}: rtsp.udp-last: must not be less than udp-first")
    return found
