"""
``rotoclear-options``: the options of the drivers that come with the server, from the drivers.

The words and bounds are those that a driver's section of the configuration is checked against.
Drivers without options, the simulated ones among them, are left out.
"""

from __future__ import annotations

import importlib
import json
import pkgutil

from generated import Generated, code, heading
from sphinx.application import Sphinx
from zope.interface import providedBy

from rotoclear import plugins
from rotoclear.devices.options import allowed
from rotoclear.interfaces import IDriver, Option


class Options(Generated):
    """Every option, under its driver's section."""

    def text(self) -> str:
        lines: list[str] = []
        for driver in drivers():
            lines += heading(f"[drivers.{driver.name}]", "~")
            for option in driver.options:
                lines += _described(option)
        return "\n".join(lines)


def drivers() -> list[IDriver]:
    """The built-in drivers with options, by their names."""
    modules = (
        importlib.import_module(f"{plugins.__name__}.{module.name}")
        for module in pkgutil.iter_modules([plugins.OWN])
    )
    found = {
        thing.name: thing
        for module in modules
        for thing in vars(module).values()
        if IDriver in providedBy(thing).flattened() and thing.options
    }
    return [found[name] for name in sorted(found)]


def _described(option: Option) -> list[str]:
    default = list(option.default) if isinstance(option.default, tuple) else option.default
    text = option.doc.rstrip(".").replace("*", "\\*")
    return [
        code(option.name),
        f"   {text}. May be {allowed(option)}; default: {code(json.dumps(default))}.",
        "",
    ]


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_directive("rotoclear-options", Options)
    return {"parallel_read_safe": True}
