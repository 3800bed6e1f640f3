"""
The user's keyring, if there is one that is worth the name.

By the ``keyring`` library (``rotoclear[keyring]``), which is loaded only when a
token is to be kept or fetched there: it takes a moment.
"""

from __future__ import annotations

from typing import Final, Protocol

SERVICE: Final = "rotoclear"
"""What the entries are called; they are told apart by the server's address."""

SAFE: Final = 1.0
"""The least priority of a backend that keeps secrets as they should be kept (its documentation)."""


class KeyringFailed(Exception):
    """It is locked, or not there any more. ``str()`` says which."""


class Keyring(Protocol):
    """Keeps secrets by name."""

    def get(self, name: str) -> str | None:
        """
        A secret, or ``None``.

        :raises KeyringFailed: it cannot be looked up.
        """

    def put(self, name: str, secret: str) -> None:
        """
        Keep a secret.

        :raises KeyringFailed: it cannot be kept.
        """

    def remove(self, name: str) -> None:
        """Forget a secret, if it is there and the keyring lets us."""


def usable() -> Keyring | None:
    """The user's, unless the library is not installed or knows only of unsafe places."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return None

    try:
        backend = keyring.get_keyring()
        if backend.priority < SAFE:
            return None
    except Exception:  # noqa: BLE001 - a backend may fail in any way, and then it is none
        return None

    class _Users:
        def get(self, name: str) -> str | None:
            try:
                return backend.get_password(SERVICE, name)
            except Exception as error:  # noqa: BLE001
                raise KeyringFailed(str(error) or type(error).__name__) from None

        def put(self, name: str, secret: str) -> None:
            try:
                backend.set_password(SERVICE, name, secret)
            except Exception as error:  # noqa: BLE001
                raise KeyringFailed(str(error) or type(error).__name__) from None

        def remove(self, name: str) -> None:
            try:
                backend.delete_password(SERVICE, name)
            except KeyringError:
                pass

    return _Users()
