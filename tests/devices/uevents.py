"""
Plays a udev daemon: sends what systemd-udevd sends, to whoever listens in this network.

``python -m tests.devices.uevents``: each line of stdin is a list of events in JSON, of
which each is ``[ACTION, DEVPATH, SUBSYSTEM, PROPERTIES]``; when they are sent, it
says how many. Needs root, if only in a user namespace.

The message: systemd, src/libsystemd/sd-device/device-monitor.c,
``monitor_netlink_header``.
"""

from __future__ import annotations

import itertools
import json
import socket
import struct
import sys
from collections.abc import Mapping

NETLINK_KOBJECT_UEVENT = 15

TO_LISTENERS = 2
"""The multicast group of a daemon's events; 1 is the kernel's."""

_HEAD = struct.Struct("=8sIIIIIIII")
_MAGIC = socket.htonl(0xFEEDCAFE)
_U32 = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """MurmurHash2 with seed 0, by which the kernel filters the events of a subsystem."""
    m = 0x5BD1E995
    h = len(data)
    whole = len(data) // 4 * 4
    for (k,) in struct.iter_unpack("<I", data[:whole]):
        k = k * m & _U32
        k = (k ^ k >> 24) * m & _U32
        h = h * m & _U32 ^ k
    rest = data[whole:]
    if rest:
        h = (h ^ int.from_bytes(rest, "little")) * m & _U32
    h = (h ^ h >> 13) * m & _U32
    return h ^ h >> 15


def message(properties: Mapping[str, str]) -> bytes:
    """One event, as it goes over the socket."""
    body = b"".join(f"{name}={value}".encode() + b"\0" for name, value in properties.items())
    devtype = properties.get("DEVTYPE", "")
    head = _HEAD.pack(
        b"libudev\0",
        _MAGIC,
        _HEAD.size,
        _HEAD.size,
        len(body),
        socket.htonl(murmur2(properties["SUBSYSTEM"].encode())),
        socket.htonl(murmur2(devtype.encode())) if devtype else 0,
        0,
        0,
    )
    return head + body


class Daemon:
    """Sends events."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_KOBJECT_UEVENT)
        self._numbers = itertools.count(1000)

    def send(
        self, action: str, path: str, subsystem: str, properties: Mapping[str, str] | None = None
    ) -> None:
        """
        One event.

        :param path: below ``/sys``.
        """
        whole = {
            "ACTION": action,
            "DEVPATH": path,
            "SUBSYSTEM": subsystem,
            "SEQNUM": str(next(self._numbers)),
            "USEC_INITIALIZED": "1000000",
            **(properties or {}),
        }
        self._socket.sendto(message(whole), (0, TO_LISTENERS))


def main() -> None:
    daemon = Daemon()
    for line in sys.stdin:
        events = json.loads(line)
        for event in events:
            daemon.send(*event)
        print(len(events), flush=True)


if __name__ == "__main__":
    main()
