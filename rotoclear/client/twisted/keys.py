"""The keys, typed. ``scripts/client-keys`` writes this from the key table."""

from __future__ import annotations

from typing import Literal

from rotoclear.client.twisted.handles import Handles, Key, ReadOnlyKey


class Keys(Handles):
    """One attribute for each key."""

    @property
    def cam1_light(self) -> Key[bool, bool]:
        """Camera 1 LED light on or off."""
        return Key(self, "cam1-light")

    @property
    def cam2_light(self) -> Key[bool, bool]:
        """Camera 2 LED light on or off."""
        return Key(self, "cam2-light")

    @property
    def cam1_exists(self) -> ReadOnlyKey[bool]:
        """Camera 1 is plugged in and answers. Read-only."""
        return ReadOnlyKey(self, "cam1-exists")

    @property
    def cam2_exists(self) -> ReadOnlyKey[bool]:
        """Camera 2 is plugged in and answers. Read-only."""
        return ReadOnlyKey(self, "cam2-exists")

    @property
    def main_camera(self) -> Key[int, int]:
        """The active camera, 1 or 2. It never switches by itself. 1 to 2."""
        return Key(self, "main-camera")

    @property
    def cam1_sensor(self) -> Key[int, int]:
        """The sensor of camera 1 in use, counted from 1. 1 to 16."""
        return Key(self, "cam1-sensor")

    @property
    def cam2_sensor(self) -> Key[int, int]:
        """The sensor of camera 2 in use, counted from 1. 1 to 16."""
        return Key(self, "cam2-sensor")

    @property
    def resolution(self) -> Key[str, str]:
        """
        Video resolution, "WIDTHxHEIGHT" in pixels; one of the active camera's.
        """
        return Key(self, "resolution")

    @property
    def fps(self) -> Key[int, int]:
        """
        Frames per second that the active camera can do at this resolution.
        5 to 60 frames per second.
        """
        return Key(self, "fps")

    @property
    def pip_mode(
        self,
    ) -> Key[
        Literal["off", "top-left", "top-right", "bottom-left", "bottom-right", "side-by-side"],
        Literal["off", "top-left", "top-right", "bottom-left", "bottom-right", "side-by-side"],
    ]:
        """Picture-in-picture: where the other camera's picture goes."""
        return Key(self, "pip-mode")

    @property
    def brightness(self) -> Key[int, int]:
        """Image brightness; 50 is neutral. 0 to 100."""
        return Key(self, "brightness")

    @property
    def contrast(self) -> Key[int, int]:
        """Image contrast; 50 is neutral. 0 to 100."""
        return Key(self, "contrast")

    @property
    def sharpness(self) -> Key[int, int]:
        """Image sharpness; 50 is neutral. 0 to 100."""
        return Key(self, "sharpness")

    @property
    def saturation(self) -> Key[int, int]:
        """Colour saturation; 50 is neutral. 0 to 100."""
        return Key(self, "saturation")

    @property
    def gain(self) -> Key[int, int]:
        """Sensor gain (ISO); takes effect while auto exposure is off. 0 to 100."""
        return Key(self, "gain")

    @property
    def red_gain(self) -> Key[int, int]:
        """Gain of the red channel; takes effect while auto white balance is off. 0 to 100."""
        return Key(self, "red-gain")

    @property
    def blue_gain(self) -> Key[int, int]:
        """Gain of the blue channel; takes effect while auto white balance is off. 0 to 100."""
        return Key(self, "blue-gain")

    @property
    def auto_exposure(self) -> Key[bool | str, bool | str]:
        """Auto exposure: on, off, or a mode that the camera offers."""
        return Key(self, "auto-exposure")

    @property
    def auto_white_balance(self) -> Key[bool | str, bool | str]:
        """Auto white balance: on, off, or a mode that the camera offers."""
        return Key(self, "auto-white-balance")

    @property
    def noise_supression(self) -> Key[bool, bool]:
        """Noise reduction on or off."""
        return Key(self, "noise-supression")

    @property
    def record(
        self,
    ) -> Key[
        bool | Literal["pause"],
        bool | Literal["on", "off", "pause", "pause_release"],
    ]:
        """
        Recording: false, true or "pause"; "pause_release" ends a pause.
        """
        return Key(self, "record")

    @property
    def snap(self) -> Key[bool, bool]:
        """Each true takes one picture; true while it is being stored."""
        return Key(self, "snap")

    @property
    def jpeg_quality(self) -> Key[int, int]:
        """JPEG compression quality of snapshots. 0 to 100."""
        return Key(self, "jpeg-quality")

    @property
    def last_recording(self) -> ReadOnlyKey[str]:
        """Catalogue id of the newest recording, empty before the first. Read-only."""
        return ReadOnlyKey(self, "last-recording")

    @property
    def last_snapshot(self) -> ReadOnlyKey[str]:
        """Catalogue id of the newest snapshot, empty before the first. Read-only."""
        return ReadOnlyKey(self, "last-snapshot")

    @property
    def storage_exists(self) -> ReadOnlyKey[bool]:
        """There is a volume to record on. Read-only."""
        return ReadOnlyKey(self, "storage-exists")

    @property
    def storage_free(self) -> ReadOnlyKey[int]:
        """Free space on the volume that records, in bytes. Read-only."""
        return ReadOnlyKey(self, "storage-free")

    @property
    def storage_name(self) -> ReadOnlyKey[str]:
        """Name of the volume that records, empty without one. Read-only."""
        return ReadOnlyKey(self, "storage-name")
