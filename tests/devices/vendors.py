"""Vendors' plugins, good and bad, written into a folder of the test's."""

from __future__ import annotations

import sys
from pathlib import Path

from twisted.internet.defer import Deferred

LAMP = """
import os, sys, threading, time
from zope.interface import implementer
from rotoclear.interfaces import (
    DeviceFailure, DeviceGone, ILight, ILightDriver, LightDescription,
)

@implementer(ILight)
class Lamp:
    def __init__(self, driver): self.driver = driver
    def describe(self): return LightDescription(identity="lamp", name="Acme", head=1)
    def probe(self): pass
    def switch(self, on): pass
    def close(self): pass

@implementer(ILightDriver)
class Driver:
    name = "{name}"
    matches = options = keys = ()
    Lamp = Lamp
    def start(self, context): self.context = context
    def stop(self): pass
    def find(self): return ["lamp"]
    def open(self, identity): return self.Lamp(self)
"""
"""A good driver's classes; ``{name}`` is the driver's name."""


class Vendors:
    """
    A folder with plugin modules.

    :ivar path: a search path for modules with the folder in it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "rotoclear" / "plugins"
        self.folder.mkdir(parents=True)
        self.path = [str(folder), *sys.path]

    def write(self, module: str, source: str) -> Path:
        """Add a module."""
        file = self.folder / f"{module}.py"
        file.write_text(source)
        return file

    def lamp(self, module: str, more: str = "driver = Driver()", name: str = "acme") -> Path:
        """Add a module with a good lamp driver, and what is made of it."""
        return self.write(module, LAMP.replace("{name}", name) + more + "\n")


class Events:
    """Something that happens now and then, and can be waited for."""

    def __init__(self) -> None:
        self.all: list[object] = []
        self._waiting: list[Deferred[None]] = []

    def add(self, event: object) -> None:
        self.all.append(event)
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            waiter.callback(None)

    async def until(self, event: object) -> None:
        """Return when it has happened, or had already."""
        while event not in self.all:
            await self.next()

    async def next(self) -> object:
        """Return when something has happened, and what."""
        waiter: Deferred[None] = Deferred()
        self._waiting.append(waiter)
        await waiter
        return self.all[-1]
