"""What makes a driver."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface import directlyProvides, implementer

from rotoclear.devices.kinds import KindError, is_driver, kind_of
from rotoclear.drivers.simulated import SimulatedHead, SimulatedLights, SimulatedStorage
from rotoclear.interfaces import ICameraDriver, ILightDriver, ISimulated


@implementer(ILightDriver)
class Lights:
    name: Any = "acme"
    matches: Any = ()
    options: Any = ()
    keys: Any = ()

    def start(self, context: object) -> None: ...

    def stop(self) -> None: ...

    def find(self) -> list[str]:
        return []

    def open(self, identity: str) -> Any: ...


class Kinds(SynchronousTestCase):
    def refused(self, driver: object, pattern: str) -> None:
        with self.assertRaisesRegex(KindError, pattern):
            kind_of(driver)

    def test_the_three_kinds(self) -> None:
        drivers = (SimulatedHead(1), SimulatedLights(), SimulatedStorage())
        self.assertEqual([kind_of(driver) for driver in drivers], ["camera", "light", "storage"])

    def test_something_else(self) -> None:
        self.assertFalse(is_driver(object()))
        self.assertFalse(is_driver(Lights))
        self.refused(object(), "none of ICameraDriver, ILightDriver, IStorageDriver")

    def test_a_method_is_missing(self) -> None:
        class NoFind:
            name = "acme"

            def start(self, context: object) -> None: ...

            def stop(self) -> None: ...

            def open(self, identity: str) -> None: ...

        driver = NoFind()
        directlyProvides(driver, ILightDriver)
        self.assertTrue(is_driver(driver))
        self.refused(driver, r"find\(\) attribute was not provided")

    def test_what_it_says_of_itself_is_missing(self) -> None:
        for attribute in ("matches", "options", "keys"):
            driver = type("Silent", (), dict(vars(Lights)))()
            delattr(type(driver), attribute)
            directlyProvides(driver, ILightDriver)
            self.refused(driver, f"IDriver.{attribute} attribute was not provided")

    def test_a_method_takes_too_few_arguments(self) -> None:
        class Odd(Lights):
            def open(self) -> None:  # type: ignore[override]
                ...

        self.refused(Odd(), "open")

    def test_two_kinds_at_once(self) -> None:
        driver = Lights()
        directlyProvides(driver, ICameraDriver)
        self.refused(driver, "several kinds: camera, light")

    def test_a_simulator_that_cannot_simulate(self) -> None:
        driver = Lights()
        directlyProvides(driver, ISimulated)
        self.refused(driver, "simulate")

    def test_names(self) -> None:
        for name in ("", "Acme", "a_b", "a b", "x" * 65, 5, None, "ä"):
            driver = Lights()
            driver.name = name
            self.refused(driver, "letters, digits and hyphens")

    def test_one_that_raises_when_it_is_looked_at(self) -> None:
        class Trap:
            @property
            def __provides__(self) -> Any:
                raise RuntimeError

        self.assertFalse(is_driver(Trap()))
