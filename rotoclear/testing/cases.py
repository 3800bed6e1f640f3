"""What is checked of every driver."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

import msgspec

from rotoclear.devices import declared, describe
from rotoclear.devices.kinds import NAME, KindError, kind_of
from rotoclear.interfaces import (
    DeviceFailure,
    DriverUnusable,
    IKeys,
    Setting,
    UdevDevice,
)
from rotoclear.testing import words
from rotoclear.testing.bench import Bench, Crash, Ended, Handle, Late
from rotoclear.testing.checks import Way, add_tests, alone, both, hosted
from rotoclear.testing.direct import DirectBench
from rotoclear.testing.fault import Fault, NotExercised
from rotoclear.testing.hosted import HostedBench
from rotoclear.testing.leaks import leaks
from rotoclear.testing.report import Check, Report, distribution_of
from rotoclear.testing.samples import fits, values_of
from rotoclear.testing.settings import filled

if TYPE_CHECKING:
    from unittest import TestCase as _Case
else:
    _Case = object

NOBODY: Final = "rotoclear-testing-nobody"
"""An identity that no device has."""

FIND: Final = 0.4
"""Seconds that ``find`` may take here; it should be milliseconds."""

PROBE: Final = 0.4
"""Seconds after which a device that was probed counts as gone."""

AWAY: Final = 3.0
"""Seconds in which it must have been noticed that a device was unplugged or plugged in."""

POLITE: Final = 1.0
"""Seconds that a driver has to end."""

PRINT: Final = "ROTOCLEAR_TESTING_REPORT"
"""If this stands in the environment, reports are printed at the end."""

T = TypeVar("T")


class DriverTests(_Case):
    """
    Common to the drivers of all kinds; see :mod:`rotoclear.testing`.

    :cvar module: of the plugin, for the checks through the real host:
        ``"rotoclear.plugins.acme_lamp"``. Without it they are not made.
    :cvar attribute: the driver's name there.
    :cvar options: of the driver, as its section of the configuration would hold them.
    :cvar identities: the devices that are checked; empty for all that are found.
    :cvar rounds: how often it is opened and closed in search of leaks.
    :cvar report: what came of the checks.
    """

    kind: ClassVar[str] = ""
    module: ClassVar[str] = ""
    attribute: ClassVar[str] = ""
    options: Mapping[str, Setting] = {}
    identities: Sequence[str] = ()
    rounds: int = 20
    report: ClassVar[Report] = Report()

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        add_tests(cls)
        cls.report = Report()
        if os.environ.get(PRINT):
            atexit.register(lambda: cls.report.checks and print(cls.report.as_text()))

    # -- what a subclass says ----------------------------------------------------

    def make_driver(self) -> Any:
        """A new driver that was not started yet."""
        raise NotImplementedError(f"{type(self).__name__} must have make_driver()")

    def present(self) -> Sequence[UdevDevice]:
        """The devices of the kernel's that it is for and that are there now."""
        return ()

    def unplug(self, identity: str) -> None:
        """Take a device away, or have a rig do it. Called in this process."""
        raise NotImplementedError

    def plug(self, identity: str) -> None:
        """Bring it back."""
        raise NotImplementedError

    # -- how a check is made -----------------------------------------------------

    def make_check(self, test: str, what: str, way: Way, function: Callable[..., None]) -> None:
        """Make one and note what comes of it."""
        report = type(self).report
        where = " (in its own process)" if way == "hosted" else ""
        self.noted = Check(test, what + where)
        report.checks[:] = [check for check in report.checks if check.name != test]
        report.checks.append(self.noted)
        self._data_dir = tempfile.mkdtemp(prefix="rotoclear-testing-")
        try:
            self._make(way, function)
        except NotExercised as error:
            self.noted.outcome = "not exercised"
            self.noted.not_exercised.append(str(error))
        except Fault as fault:
            self.noted.outcome = "fail"
            self.noted.message = str(fault)
            raise self.failureException(f"{what}: {fault}") from None
        except BaseException as error:
            self.noted.outcome = "fail"
            self.noted.message = f"{type(error).__name__}: {error}"
            raise
        finally:
            shutil.rmtree(self._data_dir, ignore_errors=True)

    def _make(self, way: Way, function: Callable[..., None]) -> None:
        if way == "alone":
            function()
            return
        place = DirectBench.where if way == "direct" else HostedBench.where
        try:
            with self.bench(way) as bench:
                function(bench)
        except (Crash, Late, Ended, DeviceFailure, DriverUnusable) as error:
            raise words.explained(error, place) from error

    @contextmanager
    def bench(self, way: Way) -> Iterator[Bench]:
        """A driver that runs until the end of the block."""
        bench = self._new_bench(way)
        try:
            bench.start()
            yield bench
        except BaseException:
            try:
                bench.stop()
            except Exception:  # noqa: BLE001, S110 - what came first is told
                pass
            raise
        else:
            bench.stop()

    def _new_bench(self, way: Way) -> Bench:
        report = type(self).report
        report.options = dict(self.options)
        if way == "direct":
            driver = self.make_driver()
            self._introduce(driver)
            options = filled(driver, self.options)
            return DirectBench(driver, options, self.present(), self._data_dir)
        if not self.module or not self.attribute:
            raise NotExercised(
                "no process of its own: say module = and attribute = in the test's class"
            )
        report.target = f"{self.module}:{self.attribute}"
        return HostedBench(
            self.module, self.attribute, self.options, self.present(), self._data_dir
        )

    def _introduce(self, driver: Any) -> None:
        """Note who it is."""
        cls = type(driver)
        about = {"driver": str(getattr(driver, "name", "?")), "kind": self.kind}
        about |= {"class": f"{cls.__module__}.{cls.__qualname__}"}
        type(self).report.driver = about | distribution_of(cls.__module__)

    def not_exercised(self, why: str) -> None:
        """Note that a part of the check could not be made."""
        if why not in self.noted.not_exercised:
            self.noted.not_exercised.append(why)

    # -- what checks are made of -------------------------------------------------

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
            where=f"{_DEVICES[self.kind]}.{method}",
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
                where=f"{_DEVICES[self.kind]}.{method}",
                asks="what describe() declares can be done, every value of it",
                mend="do not declare what this hardware cannot do; scale what it can do to its "
                "range",
            ) from None

    # -- unplugging --------------------------------------------------------------

    def plugs(self, bench: Bench) -> tuple[Callable[[str], None], Callable[[str], None]]:
        """
        What takes a device away and what brings it back.

        :raises NotExercised: nothing does.
        """
        cls = type(self)
        if cls.unplug is not DriverTests.unplug and cls.plug is not DriverTests.plug:
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
        deadline = time.monotonic() + AWAY
        while (identity in self.find(bench)) is not there:
            if time.monotonic() > deadline:
                raise Fault(
                    f"find() does {'not ' if there else 'still '}name {identity}, {AWAY:g} s after "
                    f"it was {'plugged in' if there else 'unplugged'}.",
                    where="IDriver.find",
                    asks="the identities of the devices that are there now",
                    mend="look anew each time, and forget what is not there",
                )
            time.sleep(0.02)

    def until_gone(self, what: str, identity: str, call: Callable[[], object]) -> None:
        """
        Do something to a device that was unplugged until it raises.

        :raises Fault: it goes on as if nothing had happened.
        """
        deadline = time.monotonic() + AWAY
        while True:
            try:
                call()
            except DeviceFailure:
                return
            if time.monotonic() > deadline:
                raise Fault(
                    f"{what} of {identity} still succeeds {AWAY:g} s after it was unplugged.",
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
                where=f"{_DEVICES[self.kind]}.{what.partition('(')[0]}",
                asks="the device may be gone: it lets go of what is left and raises nothing",
                mend="ignore what the hardware says to that (OSError: ENODEV, say), and close the "
                "descriptor all the same",
            ) from None

    def calls_to_lose(self, handle: Handle) -> list[tuple[str, tuple[Any, ...]]]:
        """Calls in the middle of which a device is unplugged."""
        raise NotImplementedError

    def once(self, handle: Handle) -> None:
        """Use a device a little, as the server would."""
        handle.call("probe")

    # -- the checks --------------------------------------------------------------

    @alone("name, matches, options and keys are as the interface asks")
    def check_declaration(self) -> None:
        driver = self.make_driver()
        self._introduce(driver)
        name = getattr(driver, "name", None)
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise Fault(
                f"The driver's name is {name!r:.100}.",
                where="IDriver.name",
                asks="small letters, digits and hyphens, 1 to 64",
                mend="call it after yourself and the device: acme-lamp",
            )
        try:
            kind = kind_of(driver)
        except KindError as error:
            raise Fault(
                f"It is no whole driver: {error}",
                where="IDriver and what extends it",
                asks="exactly one of ICameraDriver, ILightDriver, IStorageDriver with all of its "
                "attributes and methods",
                mend="add what is missing; zope.interface.verify.verifyObject() says it, too",
            ) from None
        if kind != self.kind:
            raise Fault(
                f"It is a {kind} driver, and these are the tests of a {self.kind} driver.",
                where="IDriver",
                asks="each kind has an interface of its own",
                mend=f"derive the test from {kind.capitalize()}DriverTests",
            )
        for attribute, verify in (
            ("matches", declared.matches),
            ("options", declared.options),
            ("keys", declared.keys),
        ):
            try:
                verify(driver)
            except KindError as error:
                raise Fault(
                    f"What it declares is not valid: {error}",
                    where=f"IDriver.{attribute}; {_PARTS[attribute]}",
                    asks="every field within the bounds that stand there; whoever has a writable "
                    "key provides IKeys with set_key()",
                    mend="correct that attribute",
                ) from None
        filled(driver, self.options)

    @both("devices are found, quickly and always the same")
    def check_find(self, bench: Bench) -> None:
        first = self.found(bench)
        seconds = []
        for _ in range(4):
            began = time.monotonic()
            again = self.find(bench)
            seconds.append(time.monotonic() - began)
            if set(first) - set(again):
                raise Fault(
                    f"find() named {', '.join(first)}, then {', '.join(again) or 'nothing'}; "
                    "nothing was plugged or unplugged.",
                    where="CameraDescription.identity",
                    asks="an identity stays the same: a serial number, else the port's path",
                    mend="make it of what the hardware keeps, never of a counter, an address or "
                    "the time",
                )
        quickest = min(seconds)
        type(self).report.figure("driver", "find, ms", round(quickest * 1000, 1))
        if quickest > FIND:
            raise Fault(
                f"find() takes {quickest:.2f} s.",
                where="Time",
                asks="find() is called about twice a second and should take milliseconds",
                mend="list what the kernel knows (context.devices()), and open nothing for it",
            )

    @both("it is started, opened, described, closed and stopped again and again")
    def check_life(self, bench: Bench) -> None:
        way: Way = "direct" if isinstance(bench, DirectBench) else "hosted"
        known: dict[str, Any] = {}
        self._open_all(bench, known)
        self._open_all(bench, known)
        bench.stop()
        with self.bench(way) as another:
            self._open_all(another, known)

    def _open_all(self, bench: Bench, known: dict[str, Any]) -> None:
        identities = self.found(bench)
        anew = bool(known)
        for identity in identities:
            if anew and identity not in known:
                raise Fault(
                    f"find() named {', '.join(known)} and, when the driver was started anew, "
                    f"{', '.join(identities)}.",
                    where="CameraDescription.identity",
                    asks="an identity stays the same after a restart",
                    mend="make it of what the hardware keeps: a serial number, else the port",
                )
            with self.opened(bench, identity) as handle:
                for raw in (handle.raw, handle.describe(), handle.describe()):
                    description = self.described(handle, raw)
                    if known.setdefault(identity, description) != description:
                        difference = _difference(known[identity], description)
                        raise Fault(
                            f"describe() of {identity} returned {difference}.",
                            where=f"{_DEVICES[self.kind]}.describe",
                            asks="it stays the same while it is open, and names what the device is",
                            mend="make the description once, when the device is opened, of what "
                            "the hardware keeps",
                        )
                self.once(handle)

    @both("an identity that there is not cannot be opened")
    def check_unknown_identity(self, bench: Bench) -> None:
        self.found(bench)
        try:
            bench.open(NOBODY).close()
        except DeviceFailure:
            return
        raise Fault(
            f"open({NOBODY!r}) succeeded, though find() has never named that device.",
            where="ICameraDriver.open",
            asks="DeviceGone if the device is not there",
            mend="look for the device by its identity in open(), and raise DeviceGone if there "
            "is none",
        )

    @both("a device that is open already is not harmed by another open")
    def check_open_twice(self, bench: Bench) -> None:
        for handle in self.each(bench):
            try:
                bench.open(handle.identity).close()
            except DeviceFailure:
                pass  # that is a way, too
            self.once(handle)

    @both("a probe is quick and changes nothing")
    def check_probe(self, bench: Bench) -> None:
        for handle in self.each(bench):
            before = self._shown(bench, handle)
            seconds = []
            for _ in range(3):
                began = time.monotonic()
                handle.call("probe")
                seconds.append(time.monotonic() - began)
            type(self).report.figure(
                handle.identity, "probe, ms", round(sorted(seconds)[1] * 1000, 1)
            )
            if sorted(seconds)[1] > PROBE:
                raise Fault(
                    f"probe() of {handle.identity} takes {sorted(seconds)[1]:.2f} s.",
                    where="Time",
                    asks="a device whose probe takes longer than 0.4 seconds counts as gone",
                    mend="ask for something small: a register, a status, VIDIOC_QUERYCAP",
                )
            after = self._shown(bench, handle)
            if before != after or handle.describe() != handle.raw:
                raise Fault(
                    f"probe() of {handle.identity} changed what it holds or describes: {before} "
                    f"became {after}.",
                    where="ICamera.probe",
                    asks="it asks the hardware for a sign of life",
                    mend="only read there",
                )
        if not bench.simulated:
            self.not_exercised(
                "whether a probe changes the hardware: only a simulated device (ISimulated) can "
                "show what it holds"
            )

    def _shown(self, bench: Bench, handle: Handle) -> object:
        if not bench.simulated:
            return None
        shown = bench.simulate("show", handle.identity)
        return None if shown is None else shown.get("holds", shown)

    @both("nothing leaks: descriptors, threads, memory")
    def check_leaks(self, bench: Bench) -> None:
        identities = self.found(bench)

        def one_round() -> None:
            for identity in identities:
                with self.opened(bench, identity) as handle:
                    self.once(handle)

        leaks(bench, one_round, self.rounds, type(self).report)

    @both("its keys are set to every value, and what it publishes fits")
    def check_keys(self, bench: Bench) -> None:
        keys = declared.keys(self.make_driver())
        if not keys:
            raise NotExercised("it has no keys of its own")
        writable = [key for key in keys if key.writable]
        for key in writable:
            for value in (key.default, *values_of(key.type), key.default):
                try:
                    self.timed(key.name, "set_key, ms", lambda: bench.set_key(key.name, value))  # noqa: B023
                except DeviceFailure as error:
                    raise Fault(
                        f"set_key({key.name!r}, {value!r:.50}) was refused: {error}",
                        where="IKeys.set_key",
                        asks="it is called with values that the key's type allows, and makes it so",
                        mend="narrow the key's type to what the device can do",
                    ) from None
        for _ in range(3):
            self.find(bench)
        table = {key.name: key for key in keys}
        for name, value in bench.published:
            if name not in table:
                raise Fault(
                    f"It published {name!r}, which is no key of its own.",
                    where="DriverContext.publish",
                    asks="a key of the driver's own and a value",
                    mend="declare it in keys, or mend its name",
                )
            if not fits(table[name].type, value):
                raise Fault(
                    f"It published {value!r} for {name}.",
                    where="DriverContext.publish",
                    asks="a value that the key can hold",
                    mend="bring it into the bounds of the key's type",
                )
        silent = {key.name for key in keys if not key.writable} - {n for n, _ in bench.published}
        for name in sorted(silent):
            self.not_exercised(f"{name} was not published while this ran")
        if not writable:
            self.not_exercised(
                "set_key(): it has no writable key"
                + (", though it provides IKeys" if IKeys.providedBy(self.make_driver()) else "")
            )

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

    @hosted("it ends within a second when the server says so")
    def check_stop(self, bench: Bench) -> None:
        for identity in self.found(bench):
            self.once(bench.open(identity))
        took = bench.stop()
        type(self).report.figure("driver", "stop, ms", round(took * 1000, 1))
        if took > POLITE + 0.2:
            raise Fault(
                f"The process took {took:.2f} s to end when it was asked to.",
                where="IDriver.stop",
                asks="let go of everything; the server waits a second, then it kills the process",
                mend="end threads and helpers by an event that they wait for, not by a time-out",
            )

    @hosted("a process that is killed leaves the hardware to the next one, and no child behind")
    def check_kill(self, bench: Bench) -> None:
        assert isinstance(bench, HostedBench)  # noqa: S101 - for mypy
        for identity in self.found(bench):
            self.used(bench.open(identity))
        type(self).report.figure("driver", "memory, MB", bench.vitals().memory // 1_000_000)
        bench.process.kill()
        deadline = time.monotonic() + POLITE
        while left := bench.process.left_behind():
            if time.monotonic() > deadline:
                names = ", ".join(f"{pid} ({_command(pid)})" for pid in left)
                raise Fault(
                    f"A process that it has started lives on when the driver was killed: {names}.",
                    where="Life",
                    asks="a process may be killed at any moment and must leave nothing behind: "
                    "no child that lives on",
                    mend="start no process; or give it a pipe to its stdin, and let it end when "
                    "that does (or prctl(PR_SET_PDEATHSIG) in it)",
                )
            time.sleep(0.02)
        with self.bench("hosted") as another:
            for handle in self.each(another):
                try:
                    self.once(handle)
                except DeviceFailure as error:
                    raise Fault(
                        f"{handle.identity} cannot be used after the driver was killed: {error}",
                        where="Life",
                        asks="it leaves nothing behind that keeps the next one from its hardware: "
                        "no lock file, no child that lives on",
                        mend="use locks that the kernel lets go of (flock(2)), and bring the "
                        "hardware into a known state when it is opened",
                    ) from None

    def used(self, handle: Handle) -> None:
        """Be in the middle of using a device, as when a process is killed."""
        self.once(handle)


add_tests(DriverTests)


def _drop(_: object) -> None:
    """Nobody wants what was returned."""


def _difference(first: Any, then: Any) -> str:
    """Two descriptions, where they are not the same."""
    a, b = msgspec.to_builtins(first), msgspec.to_builtins(then)
    differing = [name for name in a if a[name] != b.get(name)]
    return "; ".join(f"{name} {a[name]!r:.100}, then {b[name]!r:.100}" for name in differing)


def _command(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:  # noqa: PTH123
            return os.fsdecode(file.read().replace(b"\0", b" ")).strip()[:80]
    except OSError:
        return "?"


_DEVICES: Final = {"camera": "ICamera", "light": "ILight", "storage": "IVolume"}
_DESCRIPTIONS: Final = {
    "camera": "CameraDescription",
    "light": "LightDescription",
    "storage": "VolumeDescription",
}
_PARTS: Final = {"matches": "Match", "options": "Option", "keys": "DriverKey"}
