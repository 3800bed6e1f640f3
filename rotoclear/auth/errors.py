"""Why somebody was not let in, or a user not changed. ``str()`` of each is for people."""

from __future__ import annotations


class AuthError(Exception):
    """Common to all of them."""


class InvalidCredentials(AuthError):
    """
    No such user, a wrong password, an unknown or ended token.

    Which of them it was is nobody's business.
    """

    def __init__(self) -> None:
        super().__init__("Invalid credentials")


class TooManyAttempts(AuthError):
    """
    This user has failed to log in from this address too often.

    :ivar retry_after: whole seconds, at least 1, until it may be tried again.
    """

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            f"Too many failed logins for this user from here; try again in {retry_after} s"
        )
        self.retry_after = retry_after


class Busy(AuthError):
    """So many passwords are being checked that this one cannot even wait its turn."""

    def __init__(self) -> None:
        super().__init__("Too many logins at once; try again in a few seconds")


class UserError(AuthError):
    """Something about the users cannot be done."""


class InvalidName(UserError):
    """No user can be called that."""


class InvalidPassword(UserError):
    """No password, or too weak a one."""


class InvalidRole(UserError):
    """There is no such role."""


class NoSuchUser(UserError):
    """There is no user of that name."""


class UserExists(UserError):
    """The name is taken."""


class LastAdministrator(UserError):
    """It would leave nobody who may manage the users."""
