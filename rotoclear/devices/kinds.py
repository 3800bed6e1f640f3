"""What makes an object a driver; checked where it lives, never in the server."""

from __future__ import annotations

import re
from typing import Final, Literal

from zope.interface import Interface
from zope.interface.exceptions import Invalid
from zope.interface.verify import verifyObject

from rotoclear.interfaces import ICameraDriver, ILightDriver, ISimulated, IStorageDriver

DriverKind = Literal["camera", "light", "storage"]

KINDS: Final[dict[DriverKind, type[Interface]]] = {
    "camera": ICameraDriver,
    "light": ILightDriver,
    "storage": IStorageDriver,
}
"""The driver interfaces, by the kind of their devices."""

NAME: Final = re.compile(r"[a-z0-9-]{1,64}")
"""How a driver is named."""


class KindError(Exception):
    """It is no driver, or not a whole one. ``str()`` says what is missing."""


def is_driver(thing: object) -> bool:
    """It says that it is a driver."""
    try:
        return any(interface.providedBy(thing) for interface in KINDS.values())
    except Exception:  # noqa: BLE001 - a plugin's object may do anything when looked at
        return False


def kind_of(driver: object) -> DriverKind:
    """
    What kind of driver it is.

    :raises KindError: it provides none of the interfaces or several, lacks
        something, or has a name that is none.
    """
    kinds = [kind for kind, interface in KINDS.items() if interface.providedBy(driver)]
    if not kinds:
        names = ", ".join(interface.__name__ for interface in KINDS.values())
        raise KindError(f"It provides none of {names}")
    if len(kinds) > 1:
        raise KindError(f"It is a driver of several kinds: {', '.join(kinds)}; write one for each")
    (kind,) = kinds
    interfaces = [KINDS[kind]]
    if ISimulated.providedBy(driver):
        interfaces.append(ISimulated)
    try:
        for interface in interfaces:
            verifyObject(interface, driver)
    except Invalid as error:
        raise KindError(" ".join(str(error).split())) from None
    name = getattr(driver, "name", None)
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise KindError(
            f"Its name is {name!r:.100}; a name has small letters, digits and hyphens, 1 to 64"
        )
    return kind
