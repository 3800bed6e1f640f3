"""
The state keys that drivers bring along: ``vendor-...``.

They are there from the moment their driver is loaded, whether it runs or not.
What a client sets is taken to the driver, told to it again whenever its
process has started, and what the driver publishes is the truth.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterator, Mapping
from typing import Final, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rotoclear.devices.plugin import Plugin
from rotoclear.interfaces import DriverKey
from rotoclear.state.errors import NOT_AVAILABLE, DeviceError, NotAvailable, Refusal
from rotoclear.state.keys import Key
from rotoclear.state.lanes import Judgement, Lane, Values
from rotoclear.state.model import Model
from rotoclear.values import InvalidValue, Value

GROUP: Final = "Vendor keys"
"""The heading that they are documented under."""

PACE: Final = 0.02
"""Seconds between two values that a driver publishes for one key; of more the newest counts."""

QUIET: Final = 60.0
"""Seconds for which a driver's mistakes are not logged again."""


class KeyedDriver(Protocol):
    """What is needed of a driver; see :class:`~rotoclear.devices.driver.Driver`."""

    @property
    def state(self) -> str:
        """``"running"`` if it does."""

    def set_key(self, name: str, value: Value) -> Deferred[None]:
        """
        Have it set one of its keys.

        :raises NotAvailable: through the Deferred: it has no process.
        :raises DeviceError: through the Deferred: it refused, failed or did not answer.
        """


class Taken(ValueError):
    """Another driver has a key of that name already. ``str()`` is for people."""


class VendorKeys:
    """
    All of them.

    :param clock: keeps the pace.
    :param model: gets the keys and their lanes.
    :param drivers: those that were started, by name.
    """

    def __init__(
        self, clock: IReactorTime, model: Model, drivers: Mapping[str, KeyedDriver]
    ) -> None:
        self._clock = clock
        self._model = model
        self._drivers = drivers
        self._owners: dict[str, str] = {}
        self._all: list[DriversKeys] = []

    def add(self, plugin: Plugin) -> DriversKeys:
        """
        A driver is loaded: there are its keys.

        :raises Taken: one of them is another driver's; then none was added.
        """
        for key in plugin.keys:
            if key.name in self._owners:
                raise Taken(f"The key {key.name} is the driver {self._owners[key.name]}'s already")
        for key in plugin.keys:
            self._owners[key.name] = plugin.name
            self._model.add_key(_row(key))
        keys = DriversKeys(self._clock, self._model, plugin, self._drivers)
        self._all.append(keys)
        return keys

    def stop(self) -> None:
        """Nothing will be published any more."""
        for keys in self._all:
            keys.stop()


class DriversKeys:
    """Those of one driver."""

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        model: Model,
        plugin: Plugin,
        drivers: Mapping[str, KeyedDriver],
    ) -> None:
        self._clock = clock
        self._model = model
        self._name = plugin.name
        self._drivers = drivers
        self._keys = {key.name: key for key in plugin.keys}
        self._published = {
            key.name: _Published(clock, model, key.name) for key in self._keys.values()
        }
        self._complained: float | None = None
        for key in self._writable():
            model.add_lane(_DriverLane(self, self._published[key.name]))

    def _writable(self) -> Iterator[DriverKey]:
        return (key for key in self._keys.values() if key.writable)

    def missing(self) -> str:
        """Why nothing can be set right now, for people; empty if it can."""
        driver = self._drivers.get(self._name)
        state = "stopped" if driver is None else driver.state
        return "" if state == "running" else f"The driver {self._name} is not running ({state})"

    def set(self, name: str, value: Value) -> Deferred[None]:
        """
        Have the driver set one.

        :raises NotAvailable: through the Deferred, or at once: it does not run.
        :raises DeviceError: through the Deferred: it did not work.
        """
        driver = self._drivers.get(self._name)
        if driver is None:
            raise NotAvailable(self.missing())
        return driver.set_key(name, value)

    def serving(self) -> None:
        """The driver has a new process: it is told what was confirmed before."""
        for key in self._writable():
            self.set(key.name, self._model[key.name]).addErrback(self._not_told, key.name)

    def _not_told(self, failure: Failure, name: str) -> None:
        failure.trap(DeviceError, NotAvailable)
        self._log.warn(
            "{driver} does not take what {key} was: {reason}",
            driver=self._name,
            key=name,
            reason=failure.getErrorMessage(),
        )

    def published(self, name: str, raw: object) -> None:
        """The driver says what one of its keys holds."""
        key = self._keys.get(name)
        if key is None:
            self._complain(f"{name[:64]!r} is none of its keys")
            return
        try:
            value = key.type.parse(raw)
        except InvalidValue as error:
            self._complain(f"{name} cannot be {str(raw)[:64]!r}: {error}")
            return
        self._published[name].put(value)

    def _complain(self, what: str) -> None:
        now = self._clock.seconds()
        if self._complained is None or now - self._complained >= QUIET:
            self._complained = now
            self._log.warn(
                "{driver} publishes what is dropped: {what}", driver=self._name, what=what
            )

    def stop(self) -> None:
        """Nothing will be published any more."""
        for published in self._published.values():
            published.stop()


class _Published:
    """
    What a driver says that one key holds: committed at no more than a certain pace.

    :ivar held: the key is being set: what the driver says meanwhile is newer
        than what was asked for, and is committed after it.
    """

    def __init__(self, clock: IReactorTime, model: Model, name: str) -> None:
        self.name = name
        self._clock = clock
        self._model = model
        self._value: Value | None = None
        self._timer: IDelayedCall | None = None
        self._held = False

    def put(self, value: Value) -> None:
        """It holds this."""
        self._value = value
        if self._timer is None and not self._held:
            self._commit()

    def hold(self) -> None:
        """The key begins to be set."""
        self._held = True

    def release(self) -> None:
        """It was set; what was asked for is committed in this turn."""
        self._held = False
        if self._timer is None:
            self._timer = self._clock.callLater(0, self._due)

    def stop(self) -> None:
        self._value = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self) -> None:
        self._timer = None
        if self._value is not None and not self._held:
            self._commit()

    def _commit(self) -> None:
        value, self._value = self._value, None
        assert value is not None  # noqa: S101 - both callers know
        self._timer = self._clock.callLater(PACE, self._due)
        self._model.commit({self.name: value})


class _DriverLane(Lane):
    """One key, on its way to the driver."""

    def __init__(self, keys: DriversKeys, published: _Published) -> None:
        super().__init__(published.name)
        self._of = keys
        self._published = published

    def judge(self, wanted: Values) -> Judgement:
        missing = self._of.missing()
        if missing:
            return Judgement({}, [Refusal(NOT_AVAILABLE, name, missing) for name in wanted])
        return Judgement(dict(wanted))

    def apply(self, values: Values) -> Awaitable[None]:
        return self._apply(values)

    async def _apply(self, values: Values) -> None:
        self._published.hold()
        try:
            for name, value in values.items():
                await self._of.set(name, value)
        finally:
            self._published.release()


def _row(key: DriverKey) -> Key:
    """A driver's key as one of the table's."""
    reads, writes = f"{key.permission}_r", f"{key.permission}_rw"
    return Key(
        name=key.name,
        observable=key.name,
        type=key.type,
        default=key.default,
        read=frozenset({reads, writes}),
        write=frozenset({writes} if key.writable else ()),
        saved=key.saved,
        group=GROUP,
        doc=key.doc,
    )
