"""
Messages over a Unix socket, and descriptors with them (unix(7), ``SCM_RIGHTS``).

:func:`socket.send_fds` and :func:`socket.recv_fds` would do, but for their flags:
they drop them, and without ``MSG_CMSG_CLOEXEC`` a program that a driver starts
inherits what was received.
"""

from __future__ import annotations

import array
import os
import socket
from collections.abc import Iterable
from typing import Final

MOST: Final = 8
"""Descriptors that are taken with one message; the kernel closes the others."""


def send(connection: socket.socket, data: bytes, descriptors: Iterable[int] = ()) -> int:
    """
    Send bytes and descriptors, which stay open here.

    :return: how many bytes went. The descriptors went with the first of them.
    :raises OSError: as :meth:`socket.socket.sendmsg`.
    """
    rights = array.array("i", descriptors)
    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)] if rights else []
    return connection.sendmsg([data], ancillary)


def receive(connection: socket.socket, size: int, flags: int = 0) -> tuple[bytes, list[int], bool]:
    """
    Receive bytes and what descriptors come with them.

    :param flags: of :manpage:`recvmsg(2)`.
    :return: the bytes, the descriptors, which are the caller's to close and not
        inherited by programs, and whether all of the message is there.
    :raises OSError: as :meth:`socket.socket.recvmsg`.
    """
    rights = array.array("i")
    data, ancillary, result, _ = connection.recvmsg(
        size, socket.CMSG_SPACE(MOST * rights.itemsize), flags | socket.MSG_CMSG_CLOEXEC
    )
    for level, kind, content in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            rights.frombytes(content[: len(content) - len(content) % rights.itemsize])
    return data, list(rights), not result & (socket.MSG_TRUNC | socket.MSG_CTRUNC)


def close_all(descriptors: Iterable[int]) -> None:
    """Close what was received and is not wanted."""
    for descriptor in descriptors:
        os.close(descriptor)
