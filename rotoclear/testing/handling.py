"""What checks are made of: devices found, opened, described and called."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import msgspec

from rotoclear.devices import describe
from rotoclear.interfaces import DeviceFailure
from rotoclear.testing.bench import Bench, Handle
from rotoclear.testing.fault import Fault
from rotoclear.testing.making import Making

INTERFACES: Final = {"camera": "ICamera", "light": "ILight", "storage": "IVolume"}
"""Of the devices, by their kind."""

_DESCRIPTIONS: Final = {
    "camera": "CameraDescription",
    "light": "LightDescription",
    "storage": "VolumeDescription",
}

T = TypeVar("T")


class Handling(Making):
    """Common to all checks."""

    def found(self, bench: Bench) -> list[str]:
        """
        The devices that are checked.

        :raises Fault: there is none, or ``find`` is wrong.
        """
        found = self.find(bench)
        wanted = self.identities
        missing = [identity for identity in wanted if identity not in found]
        if missing or not found:
            named = ", ".join(found) or "no device"
            raise Fault(
                f"find() named {named}" + (f" and not {', '.join(missing)}." if missing else "."),
                where="IDriver.find",
                asks="the identities of the devices that are there now",
                mend="plug one in; if one is, see whether find() and its options look in the "
                "right place, and whether this user may open it",
            )
        return list(wanted) or found

    def find(self, bench: Bench) -> list[str]:
        """
        What a driver finds.

        :raises Fault: that are no identities.
        """
        found: Any = bench.find()
        if isinstance(found, str) or not isinstance(found, Sequence):
            raise Fault(
                f"find() returned {found!r:.100}, which is no list or tuple.",
                where="IDriver.find",
                asks="a sequence (a list or a tuple) of identities, each a str",
                mend="return [identity] also for one device, and list(...) of a generator",
            )
        for identity in found:
            if not isinstance(identity, str) or not describe.IDENTITY.fullmatch(identity):
                raise Fault(
                    f"find() named {identity!r:.100}, which is no identity.",
                    where="IDriver.find",
                    asks="each identity is a str of 1 to 128 printable ASCII characters",
                    mend="make a text of it, such as a serial number or the port's path",
                )
        if len(set(found)) != len(found):
            raise Fault(
                f"find() named a device twice: {', '.join(found)}.",
                where="IDriver.find",
                asks="an identity tells a device from every other of this driver",
                mend="put what tells them apart into it: the serial number, else the port",
            )
        return list(found)

    @contextmanager
    def opened(self, bench: Bench, identity: str) -> Iterator[Handle]:
        """A device that is open until the end of the block."""
        handle = bench.open(identity)
        try:
            yield handle
        except BaseException:
            try:
                handle.close()
            except Exception:  # noqa: BLE001, S110 - what came first is told
                pass
            raise
        else:
            handle.close()

    def each(self, bench: Bench) -> Iterator[Handle]:
        """The devices, opened one after another."""
        for identity in self.found(bench):
            with self.opened(bench, identity) as handle:
                self.described(handle, handle.raw)
                yield handle

    def described(self, handle: Handle, raw: object) -> Any:
        """
        A description, in its own type.

        :raises Fault: it is not valid.
        """
        try:
            plain = msgspec.to_builtins(raw)
            description = describe.description(self.kind, handle.identity, plain)  # type: ignore[arg-type]
        except (describe.BadDescription, TypeError, ValueError) as error:
            raise Fault(
                f"describe() of {handle.identity} returned what is not valid: {error}.",
                where=_DESCRIPTIONS[self.kind],
                asks="every field within the bounds that stand there",
                mend="correct that field",
            ) from None
        type(self).report.devices[handle.identity] = msgspec.to_builtins(
            description, order="deterministic"
        )
        return description

    def timed(self, identity: str, name: str, function: Callable[[], T]) -> T:
        """Note how long a call takes, in milliseconds; the longest counts."""
        began = time.monotonic()
        result = function()
        took = round((time.monotonic() - began) * 1000, 1)
        known = type(self).report.figures.get(identity, {}).get(name, 0.0)
        type(self).report.figure(identity, name, max(took, known))
        return result

    def must_refuse(self, handle: Handle, method: str, *arguments: Any, asks: str) -> None:
        """
        A call that no device can do.

        :raises Fault: it seems to have done it.
        """
        what = f"{method}({', '.join(map(repr, arguments))})"
        try:
            handle.call(method, *arguments)
        except DeviceFailure:
            return
        raise Fault(
            f"{what} of {handle.identity} raised nothing, though there is no such thing.",
            where=f"{INTERFACES[self.kind]}.{method}",
            asks=asks,
            mend="look the arguments up in what describe() says, and raise DeviceFailure for "
            "what is not there",
        )

    def must_take(self, handle: Handle, method: str, *arguments: Any) -> None:
        """
        A call that it has said it can do.

        :raises Fault: it refused.
        """
        what = f"{method}({', '.join(map(repr, arguments))})"
        try:
            self.timed(handle.identity, f"{method}, ms", lambda: handle.call(method, *arguments))
        except DeviceFailure as error:
            raise Fault(
                f"{what} of {handle.identity} was refused: {type(error).__name__}: {error}",
                where=f"{INTERFACES[self.kind]}.{method}",
                asks="what describe() declares can be done, every value of it",
                mend="do not declare what this hardware cannot do; scale what it can do to its "
                "range",
            ) from None

    def once(self, handle: Handle) -> None:
        """Use a device a little, as the server would."""
        handle.call("probe")
