"""
A client in Python: :mod:`rotoclear.client.asyncio`, :mod:`rotoclear.client.twisted`.

Here is what both have in common: what they raise and hand out.
"""

from rotoclear.client.core import ConnectionState
from rotoclear.client.errors import (
    Busy,
    CertificateRefused,
    ClientError,
    Closed,
    ConnectionFailed,
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
    "DeviceError",
    "Disconnected",
    "InvalidMessage",
    "InvalidValue",
    "Login",
    "LoginRefused",
    "NotAvailable",
    "NotFound",
    "PermissionDenied",
    "QueueFull",
    "Refused",
    "ServerFailed",
    "SomeRefused",
    "TimedOut",
    "TooManyAttempts",
    "UnknownKey",
]
