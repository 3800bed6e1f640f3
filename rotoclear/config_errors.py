"""What is wrong with a configuration file, in words: the key, what is allowed, what is there."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
from msgspec import inspect


def explain(error: msgspec.ValidationError, raw: dict[str, Any], type_: type) -> str:
    """
    msgspec's complaint, in our words.

    :param raw: what was to be converted.
    :param type_: into what: a struct.
    :return: one line, the key first.
    """
    found = next(_search(raw, inspect.type_info(type_), ""), None)
    # msgspec's own words, should it find what we do not.
    return found or str(error).replace("`", "").replace("$.", "")


def _search(value: Any, type_: inspect.Type, key: str) -> Iterator[str]:
    """All that is wrong with a value and what is in it."""
    type_ = _without_none(type_)
    match type_:
        case inspect.StructType() if isinstance(value, dict):
            yield from _search_section(value, type_, key)
        case inspect.DictType() if isinstance(value, dict):
            for name, item in value.items():
                yield from _search(item, type_.value_type, _join(key, name))
        case inspect.VarTupleType() | inspect.ListType() if isinstance(value, list):
            if len(value) < (type_.min_length or 0):
                yield _must_be(key, type_, value)
            for number, item in enumerate(value):
                yield from _search(item, type_.item_type, f"{key}[{number}]")
        case _ if not _fits(value, type_):
            yield _must_be(key, type_, value)


def _search_section(section: dict[str, Any], type_: inspect.StructType, key: str) -> Iterator[str]:
    fields = {field.encode_name: field.type for field in type_.fields}
    for name, value in section.items():
        if name in fields:
            yield from _search(value, fields[name], _join(key, name))
        else:
            yield f"{_join(key, name)}: unknown {_suggest(name, value, sorted(fields))}"


def _suggest(name: str, value: Any, known: list[str]) -> str:
    kind = "section" if isinstance(value, dict) else "setting"
    near = difflib.get_close_matches(name.replace("_", "-").lower(), known, 1)
    hint = f" (do you mean {near[0]}?)" if near else ""
    return f"{kind}{hint}; there are: {', '.join(known)}"


def _must_be(key: str, type_: inspect.Type, value: Any) -> str:
    return f"{key}: must be {allowed(type_)}, not {_show(value)}"


def _fits(value: Any, type_: inspect.Type) -> bool:
    if isinstance(type_, inspect.UnionType):
        return any(next(_search(value, choice, ""), None) is None for choice in type_.types)
    try:
        msgspec.convert(value, _annotation(type_))
    except msgspec.ValidationError:
        return False
    return True


def _annotation(type_: inspect.Type) -> Any:
    """A scalar type as msgspec described it, back as something it converts to."""
    match type_:
        case inspect.IntType(ge=ge, le=le):
            return _meta(int, ge=ge, le=le)
        case inspect.FloatType(ge=ge, le=le):
            return _meta(float, ge=ge, le=le)
        case inspect.StrType(min_length=least, pattern=pattern):
            return _meta(str, min_length=least, pattern=pattern)
        case inspect.BoolType():
            return bool
        case inspect.LiteralType(values=values):
            return Literal[values]
        case inspect.Metadata(type=inner):
            return _annotation(inner)
        case inspect.StructType(cls=cls):
            return cls
        case inspect.DictType():
            return dict
        case _:
            return list


def _meta(type_: type, **limits: Any) -> Any:
    return Annotated[type_, msgspec.Meta(**limits)]


def allowed(type_: inspect.Type) -> str:
    """What a setting may be, for people."""
    match _without_none(type_):
        case inspect.Metadata(type=inner, extra_json_schema=schema):
            return (schema or {}).get("description") or allowed(inner)
        case inspect.IntType(ge=ge, le=le):
            return f"a whole number{_range(ge, le)}"
        case inspect.FloatType(ge=ge, le=le):
            return f"a number{_range(ge, le)}"
        case inspect.StrType(min_length=least):
            return "text in quotes" + (", not empty" if least else "")
        case inspect.BoolType():
            return "true or false"
        case inspect.LiteralType(values=values):
            return f"one of {', '.join(str(value) for value in values)}"
        case (
            inspect.VarTupleType(item_type=item, min_length=least)
            | inspect.ListType(item_type=item, min_length=least)
        ):
            return f"a list{' of one or more' if least else ''}, each {allowed(item)}"
        case inspect.UnionType(types=types):
            return " or ".join(dict.fromkeys(allowed(choice) for choice in types))
        case _:
            return "a section"


def _range(low: Any, high: Any) -> str:
    return "" if low is None or high is None else f" from {low:g} to {high:.15g}"


def _without_none(type_: inspect.Type) -> inspect.Type:
    """An optional setting is left out; TOML has no null."""
    if isinstance(type_, inspect.UnionType):
        rest = [choice for choice in type_.types if not isinstance(choice, inspect.NoneType)]
        if len(rest) == 1:
            return rest[0]
    return type_


def _show(value: Any) -> str:
    """A value as it stands in the file, cut short."""
    match value:
        case bool():
            return "true" if value else "false"
        case dict():
            return "a section"
        case list():
            return "a list" if value else "an empty list"
        case str():
            text = repr(value)
            return text if len(text) <= 60 else text[:57] + "..."
        case _:
            return str(value)[:60]


def _join(section: str, name: str) -> str:
    shown = name if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) else repr(name[:64])
    return f"{section}.{shown}" if section else shown
