"""
What can go wrong, for programs (the type) and for people (the text).

All of them are :exc:`ClientError`. What the server refuses is a :exc:`Refused`,
with the server's own words in it; what came of the network is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from rotoclear.values import Value


class ClientError(Exception):
    """Anything that this client raises. ``str()`` says what, and what helps."""


# -- the network ---------------------------------------------------------------


class ConnectionFailed(ClientError):
    """There is no connection: nobody answers at the address, or not as a rotoclear server does."""


class CertificateRefused(ConnectionFailed):
    """The server's certificate is not to be trusted, or is for another name."""


class Disconnected(ClientError):
    """
    There is no connection now, or it was lost before the answer came.

    What was asked for may have been done all the same.
    """


class TimedOut(ClientError):
    """
    The answer did not come in time, and nobody waits for it any more.

    What was asked for may have been done all the same, unless there was no connection.
    """


class Corrupted(ClientError):
    """A file that was received is not what the server has. It was thrown away."""


class QueueFull(ClientError):
    """Too many requests wait for the connection to come back."""


class Closed(ClientError):
    """The client was closed, or was never connected."""


# -- who one is ----------------------------------------------------------------


class LoginRefused(ClientError):
    """The server does not know the token, or the name and the password; or ended the session."""


class TooManyAttempts(LoginRefused):
    """
    Too many failed logins; nothing is checked for a while.

    :ivar retry_after: seconds until trying again makes sense.
    """

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


# -- what the server refuses ---------------------------------------------------


class Refused(ClientError):
    """
    The server did not do it.

    :ivar error: the server's word for it, such as ``"Invalid value"``.
    :ivar key: the key it is about, ``""`` if none.
    :ivar message: the server's explanation: the range, the choices, the permission.
    """

    NAMES: ClassVar[tuple[str, ...]] = ()
    """The words that the server has for it."""

    def __init__(self, error: str, key: str = "", message: str = "") -> None:
        text = message or error
        super().__init__(f"{key}: {text}" if key else text)
        self.error = error
        self.key = key
        self.message = message

    def __reduce__(self) -> tuple[type[Refused], tuple[str, str, str]]:
        return type(self), (self.error, self.key, self.message)


class PermissionDenied(Refused):
    """One may not read or write it; nobody may write what is read-only."""

    NAMES = ("Permission denied", "Foreign origin")


class InvalidValue(Refused):
    """The wrong type, out of range, or not one of the choices."""

    NAMES = ("Invalid value", "Range not satisfiable")


class UnknownKey(Refused):
    """There is no such key."""

    NAMES = ("Unknown key",)


class NotAvailable(Refused):
    """Not right now: the camera is not plugged in, no storage, a recording is running."""

    NAMES = ("Not available",)


class DeviceError(Refused):
    """The device failed or did not answer; the value is what it was."""

    NAMES = ("Device error",)


class NotFound(Refused):
    """There is no such film, picture or page."""

    NAMES = ("Not found",)


class InvalidMessage(Refused):
    """The server could make nothing of the request."""

    NAMES = ("Invalid message", "Invalid request")


class Busy(Refused):
    """The server has too much to do at the moment; try again."""

    NAMES = ("Busy", "Full")


class ServerFailed(Refused):
    """A fault of the server's own; its log tells why."""

    NAMES = ("Server error", "Internal error")


class SomeRefused(ClientError):
    """
    Of several keys, some were refused. The others stand.

    :ivar errors: one for each key that was refused.
    :ivar values: those that were set, or read.
    """

    def __init__(self, errors: Sequence[Refused], values: Mapping[str, Value]) -> None:
        super().__init__("; ".join(map(str, errors)))
        self.errors = tuple(errors)
        self.values = dict(values)

    def __reduce__(self) -> tuple[type[SomeRefused], tuple[tuple[Refused, ...], dict[str, Value]]]:
        return type(self), (self.errors, self.values)


_BY_NAME: Final[Mapping[str, type[Refused]]] = {
    name: kind for kind in Refused.__subclasses__() for name in kind.NAMES
}


def refusal(error: object, key: object = "", message: object = "") -> Refused:
    """The exception for an error object of the server's."""
    text = [value if isinstance(value, str) else "" for value in (error, key, message)]
    return _BY_NAME.get(text[0], Refused)(text[0] or "Refused", text[1], text[2])


def login_refusal(answer: Mapping[str, object]) -> LoginRefused:
    """The exception for a login that was refused."""
    retry_after = answer.get("retry-after")
    message = str(answer.get("message") or answer.get("error") or "The login was refused")
    if isinstance(retry_after, int | float):
        return TooManyAttempts(message, float(retry_after))
    return LoginRefused(message)
