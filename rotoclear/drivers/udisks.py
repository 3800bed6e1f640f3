"""
Having a disk mounted by udisks2, the service that does it on most machines.

By D-Bus (``org.freedesktop.UDisks2``), spoken by jeepney, the extra ``rotoclear[udisks]``.
Mounting is a matter for root; udisks is asked because it decides who may, knows the options that
are good for each file system, and cleans up when a disk is pulled.

http://storaged.org/doc/udisks2-api/latest/
"""

from __future__ import annotations

import time
from typing import Any, Final

from rotoclear.interfaces import DeviceFailure

PATIENCE: Final = 60.0
"""Seconds for one mount: a big file system that was not unmounted is checked first."""

KNOWN: Final = 5.0
"""Seconds until udisks must know of a disk that udev knows of."""

_NAME: Final = "org.freedesktop.UDisks2"
_NOBODY: Final = (
    "org.freedesktop.DBus.Error.ServiceUnknown",
    "org.freedesktop.DBus.Error.NameHasNoOwner",
    "org.freedesktop.DBus.Error.Spawn",
)


def mount(node: str) -> None:
    """
    Mount a file system. Returns when it is, or if it was already. May take a minute.

    :param node: ``"/dev/sda1"``.
    :raises DeviceFailure: it was not possible; the text says what helps.
    """
    try:
        import jeepney
        from jeepney.io.blocking import open_dbus_connection
        from jeepney.wrappers import DBusErrorResponse
    except ImportError:
        raise DeviceFailure(
            "for udisks a library is missing: pip install 'rotoclear[udisks]'"
        ) from None
    try:
        with open_dbus_connection(bus="SYSTEM") as connection:
            _Udisks(jeepney, connection).mount(node)
    except DBusErrorResponse as error:
        _tell(error.name, error.data)
    except TimeoutError:
        raise DeviceFailure("udisks does not answer") from None
    except (OSError, KeyError, ValueError) as error:
        # No bus, no address of it, or nobody there who lets us in.
        raise DeviceFailure(f"there is no D-Bus to ask udisks by ({error}); run it") from None


def _tell(name: str, data: Any) -> None:
    """
    What udisks, or the bus, says in refusal.

    :raises DeviceFailure: unless it had been mounted before.
    """
    text = data[0] if data else name
    if name.endswith(".AlreadyMounted"):
        return
    if name.startswith(_NOBODY):
        raise DeviceFailure("udisks2 is not there: install it and have it run")
    if ".NotAuthorized" in name:
        raise DeviceFailure(
            "udisks does not allow the server's user to mount: a polkit rule for "
            # A service sits at no seat.
            "org.freedesktop.udisks2.filesystem-mount-other-seat does"
        )
    raise DeviceFailure(f"udisks says: {text}")


class _Udisks:
    """Its objects, over one connection. All methods raise what jeepney does."""

    def __init__(self, jeepney: Any, connection: Any) -> None:
        self._jeepney = jeepney
        self._connection = connection

    def mount(self, node: str) -> None:
        path = self._block(node)
        options = {"auth.no_user_interaction": ("b", True)}
        self._call(path, "Filesystem", "Mount", "a{sv}", (options,), PATIENCE)

    def _block(self, node: str) -> str:
        """Its object; it may not have heard of the disk yet."""
        end = time.monotonic() + KNOWN
        while True:
            arguments: tuple[object, ...] = ({"path": ("s", node)}, {})
            (paths,) = self._call(
                "Manager", "Manager", "ResolveDevice", "a{sv}a{sv}", arguments, 10
            )
            if paths:
                return str(paths[0]).removeprefix("/org/freedesktop/UDisks2/")
            if time.monotonic() > end:
                raise DeviceFailure(f"udisks does not know {node}")
            time.sleep(0.1)

    def _call(
        self, path: str, interface: str, method: str, signature: str, body: Any, timeout: float
    ) -> Any:
        address = self._jeepney.DBusAddress(
            f"/org/freedesktop/UDisks2/{path}", _NAME, f"{_NAME}.{interface}"
        )
        message = self._jeepney.new_method_call(address, method, signature, body)
        reply = self._connection.send_and_get_reply(message, timeout=timeout)
        return self._jeepney.wrappers.unwrap_msg(reply)
