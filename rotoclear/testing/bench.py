"""
What a check holds a driver with.

There are two: :class:`rotoclear.testing.direct.DirectBench` calls the driver
in this process, from threads as the server's host does;
:class:`rotoclear.testing.hosted.HostedBench` starts the real host. A check is
written once and made with both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from attrs import frozen

from rotoclear.devices.ring import Picture
from rotoclear.interfaces import UdevDevice
from rotoclear.values import Value

LIMIT: Final = 2.0
"""Seconds that a call has."""


class Crash(Exception):
    """
    The driver raised what the interfaces do not know. ``str()`` names it.

    :ivar traceback: of it, or ``""``.
    """

    def __init__(self, text: str, traceback: str = "") -> None:
        super().__init__(text)
        self.traceback = traceback


class Late(Exception):
    """A call has not returned in its time. ``str()`` says which, and how long was waited."""


class Ended(Exception):
    """The driver's process has ended, or speaks nonsense. ``str()`` says how."""


@frozen
class Vitals:
    """
    What a process holds.

    :ivar descriptors: open files.
    :ivar threads: those of the kernel's.
    :ivar memory: bytes that are resident.
    """

    descriptors: int
    threads: int
    memory: int


class Pending(Protocol):
    """A call that is under way."""

    def result(self, limit: float = LIMIT) -> Any:
        """
        Wait for what it returns.

        :raises DeviceFailure: it did.
        :raises Crash: it raised something else.
        :raises Late: it takes longer.
        :raises Ended: the process has.
        """

    @property
    def done(self) -> bool:
        """Whether it has returned or raised."""


class Stream(Protocol):
    """A camera that takes pictures."""

    def next(self, limit: float = LIMIT) -> Picture:
        """
        The next picture.

        :raises DeviceFailure: it takes no more.
        :raises Crash: the driver raised something else.
        :raises Fault: the driver returned what is no frame.
        :raises Late: there is none in that time.
        """

    def stop(self) -> None:
        """Take no more. Raises as :meth:`Pending.result` does."""


class Handle(Protocol):
    """An open device."""

    @property
    def identity(self) -> str:
        """It was opened by."""

    @property
    def raw(self) -> object:
        """What it described itself as when it was opened, unchecked."""

    def describe(self) -> object:
        """What it describes itself as now. Raises as :meth:`Pending.result` does."""

    def begin(self, method: str, *arguments: Value) -> Pending:
        """Call one of its methods, after those that were called before."""

    def call(self, method: str, *arguments: Value) -> Any:
        """Call one of its methods; raises as :meth:`Pending.result` does."""

    def stream(self) -> Stream:
        """Have a camera begin. Raises as :meth:`Pending.result` does."""

    def close(self) -> None:
        """Raises as :meth:`Pending.result` does."""


class Bench(Protocol):
    """A driver that runs."""

    @property
    def where(self) -> str:
        """Where it runs, for people: ``"in this process"``."""

    @property
    def simulated(self) -> bool:
        """Its devices can be told to misbehave."""

    @property
    def published(self) -> Sequence[tuple[str, Value]]:
        """What it has said its keys hold."""

    def start(self) -> None:
        """
        Begin, once.

        :raises DriverUnusable: it says so.
        :raises DeviceFailure: it says so.
        """

    def find(self) -> Sequence[str]:
        """What it finds now. Raises as :meth:`Pending.result` does."""

    def open(self, identity: str) -> Handle:
        """Open a device. Raises as :meth:`Pending.result` does."""

    def set_key(self, name: str, value: Value) -> None:
        """Set one of the driver's keys. Raises as :meth:`Pending.result` does."""

    def simulate(self, action: str, identity: str) -> Mapping[str, Any] | None:
        """Have a simulated device do something. Raises as :meth:`Pending.result` does."""

    def present(self, devices: Sequence[UdevDevice]) -> None:
        """Other devices of the kernel's are there now."""

    def vitals(self) -> Vitals:
        """Of the process that the driver runs in."""

    def kept(self) -> int:
        """Bytes of memory that this process has of its own; of what is free, as few as can be."""

    def stop(self) -> float:
        """
        Let it end; return how many seconds it took. Nothing happens the second time.

        Raises as :meth:`Pending.result` does.
        """
