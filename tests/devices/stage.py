"""Drivers' processes that are only played, with a clock in hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from rotoclear.devices import wire
from rotoclear.devices.device import Device
from rotoclear.devices.link import Ended, Entry, Link, Received
from rotoclear.devices.plugin import Plugin
from rotoclear.interfaces import (
    CameraDescription,
    LightDescription,
    VideoMode,
    VolumeDescription,
    VolumeUsage,
)

HEAD = Plugin(name="acme-head", kind="camera", module="acme", attribute="head")
LIGHTS = Plugin(name="acme-lights", kind="light", module="acme", attribute="lights")
STORAGE = Plugin(name="acme-storage", kind="storage", module="acme", attribute="storage")


def described(kind: str, identity: str) -> Any:
    """What a device of that kind says of itself, as it comes off the wire."""
    description: object
    match kind:
        case "camera":
            description = CameraDescription(
                identity=identity,
                model="Acme",
                sensors=("a", "b"),
                modes=(VideoMode(640, 480, (5, 30)),),
            )
        case "light":
            description = LightDescription(identity=identity, name="Ring")
        case _:
            description = VolumeDescription(identity=identity, name="Stick", path="/media")
    return msgspec.to_builtins(description)


class Process:
    """
    One process of a driver: a ``Link`` that a test plays the other end of.

    :ivar heard: all that it was told.
    :ivar answers: whether it answers by itself; else a test calls :meth:`answer`.
    :ivar silent: methods that it never answers.
    """

    def __init__(self, clock: Clock, entry: Entry, received: Received, ended: Ended) -> None:
        self._clock = clock
        self.entry = entry
        self.received = received
        self._ended: Ended | None = ended
        self.heard: list[Any] = []
        self.answers = True
        self.silent: set[str] = set()
        self.results: dict[str, object] = {
            "usage": msgspec.to_builtins(VolumeUsage(total=10, free=4))
        }
        self.refusals: dict[str, tuple[Any, str]] = {}
        self.killed: list[str] = []
        self.stopped: Deferred[None] | None = None
        self.kind = "camera"
        self.pid: int | None = 4711

    @property
    def running(self) -> bool:
        return self._ended is not None

    def send(self, message: wire.ToHost, descriptor: int | None = None) -> None:
        # Whatever is sent must fit on the wire.
        reader: wire.Reader[wire.ToHost] = wire.Reader(wire.ToHost)  # type: ignore[arg-type]
        (copy,) = reader.feed(wire.frame(message))
        self.heard.append(copy)
        if self.answers:
            if isinstance(copy, wire.Open):  # nobody expects that answer so soon
                self._clock.callLater(0, self.answer, copy)
            else:
                self.answer(copy)

    def answer(self, message: Any) -> None:
        """Answer one thing as a driver in good health does, or as it was told to."""
        match message:
            case wire.Open(request, _, identity):
                self._reply(request, "open", described(self.kind, identity))
            case wire.Call(request, _, method):
                self._reply(request, method, self.results.get(method))
            case wire.Close(request):
                self._reply(request, "close", None)
            case wire.SetKey(request):
                self._reply(request, "set-key", None)
            case wire.Simulate(request, action):
                self._reply(request, action, {"holds": {}})

    def _reply(self, request: int, method: str, result: object) -> None:
        if method in self.silent:
            return
        if method in self.refusals:
            reason, text = self.refusals[method]
            self.received(wire.Refused(request, reason, text))
        else:
            self.received(wire.Answer(request, self.results.get(method, result)))

    def started(self, plugin: Plugin) -> None:
        self.kind = str(plugin.kind)
        self.received(wire.Started(plugin.name, self.kind, plugin.simulated))

    def finds(self, *identities: str) -> None:
        self.received(wire.Found(identities))
        self._clock.advance(0)

    def asked(self, method: str) -> list[Any]:
        """The calls of a method, probes and what not left out."""
        return [m for m in self.heard if isinstance(m, wire.Call) and m.method == method]

    def heard_of(self, kind: type) -> list[Any]:
        return [message for message in self.heard if isinstance(message, kind)]

    def dies(self, reason: str = "was killed by SIGKILL") -> None:
        ended, self._ended = self._ended, None
        if ended is not None:
            ended(reason)

    def kill(self, reason: str) -> None:
        self.killed.append(reason)
        self.dies(reason)

    def stop(self) -> Deferred[None]:
        if not self.running:
            return succeed(None)
        self.stopped = Deferred()
        return self.stopped


class Stage:
    """
    Starts played processes, and notes what is announced.

    :ivar events: ``("arrived", identity)`` and ``("left", identity, reason)``.
    """

    def __init__(self) -> None:
        self.clock = Clock()
        self.processes: list[Process] = []
        self.prepare: Callable[[Process], None] = lambda process: None
        self.error: OSError | None = None
        self.events: list[tuple[str, ...]] = []
        self.devices: dict[str, Device] = {}

    def spawn(self, entry: Entry, received: Received, ended: Ended) -> Link:
        if self.error is not None:
            raise self.error
        process = Process(self.clock, entry, received, ended)
        self.prepare(process)
        self.processes.append(process)
        return process

    @property
    def process(self) -> Process:
        """The newest."""
        return self.processes[-1]

    def arrived(self, device: Device) -> None:
        self.events.append(("arrived", device.identity))
        self.devices[device.identity] = device

    def left(self, device: Device, reason: str) -> None:
        self.events.append(("left", device.identity, reason))

    def pass_time(self, seconds: float, *found: str) -> None:
        """Time passes; twice a second the process says what it finds."""
        steps = round(seconds / 0.05)
        for step in range(1, steps + 1):
            self.clock.advance(0.05)
            if step % 10 == 0 and self.processes and self.process.running:
                self.process.finds(*found)
