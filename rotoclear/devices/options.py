"""A driver's section of the configuration, held against the options that it says it has."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Final

from rotoclear.interfaces import Option, Setting

MAX_SHOWN: Final = 60
"""Characters of a wrong value that are shown."""


class BadOptions(ValueError):
    """The section is not good. ``str()`` is one line for people, and tells all that is wrong."""


def settings(
    driver: str, options: Sequence[Option], section: Mapping[str, object]
) -> dict[str, Setting]:
    """
    All options of a driver with what they are set to, or their defaults.

    :param section: of the configuration, ``[drivers.NAME]``.
    :raises BadOptions: an option is unknown, or set to what it cannot be.
    """
    known = {option.name: option for option in options}
    result = {option.name: option.default for option in options}
    wrong = []
    for name, value in section.items():
        if name not in known:
            wrong.append(f"{name[:64]}: there is no such option; {_hint(name, list(known))}")
            continue
        setting = _fitting(known[name], value)
        if setting is None:
            wrong.append(f"{name}: must be {allowed(known[name])}, not {_shown(value)}")
        else:
            result[name] = setting
    if wrong:
        raise BadOptions("; ".join(f"[drivers.{driver}] {text}" for text in wrong))
    return result


def allowed(option: Option) -> str:
    """What an option may be set to, for people."""
    choices = f"one of {', '.join(option.choices)}" if option.choices else ""
    match option.default:
        case bool():
            return "true or false"
        case int():
            return f"a whole number{_range(option)}"
        case float():
            return f"a number{_range(option)}"
        case str():
            return choices or "text in quotes"
        case _:
            return f"a list, each {choices or 'text in quotes'}"


def _range(option: Option) -> str:
    low, high = option.minimum, option.maximum
    if low is None:
        return "" if high is None else f" of at most {high:.15g}"
    return f" of at least {low:.15g}" if high is None else f" from {low:.15g} to {high:.15g}"


def _fitting(option: Option, value: object) -> Setting | None:
    """The value as the option's type has it; ``None`` if it cannot be."""
    match option.default, value:
        case (bool(), bool()):
            return value
        case (bool(), _) | (_, bool()):
            return None
        case (int(), int()):
            return value if _within(option, value) else None
        case (float(), int() | float()) if math.isfinite(value):
            return float(value) if _within(option, value) else None
        case (str(), str()):
            return value if not option.choices or value in option.choices else None
        case (tuple(), list() | tuple()):
            texts = tuple(text for text in value if isinstance(text, str))
            good = not option.choices or set(texts) <= set(option.choices)
            return texts if good and len(texts) == len(value) else None
    return None


def _within(option: Option, value: float) -> bool:
    return (option.minimum is None or option.minimum <= value) and (
        option.maximum is None or value <= option.maximum
    )


def _hint(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name.replace("_", "-").lower(), known, 1)
    if near:
        return f"did you mean {near[0]}?"
    return f"there are: {', '.join(known)}" if known else "it has none"


def _shown(value: object) -> str:
    """A value as it stands in the file, cut short."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            text = repr(value)
        case list():
            text = f"[{', '.join(_shown(item) for item in value)}]"
        case _:
            text = str(value)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 3]}..."
