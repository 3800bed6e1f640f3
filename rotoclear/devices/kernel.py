"""
What libudev tells of the kernel's devices, by way of pyudev.

Two sources: a **monitor**, a netlink socket that is read without blocking, and
an **enumeration** of sysfs, which reads files and belongs into a thread.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from typing import Any, Final, Protocol

from attrs import frozen

from rotoclear.interfaces import UdevDevice

BUFFER: Final = 8 * 2**20
"""
Bytes of events that may wait in the kernel.

An event takes two or three kilobytes of it, so this is a few thousand.
"""

CONTROL: Final = "/run/udev/control"
"""Where a udev daemon can be reached, if there is one."""


class Overflow(Exception):
    """There were more events than the kernel keeps: some are lost."""


class NoUdev(Exception):
    """There is no libudev. ``str()`` says what helps."""


@frozen
class Event:
    """
    Something has happened to a device.

    :ivar gone: it is not there any more.
    :ivar old: the path that it had before, if it was renamed.
    """

    device: UdevDevice
    gone: bool
    old: str = ""


class Kernel(Protocol):
    """Both sources; the real one is :class:`Libudev`."""

    def fileno(self) -> int:
        """Readable when :meth:`receive` has something."""

    def listen(self, subsystem: str) -> None:
        """Tell of events of that subsystem, too, from now on."""

    def receive(self) -> Event | None:
        """
        The next event; ``None`` if there is none.

        :raises Overflow: some are lost.
        """

    def enumerate(self, subsystems: Iterable[str], *, hot: bool) -> list[UdevDevice]:
        """
        What is there now; blocking.

        :param hot: there is a udev daemon: devices that it has not seen yet are
            left out, for an event will tell.
        """

    def hot(self) -> bool:
        """There is a udev daemon."""

    def close(self) -> None:
        """Let go of the socket."""


class Libudev:
    """
    The real one.

    :raises NoUdev: libudev cannot be loaded.
    :raises OSError: there can be no socket.
    """

    def __init__(self, buffer: int = BUFFER) -> None:
        try:
            import pyudev
        except ImportError as error:
            raise NoUdev(f"libudev cannot be loaded ({error}): install libudev1") from None
        self._pyudev: Any = pyudev
        self._monitor = pyudev.Monitor.from_netlink(pyudev.Context(), source="udev")
        try:
            self._monitor.set_receive_buffer_size(buffer)
        except OSError:
            pass  # only root may have that much; the kernel's own size has to do
        self._listening = False

    def fileno(self) -> int:
        return int(self._monitor.fileno())

    def listen(self, subsystem: str) -> None:
        self._monitor.filter_by(subsystem)
        if not self._listening:
            self._listening = True
            self._monitor.start()

    def receive(self) -> Event | None:
        try:
            device = self._monitor.poll(timeout=0)
        except OSError as error:
            if error.errno == errno.ENOBUFS:
                raise Overflow from None
            raise
        if device is None:
            return None
        properties = dict(device.properties)
        action = device.action
        return Event(
            _known(device, properties),
            gone=action in ("remove", "offline"),
            old=f"/sys{properties['DEVPATH_OLD']}" if "DEVPATH_OLD" in properties else "",
        )

    def enumerate(self, subsystems: Iterable[str], *, hot: bool) -> list[UdevDevice]:
        # A context of its own: libudev's are not for two threads.
        context = self._pyudev.Context()
        found = []
        for subsystem in subsystems:
            for device in context.list_devices(subsystem=subsystem):
                try:
                    if device.is_initialized or not hot:
                        found.append(_known(device, dict(device.properties)))
                except (OSError, self._pyudev.DeviceNotFoundError):
                    continue  # it has just gone
        return found

    def hot(self) -> bool:
        return os.path.exists(CONTROL)  # noqa: PTH110 - in memory, a few microseconds

    def close(self) -> None:
        # The monitor closes its socket when nobody has it any more.
        self._monitor = None


def _known(device: Any, properties: dict[str, str]) -> UdevDevice:
    return UdevDevice(
        path=str(device.sys_path),
        subsystem=str(device.subsystem),
        node=str(device.device_node or ""),
        properties={str(name): str(value) for name, value in properties.items()},
    )
