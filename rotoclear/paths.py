"""The data folder: which it is, whether it can be used, and that one server alone uses it."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryFile

from attrs import define

from rotoclear.errors import StartError

LOCK_NAME = "lock"


class DataFolderError(StartError):
    """The data folder cannot be used."""


class DataFolderBusy(DataFolderError):
    """Another server uses it."""


def data_folder(chosen: str | None, environ: Mapping[str, str]) -> Path:
    """
    Which folder it is, as an absolute path.

    :param chosen: by option or configuration; else it is systemd's
        ``$STATE_DIRECTORY``, else the XDG state folder's ``rotoclear``.
    """
    if chosen:
        return Path.cwd() / Path(chosen).expanduser()
    systemd = environ.get("STATE_DIRECTORY", "").split(":")[0]  # systemd.exec(5)
    if systemd:
        return Path.cwd() / systemd
    state = environ.get("XDG_STATE_HOME", "")
    if not Path(state).is_absolute():  # relative ones are to be ignored, says the XDG standard
        try:
            state = str(Path.home() / ".local" / "state")
        except RuntimeError:
            raise DataFolderError(
                "there is no home folder for the data: give one with --data-dir"
            ) from None
    return Path(state) / "rotoclear"


def check_data_folder(folder: Path) -> None:
    """
    Say whether `prepare_data_folder` would work, and change nothing.

    :raises DataFolderError: why not.
    """
    if folder.exists():
        _check_writable(folder)
        return
    parent = next(path for path in folder.parents if path.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        raise DataFolderError(f"the data folder {folder} cannot be made in {parent}")


def prepare_data_folder(folder: Path) -> None:
    """
    Make the data folder, for its owner alone, if it is not there; blocking.

    :raises DataFolderError: it cannot be made or written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise DataFolderError(
            f"the data folder {folder} cannot be made: {error.strerror}"
        ) from None
    _check_writable(folder)


def _check_writable(folder: Path) -> None:
    try:
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise DataFolderError(
            f"the data folder {folder} cannot be written: {error.strerror}"
        ) from None


@define(eq=False)
class DataFolderLock:
    """
    Holds the data folder for one process, and for what it becomes as a daemon.

    The kernel gives it back when the process ends, however it ends.
    """

    folder: Path
    _descriptor: int

    @classmethod
    def take(cls, folder: Path) -> DataFolderLock:
        """
        Take it, at once or not at all.

        :raises DataFolderBusy: another process has it.
        :raises DataFolderError: the lock file cannot be made.
        """
        path = folder / LOCK_NAME
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise DataFolderError(f"{path} cannot be written: {error.strerror}") from None
        try:
            # flock(2), not fcntl(2): a lock of the latter kind does not survive the fork.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise DataFolderBusy(
                    f"the data folder {folder} is in use by another server; "
                    "--data-dir gives this one its own"
                ) from None
            raise DataFolderError(f"{path} cannot be locked: {error.strerror}") from None
        return cls(folder, descriptor)

    def release(self) -> None:
        """Give it back, before the process ends."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
