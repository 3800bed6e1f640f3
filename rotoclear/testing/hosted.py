"""A driver in a process of its own, as the server runs it."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rotoclear.devices import ring, wire
from rotoclear.interfaces import DeviceFailure, DeviceGone, Setting, UdevDevice
from rotoclear.testing.bench import LIMIT, Crash, Late, Vitals
from rotoclear.testing.process import HostProcess
from rotoclear.testing.vitals import kept, vitals
from rotoclear.testing.work import Task
from rotoclear.values import Value

CLOSE: Final = LIMIT + 1.0
"""Seconds for closing a camera that may have a read under way."""


class HostedBench:
    """
    See the module: a :class:`~rotoclear.testing.bench.Bench`.

    :param module: with the driver in it.
    :param attribute: the driver's name there.
    :param options: those that the configuration would hold.
    :param devices: of the kernel's.
    :param data_dir: a folder that exists.
    """

    where = "in its own process"

    def __init__(
        self,
        module: str,
        attribute: str,
        options: Mapping[str, Setting],
        devices: Sequence[UdevDevice],
        data_dir: str,
    ) -> None:
        self.process = HostProcess(module, attribute)
        self.simulated = False
        self._options = options
        self._devices = devices
        self._data_dir = data_dir
        self._stopped = False

    @property
    def published(self) -> Sequence[tuple[str, Value]]:
        return self.process.published

    def start(self) -> None:
        self.simulated = self.process.start(self._options, self._devices, self._data_dir).simulated

    def find(self) -> Sequence[str]:
        return self.process.find(self._devices, LIMIT)

    def open(self, identity: str) -> HostedHandle:
        return HostedHandle(self.process, identity)

    def set_key(self, name: str, value: Value) -> None:
        what = f"set_key({name!r}, {value!r})"
        self.process.ask(what, lambda request: wire.SetKey(request, name, value)).result()

    def simulate(self, action: str, identity: str) -> Mapping[str, Any] | None:
        task = self.process.ask(
            f"simulate({action!r}, {identity!r})",
            lambda request: wire.Simulate(request, action, identity, {}),
        )
        shown: Mapping[str, Any] | None = task.result()
        return shown

    def present(self, devices: Sequence[UdevDevice]) -> None:
        self._devices = devices

    def vitals(self) -> Vitals:
        return vitals(self.process.pid)

    def kept(self) -> int:
        return kept(self.process.pid)

    def stop(self) -> float:
        if self._stopped:
            return 0.0
        self._stopped = True
        try:
            took = self.process.stop()
        finally:
            self.process.close()
        for _, text in self.process.records:
            if text.partition(": ")[2].startswith("stop() failed"):
                raise Crash("stop() raised; the log has it", text)
        return took


class HostedHandle:
    """An open device: a :class:`~rotoclear.testing.bench.Handle`."""

    def __init__(self, process: HostProcess, identity: str) -> None:
        self.identity = identity
        self._process = process
        self._number = number = process.number()
        self.raw = process.ask(
            f"open({identity!r})", lambda request: wire.Open(request, number, identity)
        ).result()

    def describe(self) -> object:
        return self.raw

    def begin(self, method: str, *arguments: Value) -> Task:
        return self._process.ask(
            f"{method}({', '.join(map(repr, arguments))})",
            lambda request: wire.Call(request, self._number, method, arguments),
        )

    def call(self, method: str, *arguments: Value) -> Any:
        return self.begin(method, *arguments).result()

    def stream(self) -> HostedStream:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                self._process.ask(
                    "the view of its pictures",
                    lambda request: wire.Stream(request, self._number),
                    theirs.fileno(),
                ).result()
            except BaseException:
                ours.close()
                raise
        return HostedStream(ours)

    def close(self) -> None:
        task = self._process.ask("close()", lambda request: wire.Close(request, self._number))
        task.result(CLOSE)


class HostedStream:
    """A viewer: a :class:`~rotoclear.testing.bench.Stream`."""

    def __init__(self, connection: socket.socket) -> None:
        self._reader = ring.Reader(connection)

    def next(self, limit: float = LIMIT) -> ring.Picture:
        began = time.monotonic()
        try:
            return self._reader.next(limit)
        except TimeoutError:
            waited = time.monotonic() - began
            raise Late(f"no picture came within {waited:.1f} s") from None
        except ring.NoPictures as error:
            raise DeviceFailure(str(error)) from None
        except ring.ViewEnded as error:
            raise DeviceGone(str(error)) from None

    def stop(self) -> None:
        self._reader.close()
