"""
A driver's process: ``python -m rotoclear.devices.host MODULE ATTRIBUTE``.

It loads one driver and offers its devices to the server over the socket that
is its descriptor 3, in the words of :mod:`rotoclear.devices.wire`. Threads:

* the main thread loads and starts the driver, then reads what the server asks;
* one looks for devices (:class:`Finder`);
* one sets the driver's own keys and has simulated devices misbehave (:class:`Asked`);
* one for each open device makes all calls to it, but for a camera's ``read``,
  which has another (:mod:`~rotoclear.devices.hostdevices`,
  :mod:`~rotoclear.devices.streaming`).

Whoever has an answer writes it. The process keeps no time: the server does,
and ends it when a call takes too long. It imports as little as it can, for
each driver pays for it, and no Twisted.
"""

from __future__ import annotations

import faulthandler
import importlib
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from queue import SimpleQueue
from typing import Any, Final, NoReturn

from rotoclear.devices import wire
from rotoclear.devices.hostdevices import Opened, Viewing
from rotoclear.devices.hostio import Channel, RecordSender, explained, refusal, summary, trace
from rotoclear.devices.kinds import KindError, kind_of
from rotoclear.interfaces import (
    DeviceFailure,
    DriverContext,
    DriverUnusable,
    ISimulated,
    Option,
    UdevDevice,
)
from rotoclear.processes.framing import WireError
from rotoclear.processes.parent import die_with_parent, keep_offspring
from rotoclear.values import Value

DESCRIPTOR: Final = 3
"""The socket to the server."""

FIND_INTERVAL: Final = 0.5
"""Seconds between two calls of ``find``."""

FIND_SOON: Final = 0.1
"""The same for a while after a device has gone: it may just have been reset."""

SOON: Final = 5
"""How many times that is."""


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
            try:
                self._channel.send(message)
            except WireError as error:
                message = wire.Lost(f"What find() named {error}")
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
            return wire.Lost(explained(error))
        except BaseException as error:  # noqa: BLE001 - SystemExit would end the thread unseen
            return wire.Lost(summary(error), trace(error))


class Asked(threading.Thread):
    """Does what is asked of the driver itself, one thing after another."""

    def __init__(self, driver: Any, channel: Channel) -> None:
        super().__init__(name="asked", daemon=True)
        self._driver = driver
        self._channel = channel
        self._tasks: SimpleQueue[wire.SetKey | wire.Simulate] = SimpleQueue()

    def ask(self, task: wire.SetKey | wire.Simulate) -> None:
        """Do this when its turn comes."""
        self._tasks.put(task)

    def run(self) -> None:
        while True:
            task = self._tasks.get()
            try:
                self._channel.send(wire.Answer(task.request, self._do(task)))
            except BaseException as error:  # noqa: BLE001 - SystemExit would end the thread unseen
                answer = refusal(task.request, error)
                if isinstance(task, wire.Simulate) and isinstance(error, ValueError):
                    answer = wire.Refused(task.request, "value", explained(error))
                self._channel.send(answer)

    def _do(self, task: wire.SetKey | wire.Simulate) -> object:
        if isinstance(task, wire.SetKey):
            self._driver.set_key(task.name, task.value)
            return None
        return self._driver.simulate(task.action, task.identity, task.arguments)


class Host:
    """The driver and its open devices."""

    def __init__(self, module: str, attribute: str, channel: Channel) -> None:
        self._module = module
        self._attribute = attribute
        self._channel = channel
        self._devices: dict[int, Opened] = {}
        self._driver: Any = None
        self._asked: Asked | None = None
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
                    device = self._devices[number] = Opened(
                        self._driver, message, self._channel, self._changed.set
                    )
                    device.start()
                case wire.Call(_, number):
                    self._devices[number].ask(message)
                case wire.Stream(request, number):
                    self._stream(request, number)
                case wire.Close(_, number):
                    self._devices.pop(number).ask(message)
                case wire.SetKey() | wire.Simulate():
                    if self._asked is not None:
                        self._asked.ask(message)
                case wire.Stop():
                    self._stop()
        os._exit(0)

    def _start(self, message: wire.Start) -> None:
        self._present = message.devices
        try:
            self._driver = getattr(importlib.import_module(self._module), self._attribute)
            kind = kind_of(self._driver)
            self._driver.start(
                DriverContext(
                    log=logging.getLogger(str(self._driver.name)),
                    options=settings(self._driver.options, message.options),
                    changed=self._changed.set,
                    devices=lambda: self._present,
                    publish=self._publish,
                    data_dir=message.data_dir,
                )
            )
            started = wire.Started(
                self._driver.name, kind, bool(ISimulated.providedBy(self._driver))
            )
            self._channel.send(started)
        except DriverUnusable as error:
            self._give_up(explained(error) or "It cannot work here", unusable=True)
        except (DeviceFailure, KindError) as error:
            self._give_up(explained(error))
        except BaseException as error:  # noqa: BLE001 - SystemExit is a fault here, too
            self._give_up(summary(error), trace(error))
        self._asked = Asked(self._driver, self._channel)
        self._asked.start()
        Finder(self._driver, self._channel, self._changed).start()

    def _give_up(self, message: str, traceback: str = "", *, unusable: bool = False) -> NoReturn:
        self._channel.send(wire.Stopped(message, traceback, unusable))
        os._exit(1)

    def _publish(self, name: str, value: Value) -> None:
        try:
            self._channel.send(wire.Published(str(name), value))
        except WireError as error:
            logging.getLogger(str(self._driver.name)).warning("the value of %s %s", name, error)

    def _stream(self, request: int, number: int) -> None:
        connection = self._channel.connection()
        if connection is None:
            refused = wire.Refused(request, "failure", "No socket came with the request")
            self._channel.send(refused)
        else:
            self._devices[number].ask(Viewing(request, connection))

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


def settings(options: Sequence[Option], given: Mapping[str, object]) -> dict[str, Any]:
    """
    What a driver's options hold: what the configuration gives them, or their defaults.

    The server has checked what was given; here it only gets the type that the
    driver reckons with.
    """
    result: dict[str, Any] = {option.name: option.default for option in options}
    for name, value in given.items():
        if isinstance(value, list):
            result[name] = tuple(value)
        elif isinstance(result.get(name), float) and isinstance(value, int):
            result[name] = float(value)
        else:
            result[name] = value
    return result


class _Forks:
    """
    Tells the log of processes that the driver forks, once.

    Threads do not survive a fork: what goes on in such a process is half a driver.
    """

    def __init__(self) -> None:
        self._told = False

    def count(self) -> None:
        """There is one more."""
        if not self._told:
            self._told = True
            logging.getLogger("host").warning(
                "it has forked: the new process can reach neither the server nor its devices"
            )


def main(arguments: Sequence[str]) -> NoReturn:
    """Be a host. Arguments: module, attribute, the server's process id."""
    module, attribute, parent = arguments
    die_with_parent(int(parent))
    keep_offspring()
    os.setsid()  # neither the terminal's Ctrl-C nor its end are for a driver
    faulthandler.enable()
    connection = socket.socket(fileno=DESCRIPTOR)
    connection.set_inheritable(False)
    connection.setblocking(True)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors="replace")  # type: ignore[union-attr]
    channel = Channel(connection)
    os.register_at_fork(after_in_child=channel.abandon, after_in_parent=_Forks().count)
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s", handlers=[])
    logging.getLogger().addHandler(RecordSender(channel, time.monotonic))
    Host(module, attribute, channel).run()


if __name__ == "__main__":
    main(sys.argv[1:])
