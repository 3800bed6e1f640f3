"""What is checked of every driver."""

from __future__ import annotations

import os
import time
from typing import Any, Final

import msgspec

from rotoclear.devices import declared
from rotoclear.devices.kinds import NAME, KindError, kind_of
from rotoclear.interfaces import DeviceFailure, IKeys
from rotoclear.testing.bench import Bench, Handle
from rotoclear.testing.checks import Way, alone, both, hosted
from rotoclear.testing.direct import DirectBench
from rotoclear.testing.fault import Fault, NotExercised
from rotoclear.testing.handling import INTERFACES
from rotoclear.testing.hosted import HostedBench
from rotoclear.testing.leaks import leaks
from rotoclear.testing.plugging import PlugTests
from rotoclear.testing.samples import fits, values_of
from rotoclear.testing.settings import filled

NOBODY: Final = "rotoclear-testing-nobody"
"""An identity that no device has."""

FIND: Final = 0.4
"""Seconds that ``find`` may take here; it should be milliseconds."""

PROBE: Final = 0.4
"""Seconds after which a device that was probed counts as gone."""

POLITE: Final = 1.0
"""Seconds that a driver has to end."""


class DriverTests(PlugTests):
    """For drivers of all kinds; see :mod:`rotoclear.testing`."""

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
                            where=f"{INTERFACES[self.kind]}.describe",
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


_PARTS: Final = {"matches": "Match", "options": "Option", "keys": "DriverKey"}
