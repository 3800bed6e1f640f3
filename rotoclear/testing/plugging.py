"""Devices that are unplugged, and what must come of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Any

from rotoclear.interfaces import DeviceFailure
from rotoclear.testing.bench import Bench, Crash, Handle
from rotoclear.testing.checks import both
from rotoclear.testing.fault import Fault, NotExercised
from rotoclear.testing.handling import INTERFACES, Handling
from rotoclear.testing.making import Making


class PlugTests(Handling):
    """
    The checks that need it.

    :cvar away: seconds in which it must have been noticed that a device was
        unplugged or plugged in.
    """

    away: float = 5.0

    def plugs(self, bench: Bench) -> tuple[Callable[[str], None], Callable[[str], None]]:
        """
        What takes a device away and what brings it back.

        :raises NotExercised: nothing does.
        """
        cls = type(self)
        if cls.unplug is not Making.unplug and cls.plug is not Making.plug:
            hooks = (self.unplug, self.plug)
        elif bench.simulated:
            hooks = (
                lambda identity: _drop(bench.simulate("unplug", identity)),
                lambda identity: _drop(bench.simulate("plug", identity)),
            )
        else:
            raise NotExercised(
                "nothing can unplug the device: give unplug() and plug(), or pull it by hand "
                "while the server runs and see that it goes and comes back"
            )

        def then_tell(hook: Callable[[str], None]) -> Callable[[str], None]:
            def act(identity: str) -> None:
                hook(identity)
                bench.present(self.present())

            return act

        return then_tell(hooks[0]), then_tell(hooks[1])

    def await_found(self, bench: Bench, identity: str, there: bool) -> None:
        """
        Wait until ``find`` knows what has happened.

        :raises Fault: it takes too long.
        """
        deadline = time.monotonic() + self.away
        while (identity in self._find_now(bench)) is not there:
            if time.monotonic() > deadline:
                raise Fault(
                    f"find() does {'not ' if there else 'still '}name {identity}, {self.away:g} s "
                    f"after it was {'plugged in' if there else 'unplugged'}.",
                    where="IDriver.find",
                    asks="the identities of the devices that are there now",
                    mend="look anew each time, and forget what is not there",
                )
            time.sleep(0.02)

    def _find_now(self, bench: Bench) -> Collection[str]:
        """What it names, told what is plugged in at this moment."""
        bench.present(self.present())
        return self.find(bench)

    def until_gone(self, what: str, identity: str, call: Callable[[], object]) -> None:
        """
        Do something to a device that was unplugged until it raises.

        :raises Fault: it goes on as if nothing had happened.
        """
        deadline = time.monotonic() + self.away
        while True:
            try:
                call()
            except DeviceFailure:
                return
            if time.monotonic() > deadline:
                raise Fault(
                    f"{what} of {identity} still succeeds {self.away:g} s after it was unplugged.",
                    where="Errors",
                    asks="a device that is no longer there raises DeviceGone",
                    mend="ask the hardware itself, not what was remembered of it",
                )
            time.sleep(0.01)

    def gently(self, what: str, identity: str, call: Callable[[], object]) -> None:
        """
        Let go of a device that has gone.

        :raises Fault: that raised.
        """
        try:
            call()
        except (DeviceFailure, Crash) as error:
            raise Fault(
                f"{what} of {identity} raised after the device was unplugged: {error}",
                where=f"{INTERFACES[self.kind]}.{what.partition('(')[0]}",
                asks="the device may be gone: it lets go of what is left and raises nothing",
                mend="ignore what the hardware says to that (OSError: ENODEV, say), and close the "
                "descriptor all the same",
            ) from None

    def calls_to_lose(self, handle: Handle) -> list[tuple[str, tuple[Any, ...]]]:
        """Calls in the middle of which a device is unplugged."""
        raise NotImplementedError

    @both("a device that is unplugged is gone, and back when it is plugged in")
    def check_unplug(self, bench: Bench) -> None:
        unplug, plug = self.plugs(bench)
        for identity in self.found(bench):
            handle = bench.open(identity)
            unplug(identity)
            try:
                self.await_found(bench, identity, there=False)
                self.until_gone("probe()", identity, lambda: handle.call("probe"))  # noqa: B023
                self.gently("close()", identity, handle.close)
                self.until_gone("open()", identity, lambda: bench.open(identity).close())  # noqa: B023
            finally:
                plug(identity)
            self.await_found(bench, identity, there=True)
            with self.opened(bench, identity) as again:
                self.once(again)

    @both("a device that is unplugged in the middle of a call")
    def check_unplug_in_a_call(self, bench: Bench) -> None:
        unplug, plug = self.plugs(bench)
        for identity in self.found(bench):
            with self.opened(bench, identity) as handle:
                calls = self.calls_to_lose(handle)
            for method, arguments in calls:
                handle = bench.open(identity)
                pending = handle.begin(method, *arguments)
                unplug(identity)
                try:
                    try:
                        pending.result()
                    except DeviceFailure:
                        pass
                    what = f"{method}({', '.join(map(repr, arguments))})"
                    self.until_gone(
                        what,
                        identity,
                        lambda: handle.call(method, *arguments),  # noqa: B023
                    )
                    self.gently("close()", identity, handle.close)
                finally:
                    plug(identity)
                self.await_found(bench, identity, there=True)


def _drop(_: object) -> None:
    """Nobody wants what was returned."""
