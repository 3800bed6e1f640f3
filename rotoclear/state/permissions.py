"""
Permissions, and the roles that bundle them.

A permission is a name; a set of them decides what a connection may read and
write. A key lists the permissions that let one read it and those that let one
write it: holding any one of them is enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

DEVICE_R: Final = "Device_r"
DEVICE_RW: Final = "Device_rw"
MEDIA_R: Final = "Media_r"
MEDIA_RW: Final = "Media_rw"
STORAGE_R: Final = "Storage_r"
STORAGE_RW: Final = "Storage_rw"
SYSTEM_R: Final = "System_r"
SYSTEM_RW: Final = "System_rw"
USER_R: Final = "User_r"
USER_RW: Final = "User_rw"

PERMISSIONS: Final[tuple[str, ...]] = (
    DEVICE_R,
    DEVICE_RW,
    MEDIA_R,
    MEDIA_RW,
    STORAGE_R,
    STORAGE_RW,
    SYSTEM_R,
    SYSTEM_RW,
    USER_R,
    USER_RW,
)

Permissions = frozenset[str]
"""What someone holds: a subset of :data:`PERMISSIONS`."""

NOTHING: Final[Permissions] = frozenset()

ADMINISTRATOR: Final = "administrator"
OPERATOR: Final = "operator"
VIEWER: Final = "viewer"
ANONYMOUS: Final = "anonymous"

ROLES: Final[Mapping[str, Permissions]] = MappingProxyType(
    {
        ADMINISTRATOR: frozenset(PERMISSIONS),
        OPERATOR: frozenset({DEVICE_R, DEVICE_RW, MEDIA_R, MEDIA_RW, STORAGE_R, SYSTEM_R}),
        VIEWER: frozenset({DEVICE_R, MEDIA_R, STORAGE_R, SYSTEM_R}),
        ANONYMOUS: frozenset({DEVICE_R}),
    }
)
"""What each role holds. A user has one of the first three; who has not logged in has the last."""

USER_ROLES: Final[tuple[str, ...]] = (ADMINISTRATOR, OPERATOR, VIEWER)
"""The roles a user can be given."""
