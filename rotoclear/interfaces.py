"""
What a driver plugin provides, and what it is handed.

A driver is an ordinary, blocking Python object: no Twisted, no ``async``. It
is found by `twisted.plugin`_ in the package ``rotoclear.plugins`` and then
lives in a process of its own, where each of its devices is called from one
thread that belongs to it. So two calls to one device never overlap, and a
call that takes long holds up nobody but that device.

=======================  ==================  =================
a driver provides        it finds and opens  which provides
=======================  ==================  =================
:class:`ICameraDriver`   camera heads        :class:`ICamera`
:class:`ILightDriver`    lamps               :class:`ILight`
:class:`IStorageDriver`  volumes             :class:`IVolume`
=======================  ==================  =================

A plugin module holds one instance of each driver::

    # rotoclear/plugins/acme_cameras.py, in a distribution of your own
    from acme.rotoclear import AcmeDriver

    acme_camera = AcmeDriver()

**Errors.** A call that the hardware refuses raises :class:`DeviceFailure`; a
device that is no longer there raises :class:`DeviceGone`. Their text reaches
the person at the other end: say what failed and what helps. Any other
exception counts as a fault of the driver: it is logged with its traceback, and
the person is told that the driver failed.

**Time.** A call has two seconds. After that the client has been answered
``Device error``, the process is ended, started anew, and what was confirmed
before is applied again. ``find`` is called about twice a second, ``probe`` four
times, and both should take milliseconds: a device whose probe takes longer than
0.4 seconds counts as gone until it has answered.

**Output.** What is printed on stdout or stderr goes to the server's log;
``context.log`` is the better way.

.. _twisted.plugin: https://docs.twisted.org/en/stable/core/howto/plugin.html
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

from attrs import field, frozen
from zope.interface import Attribute, Interface

from rotoclear.values import Value


class DeviceFailure(Exception):
    """The device refused, or failed at, what it was asked to do."""


class DeviceGone(DeviceFailure):
    """The device is not there any more."""


@frozen
class VideoMode:
    """
    A picture size that a camera delivers, and how fast.

    :ivar width: pixels, even, 2 to 99998.
    :ivar height: pixels, even, 2 to 99998.
    :ivar rates: whole frames per second, at least one, ascending.
    """

    width: int
    height: int
    rates: tuple[int, ...]


IMAGE_CONTROLS = frozenset(
    {
        "brightness",
        "contrast",
        "sharpness",
        "saturation",
        "gain",
        "red-gain",
        "blue-gain",
        "auto-exposure",
        "auto-white-balance",
        "noise-supression",
    }
)
"""The settings that a camera may take into its hardware; software does the others."""


@frozen(kw_only=True)
class CameraDescription:
    """
    What a camera head is and can do.

    :ivar identity: tells this head from every other of this driver, the same
        after a restart and in another port if that can be had: a serial
        number, else the port's path. 1 to 128 printable ASCII characters.
    :ivar model: for people.
    :ivar sensors: the sensors' names; the first is sensor 1. At least one, at
        most 16.
    :ivar modes: at least one.
    :ivar controls: the settings of :data:`IMAGE_CONTROLS` that
        :meth:`ICamera.set` takes.
    :ivar exposure_modes: names that ``auto-exposure`` may have besides
        ``True`` and ``False``.
    :ivar white_balance_modes: likewise for ``auto-white-balance``.
    :ivar head: 1 or 2 if the hardware itself knows where it is plugged in,
        else ``None`` and the configuration decides.
    """

    identity: str
    model: str
    sensors: tuple[str, ...]
    modes: tuple[VideoMode, ...]
    controls: frozenset[str] = field(default=frozenset())
    exposure_modes: tuple[str, ...] = ()
    white_balance_modes: tuple[str, ...] = ()
    head: int | None = None


@frozen(kw_only=True)
class LightDescription:
    """
    What a lamp is.

    :ivar identity: as a camera's.
    :ivar name: for people.
    :ivar head: the camera head that it lights, 1 or 2, or ``None`` and the
        configuration decides.
    """

    identity: str
    name: str
    head: int | None = None


@frozen(kw_only=True)
class VolumeDescription:
    """
    What a volume is.

    :ivar identity: as a camera's; a file system's UUID, say.
    :ivar name: for people: a label. At most 255 characters.
    :ivar removable: someone may pull it.
    """

    identity: str
    name: str
    removable: bool = False


@frozen(kw_only=True)
class VolumeUsage:
    """
    How full a volume is.

    :ivar total: bytes.
    :ivar free: bytes that the server may still write.
    """

    total: int
    free: int


@frozen(kw_only=True)
class DriverContext:
    """
    What a driver is handed when it starts.

    :ivar log: a logger whose records appear in the server's log.
    :ivar options: the driver's section of the configuration file.
    :ivar changed: call it, from any thread, when a device has come or gone:
        ``find`` is then called at once and not only when its turn comes.
    """

    log: logging.Logger
    options: Mapping[str, object]
    changed: Callable[[], None]


class IDriver(Interface):
    """What all drivers have in common."""

    name: str = Attribute(
        """
        Names the driver in the configuration and the log: small letters,
        digits and hyphens, 1 to 64. No two drivers have the same.
        """
    )

    def start(context: DriverContext) -> None:
        """
        Called once, before anything else.

        :raises DeviceFailure: the driver cannot work here; say why.
        """

    def stop() -> None:
        """Called once, after every device was closed. Let go of everything."""

    def find() -> Sequence[str]:
        """
        The identities of the devices that are there now.

        A device that is there but does not answer should not be listed.
        Called from a thread that is no device's.
        """


class ICameraDriver(IDriver):
    """Finds camera heads."""

    def open(identity: str) -> ICamera:
        """
        Open a head that :meth:`find` has named.

        :raises DeviceGone: it is not there any more.
        :raises DeviceFailure: it cannot be opened.
        """


class ICamera(Interface):
    """An open camera head."""

    def describe() -> CameraDescription:
        """What it is and can do. Stays the same while it is open."""

    def probe() -> None:
        """
        Ask the hardware for a sign of life.

        :raises DeviceFailure: there was none.
        """

    def set(control: str, value: Value) -> None:
        """
        Take a setting into the hardware; return when it is there.

        :param control: one of the description's ``controls``.
        :param value: what the key of that name holds: 0 to 100 for the
            sliders (50 is neutral; scale it to the hardware's range), ``True``,
            ``False`` or a mode's name for the automatic functions, a boolean
            for ``noise-supression``.
        :raises DeviceFailure: the hardware did not take it and keeps what it
            had.
        """

    def select(sensor: int, width: int, height: int, rate: int) -> None:
        """
        Choose what the head delivers; return when it does.

        :param sensor: 1 to the number of the description's ``sensors``.
        :param width: with ``height`` and ``rate``, one of its ``modes``.
        :raises DeviceFailure: as for :meth:`set`.
        """

    def close() -> None:
        """Let go of the hardware. Called once; the device may be gone."""


class ILightDriver(IDriver):
    """Finds lamps."""

    def open(identity: str) -> ILight:
        """As :meth:`ICameraDriver.open`."""


class ILight(Interface):
    """A lamp that can be switched."""

    def describe() -> LightDescription:
        """What it is. Stays the same while it is open."""

    def probe() -> None:
        """As :meth:`ICamera.probe`."""

    def switch(on: bool) -> None:
        """
        Turn it on or off; return when it is.

        :raises DeviceFailure: it stays as it was.
        """

    def close() -> None:
        """As :meth:`ICamera.close`. The lamp stays as it is."""


class IStorageDriver(IDriver):
    """Finds volumes to record on."""

    def open(identity: str) -> IVolume:
        """As :meth:`ICameraDriver.open`."""


class IVolume(Interface):
    """A volume to record on."""

    def describe() -> VolumeDescription:
        """What it is. Stays the same while it is open."""

    def probe() -> None:
        """As :meth:`ICamera.probe`."""

    def usage() -> VolumeUsage:
        """
        How full it is now. Called every few seconds.

        :raises DeviceFailure: it cannot be read.
        """

    def close() -> None:
        """As :meth:`ICamera.close`."""


class ISimulated(Interface):
    """
    A driver whose devices can be told to misbehave, for rehearsals.

    Provided in addition to one of the driver interfaces.
    """

    def simulate(
        action: str, identity: str, arguments: Mapping[str, Value]
    ) -> Mapping[str, object] | None:
        """
        Make something happen. Called from a thread that is no device's.

        :param action: ``"unplug"``, ``"plug"``, ``"clear"`` (end all faults),
            ``"show"`` or the name of a fault that the driver documents.
        :param identity: of the device it happens to.
        :param arguments: what the fault needs, a latency in milliseconds, say.
        :return: for ``"show"``, what the simulated hardware holds, ready for JSON.
        :raises ValueError: there is no such action, device or argument; the
            text names those there are.
        """
