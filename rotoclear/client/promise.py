"""
An answer that is still to come, before it is known who waits for it.

The core hands out promises; each face makes of them what its users wait for: an
asyncio future, a Deferred.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from rotoclear.client.port import Time, Timer

T = TypeVar("T")


class Promise(Generic[T]):
    """
    Is kept or broken once; later calls change nothing.

    :param cancelled: called when the one who waits gives up.
    """

    def __init__(self, cancelled: Callable[[], None] | None = None) -> None:
        self._cancelled = cancelled
        self._value: T | None = None
        self._error: Exception | None = None
        self._kept: Callable[[T], None] | None = None
        self._broken: Callable[[Exception], None] | None = None
        self._timer: Timer | None = None
        self.done = False

    def keep(self, value: T) -> None:
        """It has come."""
        if not self.done:
            self._finish()
            self._value = value
            self._tell()

    def break_(self, error: Exception) -> None:
        """It will not come."""
        if not self.done:
            self._finish()
            self._error = error
            self._tell()

    def cancel(self) -> None:
        """Whoever waited does not any more."""
        if not self.done:
            self._finish()
            self._kept = self._broken = None
            if self._cancelled is not None:
                self._cancelled()

    def expire(self, time: Time, seconds: float, error: Callable[[], Exception]) -> None:
        """If it is not decided in so many seconds, break it."""

        def too_late() -> None:
            self._timer = None
            self.break_(error())
            if self._cancelled is not None:
                self._cancelled()

        if not self.done:
            self._timer = time.call_later(seconds, too_late)

    def _finish(self) -> None:
        self.done = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def then(self, kept: Callable[[T], None], broken: Callable[[Exception], None]) -> None:
        """Have one of them called, at once if it is decided already. For one who waits."""
        self._kept, self._broken = kept, broken
        if self.done:
            self._tell()

    def _tell(self) -> None:
        kept, broken = self._kept, self._broken
        if kept is None or broken is None:
            return
        self._kept = self._broken = None
        if self._error is not None:
            broken(self._error)
        else:
            kept(self._value)  # type: ignore[arg-type]
