"""
Lanes: keys that must change one after another, and what there is to a change.

Most keys have a lane of their own; those that depend on each other share one.
Whoever knows the hardware behind a key writes its lane, and hands it to
:meth:`rotoclear.state.model.Model.add_lane`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Final

from attrs import field, frozen

from rotoclear.state.errors import Refusal
from rotoclear.values import Value

TIME_LIMIT: Final = 2.0
"""Seconds that a change may take on its way through the hardware."""

Values = Mapping[str, Value]
"""Canonical values by key."""


@frozen
class Judgement:
    """
    What a lane makes of a wish.

    :ivar values: what to apply and commit. It may hold more than was wished
        for (a frame rate that no longer fits falls with the resolution), and
        other values (``"pause_release"`` becomes ``True``).
    :ivar refused: the wishes that cannot be granted.
    """

    values: dict[str, Value]
    refused: list[Refusal] = field(factory=list)


class Lane:
    """
    Keys that change one after another.

    This one grants every wish; subclasses say what else there is to it.

    :ivar keys: the keys; no key is in two lanes.
    :ivar each_counts: ``False``: of wishes that wait only the newest value of
        each key matters. ``True``: each is a step of its own.
    """

    each_counts: bool = False

    def __init__(self, *keys: str) -> None:
        self.keys = keys

    def judge(self, wanted: Values) -> Judgement:
        """
        Decide on a wish by the state of this moment.

        :param wanted: canonical values, each allowed by its key's type.
        """
        return Judgement(dict(wanted))

    def apply(self, values: Values) -> Awaitable[None] | None:
        """
        Take the values to the hardware. ``None``: there is nothing to wait for.

        It has :data:`TIME_LIMIT`, then it is cancelled.

        :raises NotAvailable: it makes no sense after all.
        :raises DeviceError: the hardware did not take them.
        """
        return None
