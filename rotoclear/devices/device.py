"""
An open device, as the server sees it.

The device itself lives in a driver's process; here are the words in which
the rest of the room (:mod:`~rotoclear.devices.heads`,
:mod:`~rotoclear.devices.lamps`, :mod:`~rotoclear.devices.volumes`) speaks of
it. The supervisor provides the real ones, tests bring their own.
"""

from __future__ import annotations

from collections.abc import Callable
from socket import socket
from typing import Literal, Protocol

from twisted.internet.defer import Deferred

from rotoclear.interfaces import CameraDescription, LightDescription, VolumeDescription
from rotoclear.values import Value

Kind = Literal["camera", "light", "storage"]
"""What a driver, and each of its devices, is."""

Description = CameraDescription | LightDescription | VolumeDescription
"""What a device says about itself; checked against the documented ranges."""


class Device(Protocol):
    """
    One open device of one driver.

    It is one process's opening of it: when the driver's process was started
    anew, or the device was unplugged and plugged in, that makes a new object
    with the same :attr:`driver` and :attr:`identity`.
    """

    @property
    def kind(self) -> Kind:
        """What its driver is; decides the type of :attr:`description`."""

    @property
    def driver(self) -> str:
        """The name of its driver."""

    @property
    def identity(self) -> str:
        """Tells it from every other device of its driver; 1 to 128 printable ASCII."""

    @property
    def description(self) -> Description:
        """What it said about itself when it was opened."""

    @property
    def alive(self) -> bool:
        """It answered its last probe, and nobody has said that it is gone."""

    def call(self, method: str, *arguments: Value) -> Deferred[object]:
        """
        Call a method of the driver's object, or ``capture``, which takes one picture.

        ``set``, ``select``, ``switch``, ``usage`` and ``probe`` are those of
        :mod:`rotoclear.interfaces`.

        Calls to one device are made one after another, in this order.

        :return: what the method returned: ``None``, or
            :class:`~rotoclear.interfaces.VolumeUsage` from ``usage``,
            :class:`~rotoclear.devices.ring.CaptureInfo` from ``capture``. Fires
            within two seconds whatever the driver does.
        :raises rotoclear.state.errors.DeviceError: through the Deferred: the
            device refused or failed, is gone, or did not answer in time. Its
            text is for the person who asked.
        """

    def view(self) -> Deferred[socket]:
        """
        Look at a camera's pictures: it runs while someone does.

        :return: a socket for a :class:`rotoclear.devices.ring.Reader`, here or in
            another process; to close it ends the view. That the camera gives no
            pictures is told over it, and it ends when the camera, or its
            process, is gone. Cancel the Deferred when nobody waits any more.
        :raises rotoclear.state.errors.DeviceError: as for :meth:`call`.
        """


Arrived = Callable[[Device], None]
"""
A device was opened, described itself and answered its first probe.

Called again, without a ``left`` in between, with a new object of the same
driver and identity when the driver's process died and was back within a
second: the hardware may have lost its settings, so they are applied again.
"""

Left = Callable[[Device, str], None]
"""
A device is not there any more, and why, for people.

Its driver does not name it any more, it failed a probe or did not answer it
for a second, or its process has been gone for a second.
"""


class DeviceSource(Protocol):
    """Where devices come from: the supervisor, or a test."""

    def subscribe(self, arrived: Arrived, left: Left) -> None:
        """
        Be told of devices that come and go, from now on.

        Those that are there already are announced at once.
        """
