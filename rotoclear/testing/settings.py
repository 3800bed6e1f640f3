"""A driver's options, with what a test says of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rotoclear.interfaces import Option, Setting
from rotoclear.testing.fault import Fault


def filled(driver: Any, given: Mapping[str, Setting]) -> dict[str, Setting]:
    """
    All options of a driver: those that are given, and the defaults of the others.

    :raises Fault: one that is given is none of its options.
    """
    options: dict[str, Option] = {option.name: option for option in driver.options}
    for name in given:
        if name not in options:
            names = ", ".join(options) or "none"
            raise Fault(
                f"The test gives the option {name!r}, and the driver declares {names}.",
                where="IDriver.options",
                asks="what may stand in its section of the configuration file",
                mend="declare it as an Option, or mend the test",
            )
    return {name: given.get(name, option.default) for name, option in options.items()}


def parsed(driver: Any, given: Mapping[str, str]) -> dict[str, Setting]:
    """
    Options from a command line, each as its default's type has it.

    :raises ValueError: there is no such option, or it cannot be that.
    """
    options: dict[str, Option] = {option.name: option for option in driver.options}
    result: dict[str, Setting] = {}
    for name, text in given.items():
        if name not in options:
            raise ValueError(f"There is no option {name}; there are: {', '.join(options)}")
        match options[name].default:
            case bool():
                if text not in ("true", "false"):
                    raise ValueError(f"{name} must be true or false")
                result[name] = text == "true"
            case int():
                result[name] = int(text)
            case float():
                result[name] = float(text)
            case tuple():
                result[name] = tuple(text.split(",")) if text else ()
            case _:
                result[name] = text
    return result
