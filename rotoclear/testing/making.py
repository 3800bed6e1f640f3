"""How a check is made and noted."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Final

from rotoclear.interfaces import DeviceFailure, DriverUnusable, Setting, UdevDevice
from rotoclear.testing import words
from rotoclear.testing.bench import Bench, Crash, Ended, Late
from rotoclear.testing.checks import Way, add_tests
from rotoclear.testing.direct import DirectBench
from rotoclear.testing.fault import Fault, NotExercised
from rotoclear.testing.hosted import HostedBench
from rotoclear.testing.report import Check, Report, distribution_of
from rotoclear.testing.settings import filled

if TYPE_CHECKING:
    from unittest import TestCase as _Case
else:
    _Case = object

PRINT: Final = "ROTOCLEAR_TESTING_REPORT"
"""If this stands in the environment, reports are printed at the end."""


class Making(_Case):
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
