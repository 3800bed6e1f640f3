"""
A client in Python: :mod:`rotoclear.client.asyncio`, :mod:`rotoclear.client.twisted`.

Here is what both have in common: what they raise and hand out.
"""

from rotoclear.client.catalogue import Entry, Page
from rotoclear.client.core import ConnectionState
from rotoclear.client.download import Progress
from rotoclear.client.errors import (
    Busy,
    CertificateRefused,
    ClientError,
    Closed,
    ConnectionFailed,
    Corrupted,
    DeviceError,
    Disconnected,
    InvalidMessage,
    InvalidValue,
    LoginRefused,
    NotAvailable,
    NotFound,
    PermissionDenied,
    QueueFull,
    Refused,
    ServerFailed,
    SomeRefused,
    TimedOut,
    TooManyAttempts,
    UnknownKey,
)
from rotoclear.client.live import Frame
from rotoclear.client.tls import TLS
from rotoclear.client.watching import Change
from rotoclear.client.wire import Login

__all__ = [
    "TLS",
    "Busy",
    "CertificateRefused",
    "Change",
    "ClientError",
    "Closed",
    "ConnectionFailed",
    "ConnectionState",
    "Corrupted",
    "DeviceError",
    "Disconnected",
    "Entry",
    "Frame",
    "InvalidMessage",
    "InvalidValue",
    "Login",
    "LoginRefused",
    "NotAvailable",
    "NotFound",
    "Page",
    "PermissionDenied",
    "Progress",
    "QueueFull",
    "Refused",
    "ServerFailed",
    "SomeRefused",
    "TimedOut",
    "TooManyAttempts",
    "UnknownKey",
]
