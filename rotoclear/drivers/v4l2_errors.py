"""What a camera's errors mean to the person who is told of them."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rotoclear.interfaces import DeviceFailure, DeviceGone

GONE: Final = frozenset({errno.ENODEV, errno.ENXIO, errno.ENOENT})
"""What V4L2 answers once a camera has been unplugged, and the file system then."""

UNKNOWN: Final = frozenset({errno.EINVAL, errno.ENOTTY, errno.ENODATA, errno.EPIPE})
"""What it answers when it has no such thing, or has named all of them."""

_HELP: Final = {
    errno.EBUSY: "another program uses the camera; end that one",
    errno.EACCES: "the server's user may not use it; make it a member of the group video",
    errno.EPERM: "the server's user may not use it; make it a member of the group video",
    errno.EIO: "the camera refused it, or its cable is bad",
    errno.EINVAL: "the camera cannot do that",
    errno.ERANGE: "the camera does not take that value",
    errno.ENOSPC: "the USB bus has no room for it; use another port or a lower frame rate",
    errno.ENOMEM: "there is no memory for it; take a smaller picture",
}


def reason(error: OSError) -> str:
    """Why, and what helps if that is known."""
    text = os.strerror(error.errno) if error.errno else str(error)
    advice = _HELP.get(error.errno or 0)
    return f"{text} ({advice})" if advice else text


@contextmanager
def told(what: str) -> Iterator[None]:
    """
    Tell of an :exc:`OSError` as the interface has it.

    :param what: what is being done, for people: ``"brightness"``.
    :raises DeviceGone: the camera is not there any more.
    :raises DeviceFailure: anything else.
    """
    try:
        yield
    except OSError as error:
        if error.errno in GONE:
            raise DeviceGone(f"The camera is not there any more ({what})") from error
        raise DeviceFailure(f"{what}: {reason(error)}") from error
