"""A driver in this process, called from the threads that the server's host would call it from."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from logging import getLogger
from queue import Empty, Queue
from typing import Any, Final

from rotoclear.devices import shapes
from rotoclear.devices.ring import Picture
from rotoclear.interfaces import DriverContext, Frame, ISimulated, Setting, UdevDevice
from rotoclear.testing.bench import LIMIT, Late, Vitals
from rotoclear.testing.fault import Fault
from rotoclear.testing.vitals import give_back, kept, vitals
from rotoclear.testing.work import Task, Worker
from rotoclear.values import Value

READ: Final = 0.5
"""Seconds that a camera is given to return a picture or none."""

SLACK: Final = 1.5
"""Seconds beyond that after which it has forgotten its time-out."""


class DirectBench:
    """
    See the module: a :class:`~rotoclear.testing.bench.Bench`.

    :param driver: that was not started yet.
    :param options: all of its options.
    :param devices: of the kernel's.
    :param data_dir: a folder that exists.
    """

    where = "in this process"

    def __init__(
        self,
        driver: Any,
        options: Mapping[str, Setting],
        devices: Sequence[UdevDevice],
        data_dir: str,
    ) -> None:
        self.driver = driver
        self.simulated = bool(ISimulated.providedBy(driver))
        self.published: list[tuple[str, Value]] = []
        self._options = options
        self._devices = devices
        self._data_dir = data_dir
        self._driver_thread = Worker("driver")
        self._find_thread = Worker("find")
        self._keys_thread = Worker("keys")
        self._started = False
        self._handles: list[DirectHandle] = []

    def start(self) -> None:
        context = DriverContext(
            log=getLogger(str(getattr(self.driver, "name", "driver"))),
            options=self._options,
            changed=lambda: None,
            devices=lambda: self._devices,
            publish=lambda name, value: self.published.append((name, value)),
            data_dir=self._data_dir,
        )
        self._driver_thread.call("start()", lambda: self.driver.start(context))
        self._started = True

    def find(self) -> Any:
        return self._find_thread.call("find()", lambda: self.driver.find())

    def open(self, identity: str) -> DirectHandle:
        handle = DirectHandle(self.driver, identity)
        self._handles = [other for other in self._handles if other.device is not None]
        self._handles.append(handle)
        return handle

    def set_key(self, name: str, value: Value) -> None:
        what = f"set_key({name!r}, {value!r})"
        self._keys_thread.call(what, lambda: self.driver.set_key(name, value))

    def simulate(self, action: str, identity: str) -> Mapping[str, Any] | None:
        what = f"simulate({action!r}, {identity!r})"
        shown: Mapping[str, Any] | None = self._keys_thread.call(
            what, lambda: self.driver.simulate(action, identity, {})
        )
        return shown

    def present(self, devices: Sequence[UdevDevice]) -> None:
        self._devices = devices

    def vitals(self) -> Vitals:
        return vitals(os.getpid())

    def kept(self) -> int:
        give_back()
        return kept(os.getpid())

    def stop(self) -> float:
        for handle in self._handles:
            handle.give_up()
        began = time.monotonic()
        try:
            if self._started:
                self._started = False
                self._driver_thread.call("stop()", lambda: self.driver.stop())
        finally:
            for worker in (self._driver_thread, self._find_thread, self._keys_thread):
                worker.end()
        return time.monotonic() - began


class DirectHandle:
    """An open device: a :class:`~rotoclear.testing.bench.Handle`."""

    def __init__(self, driver: Any, identity: str) -> None:
        self.identity = identity
        self.device: Any = None
        self._thread = Worker(f"device {identity}")
        self._closed = False
        self._stream: DirectStream | None = None
        try:
            self.device = self._thread.call(f"open({identity!r})", lambda: driver.open(identity))
            self.raw = self.describe()
        except BaseException:
            self.give_up()
            raise

    def describe(self) -> Any:
        return self._thread.call("describe()", lambda: self.device.describe())

    def begin(self, method: str, *arguments: Value) -> Task:
        what = f"{method}({', '.join(map(repr, arguments))})"
        return self._thread.begin(what, lambda: getattr(self.device, method)(*arguments))

    def call(self, method: str, *arguments: Value) -> Any:
        return self.begin(method, *arguments).result()

    def stream(self) -> DirectStream:
        self.call("start")
        self._stream = DirectStream(self)
        return self._stream

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            if self.device is not None:
                self._thread.call("close()", lambda: self.device.close())
        finally:
            self.device = self._stream = None
            self._thread.end()

    def give_up(self) -> None:
        """Close it if nobody has; what comes of it does not matter any more."""
        if self._thread.stuck:
            self._closed = True
            self._thread.end()
            return
        try:
            if self._stream is not None:
                self._stream.stop()
        except Exception:  # noqa: BLE001, S110 - the check has failed already
            pass
        try:
            self.close()
        except Exception:  # noqa: BLE001, S110
            pass


class DirectStream:
    """
    Reads again and again: a :class:`~rotoclear.testing.bench.Stream`.

    :ivar taken: how many pictures there were.
    """

    def __init__(self, handle: DirectHandle) -> None:
        self._handle = handle
        self._read: Callable[[float], Any] = handle.device.read
        self._pictures: Queue[Picture | Task] = Queue(maxsize=4)
        self._stopping = threading.Event()
        self._under_way = time.monotonic()
        self._stopped = False
        self.taken = 0
        self._thread = threading.Thread(target=self._run, name="read", daemon=True)
        self._thread.start()

    def next(self, limit: float = LIMIT) -> Picture:
        deadline = time.monotonic() + limit
        while True:
            try:
                item = self._pictures.get(timeout=0.05)
            except Empty:
                self._watch()
                if time.monotonic() > deadline:
                    raise Late(f"read() returned no picture within {limit:g} s") from None
                continue
            if isinstance(item, Task):
                item.result(0)
                raise Late("read() has ended")
            return item

    def stop(self) -> None:
        if self._stopped:
            return
        self._stopped = True
        self._stopping.set()
        while self._thread.is_alive():
            self._thread.join(0.02)
            self._watch()
        self._handle.call("stop")

    def _watch(self) -> None:
        waited = time.monotonic() - self._under_way
        if self._thread.is_alive() and waited > READ + SLACK:
            raise Late(f"read({READ}) did not return within {waited:.1f} s")

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._under_way = time.monotonic()
            task = Task(f"read({READ})")
            task.run(self._one)
            try:
                item = task.result(0)
            except Exception:  # noqa: BLE001 - told by next()
                self._put(task)
                return
            if item is not None:
                self.taken += 1
                self._put(item)

    def _put(self, picture: Picture | Task) -> None:
        """Nobody waits for the oldest one."""
        while True:
            if self._pictures.full():
                try:
                    self._pictures.get_nowait()
                except Empty:
                    pass
            else:
                self._pictures.put(picture)
                return

    def _one(self) -> Picture | None:
        frame = self._read(READ)
        return None if frame is None else picture(frame)


def picture(frame: object) -> Picture:
    """
    A copy of what a camera returned.

    :raises Fault: it is no frame.
    """
    try:
        data, stride = shapes.checked(frame)
    except shapes.BadFrame as error:
        raise bad_frame(str(error)) from None
    assert isinstance(frame, Frame)  # noqa: S101 - for mypy
    return Picture(
        data=bytes(data),
        format=frame.format,
        width=frame.width,
        height=frame.height,
        stride=stride,
        timestamp=frame.timestamp,
        sequence=frame.sequence,
    )


def bad_frame(reason: str) -> Fault:
    """What is said of a frame that is none."""
    return Fault(
        f"read() returned what is no picture: {reason}.",
        where="Frame",
        asks="data has all bytes of width x height pixels in this format, stride bytes a line",
        mend="return the size that the hardware delivers, its stride, and all of its bytes",
    )
