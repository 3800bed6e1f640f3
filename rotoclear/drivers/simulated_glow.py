"""
How a simulated lamp's light reaches its head.

The two have processes of their own, as two real devices have nothing in common
but the room they are in. The room is the server's data folder: while a lamp is
on, it has a file there.
"""

# pathlib would be one more import for each driver's process.
# ruff: noqa: PTH107, PTH118, PTH110

from __future__ import annotations

import os

from rotoclear.interfaces import DeviceFailure


class Glow:
    """
    The light of one lamp.

    :param data_dir: the server's data folder, or ``""``: then it is always dark.
    :param head: the number of the head that the lamp is on.
    """

    def __init__(self, data_dir: str, head: int) -> None:
        self._path = os.path.join(data_dir, f"simulated-lamp-{head}") if data_dir else ""

    def put(self, on: bool) -> None:
        """
        Let there be light, or not.

        :raises DeviceFailure: the file cannot be written.
        """
        if not self._path:
            return
        try:
            if on:
                os.close(os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))
            elif self.is_there():
                os.remove(self._path)
        except OSError as error:
            raise DeviceFailure(f"{self._path}: {error.strerror}") from None

    def is_there(self) -> bool:
        """Whether there is light."""
        return bool(self._path) and os.path.exists(self._path)
