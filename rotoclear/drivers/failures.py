"""What the operating system's errors mean to the person who is told of them."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rotoclear.interfaces import DeviceFailure, DeviceGone

_GONE: Final = frozenset({errno.ENODEV, errno.ENOENT, errno.ENXIO})
_DENIED: Final = frozenset({errno.EACCES, errno.EPERM})


@contextmanager
def told(what: str, denied: str, gone: frozenset[int] = _GONE) -> Iterator[None]:
    """
    Tell of an :exc:`OSError` as the interface has it.

    :param what: what is being done, for people: ``"The LED x"``.
    :param denied: what helps when permission was denied, a sentence.
    :param gone: the error numbers that mean that it is not there any more.
    :raises DeviceGone: one of these.
    :raises DeviceFailure: any other.
    """
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        if error.errno in gone:
            raise DeviceGone(f"{what} is not there any more ({reason})") from error
        if error.errno in _DENIED:
            raise DeviceFailure(f"{what}: {reason}. {denied}") from error
        raise DeviceFailure(f"{what}: {reason}") from error
