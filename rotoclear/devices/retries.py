"""Devices that cannot be used, why, and when to try again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from attrs import define
from twisted.internet.interfaces import IReactorTime

MOST: Final = 30.0
"""Seconds at most for which a device that hangs when it is opened is left alone."""


MOMENT: Final = 0.5
"""Seconds: how long ago a moment is."""


@define
class _Trouble:
    reason: str = ""
    hung: int = 0
    not_before: float = 0.0
    lost: float | None = None


class Retries:
    """
    What went wrong with devices of one driver, by identity.

    One that refuses is tried again whenever it is named. One that hangs takes
    the whole process with it: it is left alone for longer each time, so that
    its neighbours can be used meanwhile.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._troubles: dict[str, _Trouble] = {}

    def reasons(self) -> dict[str, str]:
        """Why, by identity."""
        return {i: trouble.reason for i, trouble in self._troubles.items() if trouble.reason}

    def may(self, identity: str) -> bool:
        """It may be tried now."""
        trouble = self._troubles.get(identity)
        return trouble is None or trouble.not_before <= self._clock.seconds()

    def refused(self, identity: str, reason: str) -> bool:
        """It refused; whether this is news."""
        trouble = self._troubles.setdefault(identity, _Trouble())
        news = trouble.reason != reason
        trouble.reason = reason
        return news

    def lost(self, identity: str) -> None:
        """It was there, and is not."""
        self._troubles.setdefault(identity, _Trouble()).lost = self._clock.seconds()

    def soon(self, identity: str) -> bool:
        """It was there a moment ago: try it again without waiting for the next look."""
        trouble = self._troubles.get(identity)
        lost = None if trouble is None else trouble.lost
        return lost is not None and self._clock.seconds() - lost < MOMENT

    def hung(self, identity: str, reason: str) -> None:
        """It hung before it was of any use."""
        trouble = self._troubles.setdefault(identity, _Trouble())
        trouble.reason = reason
        trouble.not_before = self._clock.seconds() + min(2.0**trouble.hung, MOST)
        trouble.hung = min(trouble.hung + 1, 10)

    def forget(self, identity: str) -> None:
        """It is well."""
        self._troubles.pop(identity, None)

    def keep(self, identities: Iterable[str]) -> None:
        """Forget those that are not there any more."""
        kept = set(identities)
        for identity in [i for i in self._troubles if i not in kept]:
            del self._troubles[identity]
