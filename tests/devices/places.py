"""A vendor's plugin whose devices are files in a folder: what is there is plugged in."""

from __future__ import annotations

import json
import time
from pathlib import Path

PLUGIN = """
import json, os
from zope.interface import implementer
from rotoclear.interfaces import (
    CameraDescription, DeviceGone, ICamera, ICameraDriver, IStorageDriver, IVolume, Option,
    VideoMode, VolumeDescription, VolumeUsage,
)

class Device:
    def __init__(self, file):
        with open(file) as opened:
            self.said = json.load(opened)
        self.file = file
    def probe(self):
        if not os.path.exists(self.file):
            raise DeviceGone("it was pulled out")
    def close(self): pass

@implementer(ICamera)
class Camera(Device):
    def describe(self):
        return CameraDescription(
            model="Acme", sensors=("a", "b"), modes=(VideoMode(640, 480, (30,)),),
            controls=frozenset({"brightness"}), **self.said
        )
    def set(self, control, value):
        with open(self.file + ".new", "w") as holds:
            json.dump({control: value}, holds)
        os.rename(self.file + ".new", self.file + ".holds")
    def select(self, sensor, width, height, rate): pass
    def start(self): pass
    def read(self, timeout): return None
    def stop(self): pass

@implementer(IVolume)
class Volume(Device):
    def describe(self):
        return VolumeDescription(path=os.path.dirname(self.file), **self.said)
    def usage(self): return VolumeUsage(total=1000, free=500)

class Driver:
    matches = keys = ()
    options = (Option(name="folder", default="", doc="Where the devices are."),)
    def start(self, context): self.folder = context.options["folder"]
    def stop(self): pass
    def find(self):
        return sorted(n for n in os.listdir(self.folder) if "." not in n)
    def open(self, identity):
        return self.Device(os.path.join(self.folder, identity))

@implementer(ICameraDriver)
class Cameras(Driver):
    name = "acme-cameras"
    Device = Camera

@implementer(IStorageDriver)
class Volumes(Driver):
    name = "acme-volumes"
    Device = Volume

cameras, volumes = Cameras(), Volumes()
"""


class Places:
    """
    The plugin, and what is plugged in.

    :param folder: an empty one for the plugin and the devices.
    """

    def __init__(self, folder: Path) -> None:
        self.cameras = folder / "cameras"
        self.volumes = folder / "volumes"
        plugins = folder / "rotoclear" / "plugins"
        for made in (self.cameras, self.volumes, plugins):
            made.mkdir(parents=True)
        (plugins / "acme.py").write_text(PLUGIN)
        self.environment = {"PYTHONPATH": str(folder)}

    def configuration(self, more: str = "") -> str:
        """A configuration with nothing but these, and more."""
        return (
            'enabled-drivers = ["vendors"]\n'
            f"[drivers.acme-cameras]\nfolder = {json.dumps(str(self.cameras))}\n"
            f"[drivers.acme-volumes]\nfolder = {json.dumps(str(self.volumes))}\n{more}"
        )

    def camera(self, identity: str, port: str = "", serial: str = "") -> Path:
        """Plug in a head that does not know its number."""
        return _plug(self.cameras / identity, {"port": port, "serial": serial})

    def volume(self, identity: str, *, removable: bool) -> Path:
        """Plug in a volume."""
        said = {"name": f"Acme {identity}", "removable": removable}
        return _plug(self.volumes / identity, said)

    def holds(self, identity: str) -> object:
        """What was set last in a head's hardware, or ``None``."""
        file = self.cameras / f"{identity}.holds"
        return json.loads(file.read_text()) if file.exists() else None

    def await_held(self, identity: str, held: object) -> None:
        """
        Return when that was set last in its hardware.

        :raises AssertionError: it was not within 10 seconds.
        """
        deadline = time.monotonic() + 10
        while self.holds(identity) != held:
            assert time.monotonic() < deadline, self.holds(identity)
            time.sleep(0.02)


def _plug(file: Path, said: dict[str, object]) -> Path:
    new = file.with_name(f"{file.name}.new")
    new.write_text(json.dumps({"identity": file.name, **said}))
    return new.rename(file)
