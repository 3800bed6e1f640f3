"""How the documentation is built: ``sphinx-build -W --keep-going docs docs/_build``."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_ext")]

import rotoclear  # noqa: E402

project = "rotoclear"
author = "The rotoclear contributors"
copyright = "the rotoclear contributors"  # noqa: A001
version = release = rotoclear.__version__

extensions = [
    "sphinx.ext.autodoc",
    "command_reference",
    "conversation",
    "interface_reference",
    "key_reference",
    "option_reference",
    "settings_reference",
]

html_theme = "furo"
html_title = f"rotoclear {release}"
html_show_sphinx = False
html_copy_source = False

exclude_patterns = ["_build", "_ext"]
highlight_language = "none"
nitpicky = True
nitpick_ignore_regex = [
    # Elsewhere's documentation is not looked up: building takes no network.
    (
        "py:.*",
        r"(collections|datetime|logging|os|pathlib|typing|zope|twisted|Callable|Mapping|Sequence)\b.*",
    ),
    ("py:.*", r"(ValueError|Exception|Value|rotoclear\.values\..*)"),
    ("py:meth", r"find"),  # of another interface than the one that speaks of it
]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
python_use_unqualified_type_names = True
