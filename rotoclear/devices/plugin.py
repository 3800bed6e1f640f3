"""What a scan says about a driver plugin, and which of several may stay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, Literal

from attrs import evolve, frozen

from rotoclear.devices.device import Kind
from rotoclear.interfaces import DriverKey, Match, Option

State = Literal["loaded", "refused", "failed"]
"""``refused``: it does not fit; ``failed``: its module raised, hung or ended the process."""

Group = Literal["simulated", "hardware", "vendors"]
"""Whose a driver is: simulated or not, it comes with the server; ``vendors``: it was installed."""

GROUPS: Final[tuple[Group, ...]] = ("simulated", "hardware", "vendors")
"""All of them; the configuration may say one in place of names."""


@frozen(kw_only=True)
class Plugin:
    """
    One driver, or a module that has none to offer.

    :ivar name: the driver's; of a module that could not be looked into, its own.
    :ivar kind: ``None`` if it is not known.
    :ivar module: where it is.
    :ivar attribute: its name there; empty if there is none.
    :ivar file: the module's.
    :ivar distribution: who has installed it: name and version, else the file.
    :ivar builtin: it comes with the server.
    :ivar simulated: its devices can be told to misbehave.
    :ivar matches: the devices of the kernel's that it is for.
    :ivar options: what its section of the configuration may say.
    :ivar keys: state keys of its own.
    :ivar state: what became of it.
    :ivar reason: why it is not loaded, for people; empty if it is.
    """

    name: str
    kind: Kind | None = None
    module: str
    attribute: str = ""
    file: str = ""
    distribution: str = ""
    builtin: bool = False
    simulated: bool = False
    matches: tuple[Match, ...] = ()
    options: tuple[Option, ...] = ()
    keys: tuple[DriverKey, ...] = ()
    state: State = "loaded"
    reason: str = ""

    @property
    def group(self) -> Group:
        """What the configuration may call it and others."""
        if not self.builtin:
            return "vendors"
        return "simulated" if self.simulated else "hardware"

    def but(self, state: State, reason: str) -> Plugin:
        """The same with another verdict."""
        return evolve(self, state=state, reason=reason)


def judged(builtin: Sequence[Plugin], vendors: Iterable[Plugin]) -> list[Plugin]:
    """
    The vendors' plugins, those refused whose name is not theirs alone.

    A vendor's never displaces a built-in one; of two with one name neither is
    to be preferred.
    """
    ours = {plugin.name for plugin in builtin if plugin.attribute}
    candidates = list(vendors)
    names = Counter(plugin.name for plugin in candidates if plugin.state == "loaded")
    result = []
    for plugin in candidates:
        if plugin.state == "loaded" and plugin.name in ours:
            plugin = plugin.but("refused", f"There is a built-in driver named {plugin.name}")
        elif plugin.state == "loaded" and names[plugin.name] > 1:
            whose = sorted(
                f"{other.distribution} ({other.module})"
                for other in candidates
                if other.name == plugin.name and other.state == "loaded"
            )
            plugin = plugin.but(
                "refused",
                f"Several drivers are named {plugin.name}: of {' and '.join(whose)}; "
                "uninstall all but one",
            )
        result.append(plugin)
    return result
