"""Which drivers the configuration wants: ``enabled-drivers`` and ``disabled-drivers``."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from difflib import get_close_matches

from attrs import frozen

from rotoclear.devices.plugin import GROUPS, Plugin


@frozen
class Selection:
    """
    Names of drivers, and of whole groups of them.

    :ivar enabled: may be started.
    :ivar disabled: may not, whatever ``enabled`` says.
    """

    enabled: Collection[str]
    disabled: Collection[str]

    def objection(self, plugin: Plugin) -> str:
        """Why a driver is not to be started, for people; empty if it is."""
        for name in (plugin.name, plugin.group):
            if name in self.disabled:
                return f"disabled-drivers has {name!r}"
        if plugin.name in self.enabled or plugin.group in self.enabled:
            return ""
        return f"enabled-drivers has neither {plugin.name!r} nor {plugin.group!r}"

    def unknown(self, known: Collection[str]) -> Iterator[str]:
        """Remarks about names that no driver has."""
        possible = {*known, *GROUPS}
        for setting, names in (
            ("enabled-drivers", self.enabled),
            ("disabled-drivers", self.disabled),
        ):
            for name in names:
                if name not in possible:
                    yield f"{setting} names {name!r}, and {no_such(name, possible)}"


def no_such(name: str, possible: Collection[str]) -> str:
    """Say that there is no driver of that name, and which one may have been meant."""
    near = get_close_matches(name.lower(), sorted(possible), 1)
    return "there is no such driver" + (f"; did you mean {near[0]}?" if near else "")
