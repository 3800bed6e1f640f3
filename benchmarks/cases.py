"""What is measured."""

from __future__ import annotations

from attrs import frozen


@frozen
class Fanout:
    """
    One client changes a key, all of them are told.

    :ivar rate: changes a second; ``None``: the next one when all have the last.
    :ivar deaf: clients besides, that ask for more than they read.
    :ivar wanted: milliseconds in which 99 of 100 changes should be everywhere.
    :ivar key: what is changed. ``brightness`` goes through the processes of two
        simulated heads before anybody is told, ``jpeg-quality`` has no hardware.
    """

    name: str
    clients: int
    rate: float | None = None
    tls: bool = False
    deaf: int = 0
    wanted: float | None = None
    key: str = "brightness"


@frozen
class Idle:
    """Clients that are connected, and nothing happens."""

    name: str
    clients: int
    tls: bool = False


FANOUT = (
    Fanout("50", clients=50, rate=20, wanted=5),
    Fanout("1000", clients=1000, rate=20, wanted=50),
    Fanout("50-flat-out", clients=50),
    Fanout("1000-flat-out", clients=1000),
    Fanout("50-tls", clients=50, rate=20, wanted=5, tls=True),
    Fanout("1000-tls", clients=1000, rate=20, wanted=50, tls=True),
    Fanout("50-tls-flat-out", clients=50, tls=True),
    Fanout("50-one-deaf", clients=50, rate=20, wanted=5, deaf=1),
    Fanout("50-tls-one-deaf", clients=50, rate=20, wanted=5, deaf=1, tls=True),
    Fanout("50-fifty-deaf", clients=50, rate=20, wanted=5, deaf=50),
    Fanout("50-tls-fifty-deaf", clients=50, rate=20, wanted=5, deaf=50, tls=True),
)

IDLE = (
    Idle("idle-0", clients=0),
    Idle("idle-1000", clients=1000),
    Idle("idle-1000-tls", clients=1000, tls=True),
)


@frozen
class Pixels:
    """
    Pictures: recorded, looked at, both, or not at all; and fifty clients.

    :ivar viewers: who look at the live picture and throw it away.
    """

    name: str
    rate: int
    pip: str = "top-left"
    viewers: int = 2
    records: bool = True
    size: str = "1920x1080"


PIXELS = (
    Pixels("pixels-none", rate=30, pip="off", viewers=0, records=False),
    Pixels("pixels-live", rate=30, pip="off", records=False),
    Pixels("pixels-30", rate=30),
    Pixels("pixels-60", rate=60),
)


@frozen
class Latency:
    """
    How old a picture is when a browser shows it.

    :ivar how: ``live``: drawn on a canvas from ``/api/live``; ``mjpeg``: an ``<img>``.
    """

    name: str
    how: str
    rate: int = 30
    size: str = "1920x1080"


LATENCY = (Latency("latency-live", "live"), Latency("latency-mjpeg", "mjpeg"))

COMPARISON = Fanout("comparison", clients=50, key="jpeg-quality")
"""What every server is put through that ours is compared with: the others have no hardware."""

WHOLE_PATH = Fanout("comparison", clients=50)
"""The same with all that ours does besides."""
