"""
What udev knows of the kernel's devices, by way of libudev.

Opening and listing are calls for a thread: they read files, and to find the library
``ctypes`` may start a process. A :class:`Monitor` then belongs to the reactor.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Protocol

from attrs import frozen
from twisted.logger import Logger

from rotoclear.devices import sysfs
from rotoclear.interfaces import UdevDevice

CONTROL: Final = "/run/udev/control"
"""systemd-udevd's socket: where it is not, nobody tells of devices. (libudev looks for it, too.)"""

BUFFER: Final = 16 * 1024 * 1024
"""Bytes of events that may wait, if we may have so many: about 7,000 events."""

_PASSING: Final = ("ACTION", "SEQNUM", "SYNTH_UUID", "DEVPATH_OLD", "UDEV_DATABASE_VERSION")
"""Properties of an event and not of the device."""


class NoUdev(Exception):
    """Nobody tells of devices. ``str()`` says why, for people."""


class Overflow(Exception):
    """Events were lost."""


@frozen
class Event:
    """
    Something happened to a device.

    :ivar gone: a path where there is no device any more, or ``""``.
    :ivar device: what is there now, or ``None``.
    """

    gone: str
    device: UdevDevice | None


class Events(Protocol):
    """Events as they come: a :class:`Monitor`, or a test's."""

    def fileno(self) -> int:
        """What is readable when there are some."""

    def add(self, subsystem: str) -> None:
        """Those of this subsystem, too."""

    def receive(self) -> Event | None:
        """
        The next one, or ``None`` if there is none yet.

        :raises Overflow: events were lost before those that come now, or after.
        :raises OSError: there will be no more.
        """

    def close(self) -> None:
        """Let go of it."""


class Source(Protocol):
    """Where events and lists come from: :class:`Udev`, or a test's. All of it may block."""

    def open(self, subsystems: Iterable[str]) -> Events:
        """
        Listen to events of these subsystems.

        :raises NoUdev: nobody tells of any.
        """

    def list(self, subsystems: Iterable[str], *, udev: bool) -> Iterable[UdevDevice]:
        """
        The devices that there are.

        :param udev: as udev knows them, and only those that it has dealt with;
            else as the kernel shows them.
        """


class Monitor:
    """
    Events of a udev daemon's.

    :param monitor: a ``pyudev.Monitor`` that was not started yet.
    :raises OSError: it cannot be.
    """

    _log = Logger()

    def __init__(self, monitor: Any, subsystems: Iterable[str], buffer: int = BUFFER) -> None:
        self._monitor = monitor
        self._subsystems: set[str] = set()
        for subsystem in subsystems:
            self.add(subsystem)
        try:
            # Tries what anybody may have before it asks for what only root may.
            monitor.set_receive_buffer_size(buffer)
        except OSError:
            self._log.debug("the buffer for udev's events stays as small as the kernel has it")
        monitor.start()
        # Another way to the same socket: libudev does not tell of its errors before
        # it reads, and pyudev does not read while there are any.
        self._socket = socket.socket(fileno=os.dup(monitor.fileno()))

    def fileno(self) -> int:
        return self._socket.fileno()

    def add(self, subsystem: str) -> None:
        if subsystem not in self._subsystems:
            self._subsystems.add(subsystem)
            # The kernel drops the others, without waking us up.
            self._monitor.filter_by(subsystem)

    def receive(self) -> Event | None:
        while True:
            number = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number == errno.ENOBUFS:
                self._hear_again()
                raise Overflow
            if number:
                raise OSError(number, os.strerror(number))
            try:
                device = self._monitor.poll(timeout=0)
            except ValueError:  # a message that libudev does not understand
                continue
            except OSError as error:
                # pyudev's own for POLLERR has no number: the socket's tells.
                if error.errno == errno.ENOBUFS:
                    self._hear_again()
                    raise Overflow from None
                if error.errno is None:
                    continue
                raise
            return None if device is None else _event(dict(device.properties))

    def _hear_again(self) -> None:
        """
        After a loss the kernel gives us nothing until someone reads and finds nothing left.

        That is how events end that were waiting; where none were, nobody would read.
        (Linux, net/netlink/af_netlink.c: NETLINK_S_CONGESTED.)
        """
        try:
            self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ENOBUFS):
                raise

    def close(self) -> None:
        self._socket.close()
        del self._monitor  # closes libudev's


def _event(properties: dict[str, str]) -> Event:
    action = properties.get("ACTION")
    old = properties.get("DEVPATH_OLD", "")
    device = described(properties)
    if action == "remove":
        return Event(device.path, None)
    return Event(f"{sysfs.ROOT}{old}" if old else "", device)


def described(properties: dict[str, str]) -> UdevDevice:
    """A device, by its properties as libudev has them; they are changed."""
    for name in _PASSING:
        properties.pop(name, None)
    return UdevDevice(
        path=sysfs.ROOT + properties.get("DEVPATH", ""),
        subsystem=properties.get("SUBSYSTEM", ""),
        node=properties.get("DEVNAME", ""),
        properties=properties,
    )


class Udev:
    """
    The real :class:`Source`.

    :param control: see :data:`CONTROL`.
    :param buffer: see :data:`BUFFER`.
    """

    def __init__(self, control: str = CONTROL, buffer: int = BUFFER) -> None:
        self._control = control
        self._buffer = buffer
        self._listing: Any = None

    def open(self, subsystems: Iterable[str]) -> Monitor:
        if not Path(self._control).exists():
            raise NoUdev("No udev daemon runs")
        try:
            import pyudev

            # libudev's objects are no threads' common property: the lists have their own.
            self._listing = self._listing or pyudev.Context()
            monitor = pyudev.Monitor.from_netlink(pyudev.Context(), source="udev")
            return Monitor(monitor, subsystems, self._buffer)
        except ImportError as error:
            raise NoUdev(f"libudev cannot be loaded: {error}") from None
        except OSError as error:
            raise NoUdev(f"udev cannot be listened to: {error.strerror or error}") from None

    def list(self, subsystems: Iterable[str], *, udev: bool) -> Iterable[UdevDevice]:
        subsystems = tuple(subsystems)
        if not udev:
            return sysfs.devices(subsystems)
        found = []
        for subsystem in subsystems:
            devices = self._listing.list_devices(subsystem=subsystem)
            # Of one without a node or anything of udev's own, such as an LED,
            # there is no record: libudev counts it as dealt with.
            for device in devices.match_is_initialized():
                try:
                    found.append(described(dict(device.properties)))
                except (OSError, KeyError):  # it has gone while it was looked at
                    continue
        return found
