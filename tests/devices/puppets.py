"""Devices whose strings the test pulls, and a model with a clock to put them before."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from rotoclear.devices.device import Arrived, Description, Device, Kind, Left
from rotoclear.devices.settler import SOON
from rotoclear.interfaces import (
    IMAGE_CONTROLS,
    CameraDescription,
    LightDescription,
    VideoMode,
    VolumeDescription,
    VolumeUsage,
)
from rotoclear.state.errors import DeviceError
from rotoclear.state.keys import KeyTable
from rotoclear.state.model import Model
from rotoclear.state.permissions import PERMISSIONS
from rotoclear.state.queue import Outcome
from rotoclear.values import Value

MODES = (
    VideoMode(1920, 1080, (5, 15, 30, 60)),
    VideoMode(1280, 720, (15, 30, 60)),
    VideoMode(640, 480, (30,)),
)


@define(eq=False)
class Puppet:
    """
    A device that does what it is told at once, unless told otherwise.

    :ivar calls: all that it was asked, whatever came of it.
    :ivar holds: what it took in the end, by ``set NAME``, ``select`` and ``switch``.
    :ivar slow: calls wait for :meth:`answer`.
    :ivar viewers: its ends of the views, the last one last.
    :ivar faults: texts of the failures, by setting or method.
    """

    kind: Kind
    identity: str
    description: Description
    driver: str = "puppets"
    alive: bool = True
    usage: VolumeUsage = field(factory=lambda: VolumeUsage(total=1000, free=400))
    slow: bool = False
    faults: dict[str, str] = field(factory=dict)
    calls: list[tuple[object, ...]] = field(factory=list)
    holds: dict[str, object] = field(factory=dict)
    waiting: list[tuple[Deferred[Any], str, tuple[Value, ...]]] = field(factory=list)
    viewers: list[socket.socket] = field(factory=list)

    def view(self) -> Deferred[socket.socket]:
        return self.call("view")  # type: ignore[return-value]

    def call(self, method: str, *arguments: Value) -> Deferred[object]:
        self.calls.append((method, *arguments))
        if not self.slow:
            try:
                return succeed(self._do(method, arguments))
            except DeviceError:
                done: Deferred[object] = Deferred()
                done.errback(Failure())
                return done
        waiting: Deferred[object] = Deferred()
        self.waiting.append((waiting, method, arguments))
        return waiting

    def answer(self) -> None:
        """Do what has waited longest."""
        waiting, method, arguments = self.waiting.pop(0)
        try:
            result = self._do(method, arguments)
        except DeviceError:
            waiting.errback(Failure())
        else:
            waiting.callback(result)

    def answer_all(self) -> None:
        while self.waiting:
            self.answer()

    def fail(self, text: str = "no answer") -> None:
        """What has waited longest goes wrong."""
        self.waiting.pop(0)[0].errback(DeviceError(text))

    def forget(self) -> None:
        self.calls.clear()

    def _do(self, method: str, arguments: tuple[Value, ...]) -> object:
        name = str(arguments[0]) if method == "set" else method
        if name in self.faults:
            raise DeviceError(self.faults[name])
        if method == "usage":
            return self.usage
        if method == "view":
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self.viewers.append(ours)
            return theirs
        self.holds[name] = arguments[1] if method == "set" else arguments
        return None


def camera(
    identity: str = "a",
    *,
    serial: str = "",
    port: str = "",
    head: int | None = None,
    sensors: int = 2,
    modes: tuple[VideoMode, ...] = MODES,
    controls: frozenset[str] = IMAGE_CONTROLS,
    exposure_modes: tuple[str, ...] = (),
    white_balance_modes: tuple[str, ...] = (),
) -> Puppet:
    return Puppet(
        "camera",
        identity,
        CameraDescription(
            identity=identity,
            model="Puppet",
            serial=serial,
            port=port,
            sensors=tuple(f"sensor {number}" for number in range(1, sensors + 1)),
            modes=modes,
            controls=controls,
            exposure_modes=exposure_modes,
            white_balance_modes=white_balance_modes,
            head=head,
        ),
    )


def lamp(
    identity: str = "l", *, serial: str = "", port: str = "", head: int | None = None
) -> Puppet:
    return Puppet(
        "light",
        identity,
        LightDescription(identity=identity, name="Ring", serial=serial, port=port, head=head),
    )


def volume(identity: str = "v", *, free: int = 400, removable: bool = False) -> Puppet:
    return Puppet(
        "storage",
        identity,
        VolumeDescription(
            identity=identity,
            name=f"Volume {identity}",
            path=f"/media/{identity}",
            removable=removable,
        ),
        usage=VolumeUsage(total=1000, free=free),
    )


class Source:
    """What the supervisor is to the rest of the room."""

    def __init__(self) -> None:
        self._arrived: list[Arrived] = []
        self._left: list[Left] = []
        self._devices: list[Device] = []

    def subscribe(self, arrived: Arrived, left: Left) -> None:
        self._arrived.append(arrived)
        self._left.append(left)
        for device in self._devices:
            arrived(device)

    def plug(self, device: Device) -> None:
        self._devices.append(device)
        for arrived in self._arrived:
            arrived(device)

    def unplug(self, device: Device) -> None:
        self._devices.remove(device)
        for left in self._left:
            left(device, "unplugged")


class House:
    """A model with a clock, and all that was broadcast by it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.model = Model(self.clock, KeyTable())
        self.source = Source()
        self.broadcasts: list[dict[str, Value]] = []
        self.model.observe(lambda news: self.broadcasts.append(dict(news)))

    def turn(self) -> None:
        """Let everything happen that needs no time."""
        for _ in range(10):
            self.clock.advance(0)

    def wait(self) -> None:
        """Let the other heads catch up, too."""
        self.clock.advance(SOON)
        self.turn()

    def ask(self, **changes: object) -> list[Outcome]:
        """Ask for ``main_camera=2`` and so on; the list is empty until it is decided."""
        return self.request({name.replace("_", "-"): value for name, value in changes.items()})

    def request(self, changes: Mapping[str, object]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        self.model.request(changes, frozenset(PERMISSIONS)).addCallback(outcomes.append)
        return outcomes

    def told(self, name: str) -> list[Value]:
        """Every value of a key that was broadcast."""
        return [news[name] for news in self.broadcasts if name in news]


def errors(outcome: Outcome) -> dict[str, str]:
    """The refused keys and the error of each."""
    return {refusal.key: refusal.error for refusal in outcome.refused}


def message(outcome: Outcome) -> str:
    """What the only refusal says."""
    (refusal,) = outcome.refused
    return refusal.message
