"""
The package that is searched for drivers.

A distribution of its own adds a module by installing it as
``rotoclear/plugins/NAME.py``, without an ``__init__.py``. Modules lie in this
folder and in those of that name along ``sys.path`` that are no packages: the
rule of ``twisted.plugin.pluginPackagePaths``, spelt out because each driver's
process imports this package, and Twisted would double what it costs.

Nothing is imported from here into the server: see
:mod:`rotoclear.devices.scan`.
"""

# pathlib would be one more import for each driver's process.
# ruff: noqa: PTH100, PTH110, PTH112, PTH118

import os
import sys
from collections.abc import Iterable


def folders(entries: Iterable[str]) -> list[str]:
    """Those along a search path for modules, besides the package's own."""
    candidates = [os.path.abspath(os.path.join(entry, *__name__.split("."))) for entry in entries]
    return [
        folder
        for folder in dict.fromkeys(candidates)
        if os.path.isdir(folder) and not os.path.exists(os.path.join(folder, "__init__.py"))
    ]


OWN = __path__[0]
"""Where the built-in drivers are."""

__path__.extend(folders(sys.path))

__all__: list[str] = []
