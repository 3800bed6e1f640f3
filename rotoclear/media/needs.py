"""What pictures cannot be had without."""

from __future__ import annotations

from attrs import frozen

from rotoclear.media.interfaces import Heads, Volumes
from rotoclear.state.model import Model


@frozen
class Needs:
    """The active camera, and a volume to write on."""

    model: Model
    heads: Heads
    volumes: Volumes

    def missing(self) -> str | None:
        """What is not there, for people; ``None`` if nothing is missing."""
        camera = int(self.model["main-camera"])
        if not self.heads.present(camera):
            return f"Camera {camera} is not plugged in"
        if self.volumes.current() is None:
            return "There is no storage to write on"
        return None
