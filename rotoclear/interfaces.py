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
    from acme.camera import AcmeCamera

    acme_camera = AcmeCamera()

**Errors.** A call that the hardware refuses raises :class:`DeviceFailure`; a
device that is no longer there raises :class:`DeviceGone`; a driver that cannot
work on this machine at all says so with :class:`DriverUnusable` when it starts.
Their text reaches the person at the other end: say what failed and what helps.
Any other exception counts as a fault of the driver: it is logged with its
traceback, and the person is told that the driver failed.

**Time.** A call has two seconds. After that the client has been answered
``Device error``, the process is ended, started anew, and what was confirmed
before is applied again. ``find`` is called about twice a second, ``probe`` four
times, and both should take milliseconds: a device whose probe takes longer than
0.4 seconds counts as gone until it has answered. To be loaded and started a
driver has 20 seconds, to stop, one.

**Threads.** ``start`` and ``stop`` of a driver are called from one thread,
``find`` from a second, ``set_key`` and ``simulate`` from a third. Each device has
a thread of its own, for ``open`` and for everything after it but
:meth:`ICamera.read`, which has one more: it is the one call that another call to the same device
(:meth:`ICamera.set`, :meth:`ICamera.probe`) may overlap.

**Life.** A driver that names the devices it is for (:attr:`IDriver.matches`) has
a process only while one of them is plugged in; any other has one all the time.
A process may be killed at any moment and must leave nothing behind that keeps
the next one from its hardware: no lock file, no child that lives on.

**Output.** What is printed on stdout or stderr goes to the server's log;
``context.log`` is the better way.

.. _twisted.plugin: https://docs.twisted.org/en/stable/core/howto/plugin.html
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

from attrs import field, frozen
from zope.interface import Attribute, Interface

from rotoclear.values import Value, ValueType


class DeviceFailure(Exception):
    """The device refused, or failed at, what it was asked to do."""


class DeviceGone(DeviceFailure):
    """The device is not there any more."""


class DriverUnusable(Exception):
    """
    The driver cannot work on this machine, and trying again would not help.

    A library is missing, say, or a permission. ``str()`` says what to do about it.
    """


# -- what a driver says of itself ----------------------------------------------


@frozen(kw_only=True)
class Match:
    """
    Which devices of the kernel's a driver is for.

    :ivar subsystem: theirs: ``"video4linux"``, ``"leds"``, ``"block"``, ...
    :ivar devtype: udev's ``DEVTYPE``, such as ``"partition"``, or ``None`` for any.
    :ivar properties: what udev must know of them, all of it: property names and
        patterns as of ``fnmatch``, upper and lower case told apart
        (``{"ID_VENDOR_ID": "1d6b"}``). Where no udev
        daemon runs, nobody knows properties, and they are not looked at.
    """

    subsystem: str
    devtype: str | None = None
    properties: Mapping[str, str] = field(factory=dict)


@frozen(kw_only=True)
class UdevDevice:
    """
    A device of the kernel's, as udev tells of it.

    :ivar path: in sysfs, absolute: ``"/sys/devices/.../video4linux/video0"``.
    :ivar subsystem: as in :class:`Match`.
    :ivar node: ``"/dev/video0"``, or ``""`` if it has none.
    :ivar properties: udev's: ``ID_SERIAL_SHORT``, ``ID_PATH``, ``ID_FS_UUID``, ...
        Where no udev daemon runs, only those of the kernel's own.
    """

    path: str
    subsystem: str
    node: str = ""
    properties: Mapping[str, str] = field(factory=dict)


Setting = bool | int | float | str | tuple[str, ...]
"""What an option may hold."""


@frozen(kw_only=True)
class Option:
    """
    One setting of a driver, in the configuration file's section ``[drivers.NAME]``.

    :ivar name: small letters, digits and hyphens, 1 to 64 characters.
    :ivar default: what it is when the section does not say; its type is the
        option's. ``int`` may be given for a ``float``.
    :ivar doc: a line for people, 1 to 500 characters: what it does, and its unit.
    :ivar minimum: the least that a number may be, or ``None``.
    :ivar maximum: the most, or ``None``.
    :ivar choices: the texts that are allowed, at most 256, or empty for any.
    """

    name: str
    default: Setting
    doc: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()


@frozen(kw_only=True)
class DriverKey:
    """
    A state key of a driver's own.

    :ivar name: ``vendor-`` and more words of small letters and digits, joined by
        hyphens; at most 64 characters. Put your own name into it.
    :ivar type: :class:`~rotoclear.values.Boolean`, :class:`~rotoclear.values.Integer`,
        :class:`~rotoclear.values.Choice` or :class:`~rotoclear.values.Text`.
    :ivar default: its value before anyone has set it.
    :ivar doc: a line for people, 1 to 500 characters.
    :ivar permission: whoever holds ``..._r`` of this may read it, whoever holds
        ``..._rw`` may write it too.
    :ivar writable: clients may set it: the driver provides :class:`IKeys`.
        Else it is only ever the driver that does (``context.publish``).
    :ivar saved: it survives a restart of the server.
    """

    name: str
    type: ValueType
    default: Value
    doc: str
    permission: Literal["Device", "Media", "Storage", "System"] = "Device"
    writable: bool = True
    saved: bool = True


# -- what a device says of itself ----------------------------------------------


@frozen
class VideoMode:
    """
    A picture size that a camera delivers, and how fast.

    :ivar width: pixels, even, 2 to 99998.
    :ivar height: pixels, even, 2 to 99998.
    :ivar rates: whole frames per second, 1 to 1000, at least one, ascending.
        Those from 5 to 60 are offered to clients, and sizes that have such.
    """

    width: int
    height: int
    rates: tuple[int, ...]


PIXEL_FORMATS: Final = frozenset(
    {"mjpeg", "yuyv", "uyvy", "nv12", "i420", "rgb24", "bgr24", "grey"}
)
"""
How a frame's pixels may lie in memory.

``mjpeg``: a JPEG each (baseline, its own Huffman tables or none, as of UVC);
``yuyv``, ``uyvy``: packed 4:2:2; ``nv12``, ``i420``: planar 4:2:0; ``rgb24``,
``bgr24``: three bytes a pixel; ``grey``: one. The V4L2 formats MJPG, YUYV, UYVY,
NV12, YU12, RGB3, BGR3 and GREY.
"""

IMAGE_CONTROLS: Final = frozenset(
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
    :ivar model: for people, 1 to 255 characters.
    :ivar serial: the hardware's serial number if it has one, else ``""``; at most
        255 characters. The configuration may name a head by it.
    :ivar port: where it is plugged in, the same after a restart: udev's
        ``ID_PATH``, say; ``""`` if that is not known; at most 255 characters. The
        configuration may name a head by it, and heads that are new are numbered
        in its order.
    :ivar sensors: the sensors' names, 1 to 255 characters each; the first is
        sensor 1. At least one, at most 16.
    :ivar modes: 1 to 256; each size once.
    :ivar formats: those of :data:`PIXEL_FORMATS` that its frames may have, at
        least one. Which one a mode comes in is the driver's choice.
    :ivar controls: the settings of :data:`IMAGE_CONTROLS` that
        :meth:`ICamera.set` takes.
    :ivar exposure_modes: names that ``auto-exposure`` may have besides
        ``True`` and ``False``: at most 16, of 1 to 255 characters, and none of
        ``on``, ``auto``, ``off``, ``manual``, which mean those two.
    :ivar white_balance_modes: likewise for ``auto-white-balance``.
    :ivar head: 1 or 2 if the hardware itself knows where it is plugged in,
        else ``None`` and the configuration decides.
    """

    identity: str
    model: str
    serial: str = ""
    port: str = ""
    sensors: tuple[str, ...]
    modes: tuple[VideoMode, ...]
    formats: tuple[str, ...] = ("yuyv",)
    controls: frozenset[str] = field(default=frozenset())
    exposure_modes: tuple[str, ...] = ()
    white_balance_modes: tuple[str, ...] = ()
    head: int | None = None


@frozen(kw_only=True)
class LightDescription:
    """
    What a lamp is.

    :ivar identity: as a camera's.
    :ivar name: for people, 1 to 255 characters.
    :ivar serial: as a camera's.
    :ivar port: as a camera's.
    :ivar head: the camera head that it lights, 1 or 2, or ``None`` and the
        configuration decides.
    """

    identity: str
    name: str
    serial: str = ""
    port: str = ""
    head: int | None = None


@frozen(kw_only=True)
class VolumeDescription:
    """
    What a volume is.

    :ivar identity: as a camera's; a file system's UUID, say.
    :ivar name: for people: a label. At most 255 characters.
    :ivar path: the folder to write in, absolute, on that volume. It exists and
        may be written to.
    :ivar removable: someone may pull it.
    """

    identity: str
    name: str
    path: str
    removable: bool = False


@frozen(kw_only=True)
class VolumeUsage:
    """
    How full a volume is.

    :ivar total: bytes, less than 2**63.
    :ivar free: bytes that the server may still write, 0 to ``total``.
    """

    total: int
    free: int


@frozen(kw_only=True)
class Frame:
    """
    One picture of a camera.

    :ivar data: its bytes. They need only stay as they are until the next
        :meth:`ICamera.read` or :meth:`ICamera.stop`: a mapped buffer will do.
    :ivar format: one of the description's ``formats``.
    :ivar width: pixels.
    :ivar height: pixels.
    :ivar timestamp: nanoseconds of ``CLOCK_MONOTONIC`` (``time.monotonic_ns``)
        when it was taken.
    :ivar sequence: counts what the camera has taken since :meth:`ICamera.start`,
        those too that were lost on the way: a gap tells of them.
    :ivar stride: bytes from one line to the next, of the first plane (of the
        others in proportion), or 0 if lines lie close together. Not for ``mjpeg``.
    """

    data: bytes | bytearray | memoryview
    format: str
    width: int
    height: int
    timestamp: int
    sequence: int
    stride: int = 0


# -- what a driver is handed, and provides -------------------------------------


@frozen(kw_only=True)
class DriverContext:
    """
    What a driver is handed when it starts.

    :ivar log: a logger whose records appear in the server's log.
    :ivar options: each of the driver's options with its value.
    :ivar changed: call it, from any thread, when a device has come or gone:
        ``find`` is then called at once and not only when its turn comes. It is
        called at once, too, when ``devices`` has changed.
    :ivar devices: call it, from any thread, for the devices that are plugged in
        now and that one of the driver's ``matches`` is about.
    :ivar publish: call it, from any thread, with a key of the driver's own and a
        value: that is what the key holds now. A value that it cannot hold is
        dropped and logged.
    :ivar data_dir: the server's data folder, absolute.
    """

    log: logging.Logger
    options: Mapping[str, Setting]
    changed: Callable[[], None]
    devices: Callable[[], Sequence[UdevDevice]]
    publish: Callable[[str, Value], None]
    data_dir: str


class IDriver(Interface):
    """What all drivers have in common."""

    name: str = Attribute(
        """
        Names the driver in the configuration and the log: small letters,
        digits and hyphens, 1 to 64 characters. No two drivers have the same.
        """
    )

    matches: Sequence[Match] = Attribute(
        """
        The devices of the kernel's that it is for, at most 64; any one
        :class:`Match` is enough. Empty: it needs none and runs all the time.
        """
    )

    options: Sequence[Option] = Attribute(
        """What may stand in its section of the configuration file, at most 64."""
    )

    keys: Sequence[DriverKey] = Attribute("""State keys of its own, at most 32.""")

    def start(context: DriverContext) -> None:
        """
        Called once, before anything else.

        :raises DriverUnusable: it cannot work here; it is not tried again
            before the server is restarted, or a device of its ``matches`` comes
            or goes.
        :raises DeviceFailure: it cannot work right now; it is tried again soon.
        """

    def stop() -> None:
        """Called once, after every device was closed. Let go of everything."""

    def find() -> Sequence[str]:
        """
        The identities of the devices that are there now, at most 32.

        A device that is there but does not answer should not be listed.
        Called from a thread that is no device's.

        :raises DeviceFailure: it cannot be told now. Devices stay what they were,
            and the driver counts as failed until the next call.
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

        Never called between :meth:`start` and :meth:`stop`.

        :param sensor: 1 to the number of the description's ``sensors``.
        :param width: pixels; with ``height`` and ``rate``, one of its ``modes``.
        :param height: pixels.
        :param rate: frames per second.
        :raises DeviceFailure: as for :meth:`set`.
        """

    def start() -> None:
        """
        Begin to take pictures, as chosen last, or else as the camera likes.

        It is only called when somebody wants pictures, and after :meth:`stop`
        perhaps again.

        :raises DeviceFailure: it cannot; it must be possible to try again.
        """

    def read(timeout: float) -> Frame | None:
        """
        Wait for the next picture.

        Called again and again between :meth:`start` and :meth:`stop`, from a
        thread of its own: :meth:`set` and :meth:`probe` may be called meanwhile.

        :param timeout: seconds after which to return without one, 0 to 1.
        :return: the newest picture that was not returned yet, or ``None``.
        :raises DeviceGone: the camera is not there any more.
        :raises DeviceFailure: it takes no more pictures; :meth:`stop` is
            called, and after a while :meth:`start`.
        """

    def stop() -> None:
        """
        Take no more pictures. Called once after each :meth:`start` that has succeeded.

        No :meth:`read` is under way. The device may be gone.
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


class IKeys(Interface):
    """
    A driver that has writable keys of its own (:class:`DriverKey`).

    Provided in addition to one of the driver interfaces.
    """

    def set_key(name: str, value: Value) -> None:
        """
        Make it so; return when it is.

        Called for each writable key when the driver has started, and when a
        client sets one. From a thread that is no device's.

        :param name: of one of the driver's ``keys``.
        :param value: one that its type allows.
        :raises DeviceFailure: it stays as it was.
        """


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
