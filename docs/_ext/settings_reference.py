"""
``rotoclear-settings``: the configuration file, from the structs of ``rotoclear.config``.

The words are the docstrings of their attributes, the bounds those that the
server checks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec
from generated import Generated, code, heading
from msgspec import inspect
from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer

from rotoclear import config
from rotoclear.config_errors import allowed


class Settings(Generated):
    """Every setting, under its section."""

    def text(self) -> str:
        documented = ModuleAnalyzer.for_module(config.__name__).find_attr_docs()
        top = inspect.type_info(config.Configuration)
        lines = heading("Without a section", "-")
        sections: list[str] = []
        for field in top.fields:
            if isinstance(field.type, inspect.StructType):
                sections += heading(f"[{field.encode_name}]", "-")
                sections += [_opening(field.type.cls), ""]
                for inner in field.type.fields:
                    sections += _described(field.type.cls, inner, documented, field.encode_name)
            elif isinstance(field.type, inspect.DictType):
                sections += heading(f"[{field.encode_name}.NAME]", "-")
                sections += [f".. _setting-{field.encode_name}:", ""]
                sections += documented["Configuration", field.name]
            else:
                lines += _described(config.Configuration, field, documented, "")
        return "\n".join([*lines, *sections])


def settings() -> Iterator[str]:
    """The names of all settings, ``section.name``."""
    for field in inspect.type_info(config.Configuration).fields:
        if isinstance(field.type, inspect.StructType):
            yield from (f"{field.encode_name}.{inner.encode_name}" for inner in field.type.fields)
        else:
            yield field.encode_name


def _opening(section: type[msgspec.Struct]) -> str:
    """A section's docstring without its name: ``[login]``: who is let in."""
    text = (section.__doc__ or "").strip().partition(": ")[2]
    return text[:1].upper() + text[1:]


def _described(
    section: type[msgspec.Struct],
    field: inspect.Field,
    documented: dict[tuple[str, str], list[str]],
    name: str,
) -> list[str]:
    full = f"{name}.{field.encode_name}" if name else field.encode_name
    return [
        f".. _setting-{full}:",
        *heading(field.encode_name, "~"),
        *documented[section.__name__, field.name],
        "",
        f":May be: {allowed(field.type)}",
        f":Default: {_default(field)}",
        "",
    ]


def _default(field: inspect.Field) -> str:
    """As it would stand in the file."""
    if field.default is None:
        return "not set"
    return code(json.dumps(field.default))


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_directive("rotoclear-settings", Settings)
    return {"parallel_read_safe": True}
