"""A stick on its way from the port to a folder that can be recorded in."""

# pathlib would be one more import for the driver's process.
# ruff: noqa: PTH118

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Final

from attrs import frozen

from rotoclear.drivers import folders
from rotoclear.drivers.blocks import Block
from rotoclear.drivers.failures import told
from rotoclear.drivers.mounts import Mount, number_of
from rotoclear.drivers.notes import Notes
from rotoclear.interfaces import DeviceFailure, DeviceGone

RETRY: Final = 1.0
"""Seconds until what has failed is tried again, the first time; then twice as long each time."""

RETRY_MAX: Final = 300.0
"""The longest of these."""


MOMENT: Final = 0.5
"""Seconds that a look at a stick waits; a dead one costs that once."""


def in_thread(job: Callable[[], None]) -> None:
    """
    Do it in a thread of its own: a mount may take a minute.

    Most take a moment, and that is waited for: so the first look finds what is there.
    """
    thread = threading.Thread(target=job, name="stick", daemon=True)
    thread.start()
    thread.join(MOMENT)


@frozen(kw_only=True)
class Means:
    """
    What is needed to get a stick ready.

    :ivar folder: the one on it, a relative path, or ``""`` for all of it.
    :ivar mount: mounts a node, or ``None`` where that is left to others.
    :ivar changed: called, from any thread, when there is news.
    :ivar run: does a job, now or later.
    :ivar clock: tells seconds.
    """

    folder: str
    mount: Callable[[str], None] | None
    changed: Callable[[], None]
    notes: Notes
    run: Callable[[Callable[[], None]], None] = in_thread
    clock: Callable[[], float] = time.monotonic


class Stick:
    """
    One that is plugged in.

    :meth:`look` never waits; what may take long is a job, one at a time.
    """

    def __init__(self, block: Block, means: Means) -> None:
        self._block = block
        self._means = means
        self._was_mounted = False
        self._busy = False
        self._failures = 0
        self._next = 0.0
        self._ready: Mount | None = None

    def look(self, mount: Mount | None) -> str | None:
        """
        The folder to record in, if it is ready. If not, do something about it.

        :param mount: where it is mounted now, if it is.
        """
        block, means = self._block, self._means
        what = f"{block.name(mount.path if mount else '')} ({block.node})"
        if mount is None:
            self._ready = None
            # One that was unmounted while it was here is going to be pulled.
            if not self._was_mounted:
                self._mount(what)
            return None
        if not self._was_mounted:
            self._was_mounted = True
            self._failures = 0
            self._next = 0.0
        if mount.read_only:
            self._ready = None
            means.notes.warn(
                block.node,
                f"{what} is mounted read-only, and nothing is recorded there: "
                "it may have a switch, or need a repair",
            )
            return None
        if self._ready != mount:
            self._do(what, lambda: self._prepare(mount))
        if self._ready != mount:
            return None
        means.notes.fine(block.node)
        return path_in(mount, means.folder)

    def _mount(self, what: str) -> None:
        mount = self._means.mount
        if mount is None:
            self._means.notes.warn(self._block.node, f"{what} is not mounted: that is left to you")
            return
        self._do(f"{what} is not mounted", lambda: mount(self._block.node))

    def _prepare(self, mount: Mount) -> None:
        make_in(mount, self._means.folder)
        folders.try_writing(path_in(mount, self._means.folder), sync=True)
        self._ready = mount

    def _do(self, what: str, job: Callable[[], None]) -> None:
        """Unless something is under way, or has failed just now."""
        if self._busy or self._means.clock() < self._next:
            return
        self._busy = True
        self._means.run(lambda: self._done(what, job))

    def _done(self, what: str, job: Callable[[], None]) -> None:
        means = self._means
        failures, self._failures = self._failures, min(self._failures + 1, 16)
        try:
            job()
            self._failures = 0
        except DeviceFailure as failure:
            if self._block.present:
                means.notes.warn(self._block.node, f"{what}: {failure}")
        finally:
            if self._failures:
                self._next = means.clock() + min(RETRY * 2**failures, RETRY_MAX)
            self._busy = False
        means.changed()


def path_in(mount: Mount, folder: str) -> str:
    """A folder's path on a mounted stick."""
    return os.path.join(mount.path, folder) if folder else mount.path


def make_in(mount: Mount, folder: str) -> None:
    """
    Make a folder on a mounted stick, and nowhere else.

    :param folder: a relative path.
    :raises DeviceGone: it is not mounted there any more.
    :raises DeviceFailure: it cannot be made, or leads off the stick.
    """
    path = path_in(mount, folder)
    denied = "The server's user must be allowed to write there"
    with told(f"The folder {path}", denied, folders.DEAD):
        # By descriptors: were the stick pulled meanwhile, a path would lead to the system's disk.
        here = os.open(mount.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            if number_of(f"/proc/self/fd/{here}/.") != mount.number:
                raise DeviceGone(f"Nothing is mounted at {mount.path} any more")
            for part in filter(None, folder.split("/")):
                try:
                    os.mkdir(part, mode=0o755, dir_fd=here)
                except FileExistsError:
                    pass
                flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
                below = os.open(part, flags, dir_fd=here)
                os.close(here)
                here = below
        finally:
            os.close(here)
    if number_of_or_gone(path) != mount.number:
        raise DeviceFailure(f"The folder {path} is not on the stick")


def number_of_or_gone(path: str) -> int:
    """
    As :func:`~rotoclear.drivers.mounts.number_of`.

    :raises DeviceGone: there is no such path, or its disk is dead.
    """
    with told(f"The folder {path}", "", folders.DEAD):
        return number_of(path)
