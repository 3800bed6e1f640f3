"""
A driver's process: ``python -m rotoclear.devices.host MODULE ATTRIBUTE``.

It loads one driver and offers its devices to the server over the socket that
is its descriptor 3, in the words of :mod:`rotoclear.devices.wire`. Threads:

* the main thread loads and starts the driver, then reads what the server asks;
* one looks for devices (:class:`Finder`);
* one for each open device makes all calls to it (:class:`Opened`).

Whoever has an answer writes it. The process keeps no time: the server does,
and ends it when a call takes too long. It imports as little as it can, for
each driver pays for it, and no Twisted.
"""

from __future__ import annotations

import ctypes
import faulthandler
import importlib
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any, Final, NoReturn

from rotoclear.devices import wire
from rotoclear.devices.hostio import Channel, RecordSender, refusal, summary, trace
from rotoclear.devices.kinds import KindError, kind_of
from rotoclear.interfaces import DeviceFailure, DeviceGone, DriverContext, ISimulated, UdevDevice

DESCRIPTOR: Final = 3
"""The socket to the server."""

FIND_INTERVAL: Final = 0.5
"""Seconds between two calls of ``find``."""

FIND_SOON: Final = 0.1
"""The same for a while after a device has gone: it may just have been reset."""

SOON: Final = 5
"""How many times that is."""

_PR_SET_PDEATHSIG: Final = 1


class Finder(threading.Thread):
    """Calls ``find`` again and again, at once when the driver says that something changed."""

    def __init__(self, driver: Any, channel: Channel, changed: threading.Event) -> None:
        super().__init__(name="find", daemon=True)
        self._driver = driver
        self._channel = channel
        self._changed = changed

    def run(self) -> None:
        before: frozenset[str] = frozenset()
        soon = 0
        while True:
            self._changed.clear()
            message = self._find()
            self._channel.send(message)
            if isinstance(message, wire.Found):
                now = frozenset(message.identities)
                soon = SOON if before - now else max(soon - 1, 0)
                before = now
            self._changed.wait(FIND_SOON if soon else FIND_INTERVAL)

    def _find(self) -> wire.Found | wire.Lost:
        try:
            found = self._driver.find()
            if isinstance(found, str) or not isinstance(found, Sequence):
                raise TypeError(f"find() returned {found!r:.200}, not a sequence of identities")  # noqa: TRY301
            wrong = [identity for identity in found if not isinstance(identity, str)]
            if wrong:
                raise TypeError(f"find() named {wrong[0]!r:.200}, which is no str")  # noqa: TRY301
            return wire.Found(tuple(found))
        except DeviceFailure as error:
            return wire.Lost(wire.cut(str(error)))
        except BaseException as error:  # noqa: BLE001 - SystemExit would end the thread unseen
            return wire.Lost(summary(error), trace(error))


class Opened(threading.Thread):
    """One device: opens it, makes all calls to it, one after another, and closes it."""

    def __init__(self, driver: Any, opening: wire.Open, channel: Channel) -> None:
        super().__init__(name=f"device {opening.identity}", daemon=True)
        self._driver = driver
        self._opening = opening
        self._channel = channel
        self._tasks: SimpleQueue[wire.Call | wire.Close] = SimpleQueue()
        self._device: Any = None

    def ask(self, task: wire.Call | wire.Close) -> None:
        """Do this when its turn comes."""
        self._tasks.put(task)

    def run(self) -> None:
        self._answer(self._opening.request, self._open)
        while True:
            task = self._tasks.get()
            if isinstance(task, wire.Close):
                self._answer(task.request, self._close)
                return
            self._answer(task.request, self._call, task)

    def _open(self) -> object:
        self._device = self._driver.open(self._opening.identity)
        return self._device.describe()

    def _call(self, task: wire.Call) -> object:
        if self._device is None:
            raise DeviceGone("It was not opened")
        result = getattr(self._device, task.method)(*task.arguments)
        return result if task.method in wire.RESULTS else None

    def _close(self) -> None:
        if self._device is not None:
            self._device.close()

    def _answer(self, request: int, do: Callable[..., object], *arguments: object) -> None:
        try:
            self._channel.send(wire.Answer(request, do(*arguments)))
        except BaseException as error:  # noqa: BLE001 - SystemExit would end the thread unseen
            self._channel.send(refusal(request, error))


class Host:
    """The driver and its open devices."""

    def __init__(self, module: str, attribute: str, channel: Channel) -> None:
        self._module = module
        self._attribute = attribute
        self._channel = channel
        self._devices: dict[int, Opened] = {}
        self._driver: Any = None
        self._changed = threading.Event()
        self._present: tuple[UdevDevice, ...] = ()

    def run(self) -> NoReturn:
        """Do what the server asks until it has enough."""
        for message in self._channel.messages():
            match message:
                case wire.Start():
                    self._start(message)
                case wire.Present(devices):
                    self._present = devices
                    self._changed.set()
                case wire.Open(_, number, _):
                    device = self._devices[number] = Opened(self._driver, message, self._channel)
                    device.start()
                case wire.Call(_, number):
                    self._devices[number].ask(message)
                case wire.Close(_, number):
                    self._devices.pop(number).ask(message)
                case wire.Simulate():
                    self._simulate(message)
                case wire.Stop():
                    self._stop()
        os._exit(0)

    def _start(self, message: wire.Start) -> None:
        self._present = message.devices
        options: dict[str, Any] = dict(message.options)
        try:
            self._driver = getattr(importlib.import_module(self._module), self._attribute)
            kind = kind_of(self._driver)
            self._driver.start(
                DriverContext(
                    log=logging.getLogger(str(self._driver.name)),
                    options=options,
                    changed=self._changed.set,
                    devices=lambda: self._present,
                    publish=lambda name, value: self._channel.send(wire.Published(name, value)),
                    data_dir=message.data_dir,
                )
            )
            started = wire.Started(
                self._driver.name, kind, bool(ISimulated.providedBy(self._driver))
            )
            self._channel.send(started)
        except (DeviceFailure, KindError) as error:
            self._give_up(str(error))
        except BaseException as error:  # noqa: BLE001 - SystemExit is a fault here, too
            self._give_up(summary(error), trace(error))
        Finder(self._driver, self._channel, self._changed).start()

    def _give_up(self, message: str, traceback: str = "") -> NoReturn:
        self._channel.send(wire.Stopped(wire.cut(message), traceback))
        os._exit(1)

    def _simulate(self, message: wire.Simulate) -> None:
        try:
            result = self._driver.simulate(message.action, message.identity, message.arguments)
            self._channel.send(wire.Answer(message.request, result))
        except ValueError as error:
            self._channel.send(wire.Refused(message.request, "value", wire.cut(str(error))))
        except BaseException as error:  # noqa: BLE001 - SystemExit is a fault here, too
            self._channel.send(refusal(message.request, error))

    def _stop(self) -> NoReturn:
        """Close and stop as politely as the driver lets us; the server kills the rest."""
        devices = list(self._devices.values())
        for device in devices:
            device.ask(wire.Close(0, 0))
        for device in devices:
            device.join()
        try:
            self._driver.stop()
        except BaseException:
            logging.getLogger(self._module).exception("stop() failed")
        sys.stdout.flush()
        os._exit(0)


def die_with_parent(parent: int) -> None:
    """
    Have the kernel kill this process when the server ends, however it ends.

    The end of the socket says so, too, but a driver may hold the interpreter.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def main(arguments: Sequence[str]) -> NoReturn:
    """Be a host. Arguments: module, attribute, the server's process id."""
    module, attribute, parent = arguments
    die_with_parent(int(parent))
    os.setsid()  # neither the terminal's Ctrl-C nor its end are for a driver
    faulthandler.enable()
    connection = socket.socket(fileno=DESCRIPTOR)
    connection.set_inheritable(False)
    connection.setblocking(True)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors="replace")  # type: ignore[union-attr]
    channel = Channel(connection)
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s", handlers=[])
    logging.getLogger().addHandler(RecordSender(channel, time.monotonic))
    Host(module, attribute, channel).run()


if __name__ == "__main__":
    main(sys.argv[1:])
