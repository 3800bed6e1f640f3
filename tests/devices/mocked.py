"""
Devices that are only in a folder: umockdev's, for processes with its library loaded into them.

https://github.com/martinpitt/umockdev; Debian's package umockdev. It cannot play
bursts: it ends when a listener has not read net.unix.max_dgram_qlen events, 10 perhaps.
"""

from __future__ import annotations

import ctypes
import json
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, Self

from tests.harness import Script
from tests.harness.server import ROOT

PRELOAD = "libumockdev-preload.so.0"

Step = tuple[str, str, str, Mapping[str, str]]
"""``"add"``, ``"change"`` or ``"remove"``; a subsystem; a name; udev's properties, to add."""


class NoUmockdev(AssertionError):
    """It is not installed."""


class Testbed:
    """
    A ``/sys`` of the test's own, kept by a process that plays the kernel; a context manager.

    :ivar environment: what a process needs that is to see it.
    """

    __test__ = False  # no pytest class

    def __init__(self) -> None:
        try:
            ctypes.CDLL(PRELOAD)
            ctypes.CDLL("libumockdev.so.0")
        except OSError as error:
            raise NoUmockdev(f"{error}: install umockdev") from None
        self._kernel = Script(
            [sys.executable, "-m", "tests.devices.mocked"], cwd=ROOT, env={"LD_PRELOAD": PRELOAD}
        )
        root = self._kernel.until(lambda line: "root" in line)["root"]
        self.environment = {"UMOCKDEV_DIR": root, "LD_PRELOAD": PRELOAD}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._kernel.finish()
        self._kernel.kill()

    def begin(self, *steps: Step) -> None:
        """Have all of this happen."""
        self._kernel.send(steps)

    def done(self) -> float:
        """Wait until what was begun has happened; return when that was, monotonic."""
        at: float = self._kernel.until(lambda line: "done" in line)["done"]
        return at

    def add(self, subsystem: str, name: str, **properties: str) -> None:
        """There is one more device; listeners are told."""
        self.begin(("add", subsystem, name, properties))
        self.done()

    def remove(self, name: str) -> None:
        """There is one device less; listeners are told."""
        self.begin(("remove", "", name, {}))
        self.done()


def _texts(properties: Mapping[str, str]) -> Any:
    """Names and values in turn, ended by NULL, as glib has it."""
    flat = [text.encode() for pair in properties.items() for text in pair]
    return (ctypes.c_char_p * (len(flat) + 1))(*flat, None)


class _Kernel:
    """The process's side: umockdev's testbed."""

    def __init__(self) -> None:
        self._library = library = ctypes.CDLL("libumockdev.so.0")
        for name in ("testbed_new", "testbed_get_root_dir", "testbed_add_devicev"):
            getattr(library, f"umockdev_{name}").restype = ctypes.c_void_p
        library.g_object_unref.argtypes = [ctypes.c_void_p]
        self._bed = ctypes.c_void_p(library.umockdev_testbed_new())
        root = ctypes.string_at(library.umockdev_testbed_get_root_dir(self._bed))
        self.root = root.decode()

    def do(self, action: str, subsystem: str, name: str, properties: Mapping[str, str]) -> None:
        path = f"/sys/devices/{name}".encode()
        if action == "add":
            self._library.umockdev_testbed_add_devicev(
                self._bed, subsystem.encode(), name.encode(), None, _texts({}), _texts(properties)
            )
            return
        self._library.umockdev_testbed_uevent(self._bed, path, action.encode())
        if action == "remove":
            self._library.umockdev_testbed_remove_device(self._bed, path)

    def close(self) -> None:
        self._library.g_object_unref(self._bed)


def main() -> None:
    kernel = _Kernel()
    print(json.dumps({"root": kernel.root}), flush=True)
    for line in sys.stdin:
        steps: Sequence[Step] = json.loads(line)
        for step in steps:
            kernel.do(*step)
        print(json.dumps({"done": time.monotonic()}), flush=True)
    kernel.close()


if __name__ == "__main__":
    main()
