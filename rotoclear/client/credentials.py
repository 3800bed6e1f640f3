"""What one logs in with, kept no longer than it is needed."""

from __future__ import annotations

from collections.abc import Callable

Password = str | Callable[[], str]
"""A password, or what is called for it each time that it is needed."""


class Credentials:
    """
    A token, a name and a password, or nothing at all.

    :param username: ``""`` if there is only a token.
    :param password: a text is kept until :meth:`forget`, for the day on which
        the token is refused; of a callable, nothing is kept.
    :param keep: keep the password behind the first login.
    """

    def __init__(
        self,
        username: str = "",
        password: Password | None = None,
        token: str | None = None,
        *,
        keep: bool = True,
    ) -> None:
        if password is not None and not username:
            raise ValueError("A password takes a username")
        if username and password is None and token is None:
            raise ValueError("A username takes a password or a token")
        self.username = username
        self.token = token
        self._password = password
        self._keep = keep

    def __repr__(self) -> str:
        return f"<Credentials of {self.username or 'nobody'}>"

    @property
    def anonymous(self) -> bool:
        """There is nothing to log in with."""
        return self.token is None and self._password is None

    def message(self) -> dict[str, str] | None:
        """The login, with the token if there is one; ``None``: there is nothing."""
        if self.token is not None:
            return {"token": self.token}
        if self._password is not None:
            password = self._password() if callable(self._password) else self._password
            return {"username": self.username, "password": password}
        return None

    def accepted(self, token: str, username: str) -> None:
        """It went well."""
        self.token = token
        self.username = username
        if not self._keep:
            self._password = None

    def refused(self) -> bool:
        """It did not, and what was tried is of no use; is there something left to try?"""
        if self.token is not None:
            self.token = None
            return self._password is not None
        self._password = None
        return False

    def forget(self) -> None:
        """Keep nothing."""
        self.token = self._password = None
