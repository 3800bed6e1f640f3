"""
JSON as the wire has it: strict on the way in, compact on the way out.

RFC 8259 leaves duplicate names, numbers of any size and lone surrogates to
the receiver, and Python's parser lets ``NaN`` through besides. Each of them
means something else to another client, so each makes an invalid message.
"""

from __future__ import annotations

import json
from math import isinf
from typing import Final, NoReturn

import msgspec

MAX_DEPTH: Final = 8
"""How deep objects and arrays may be nested."""
MAX_KEYS: Final = 128
"""How many keys a message, or names a query, may have."""
MAX_ID: Final = 512
"""
Characters that an ``id`` may have. It comes back in every answer, and one
message may have well over a hundred of them.
"""
ID_RULE: Final = f"id must be an integer or a string of at most {MAX_ID} characters"

_SAFE_DIGITS: Final = 300
"""An integer of fewer digits fits a double (1.8e308) for sure."""

encode = msgspec.json.encode


class InvalidMessage(ValueError):
    """Not a message. ``str()`` tells people why."""


def decode(payload: bytes) -> dict[str, object]:
    """
    Decode a message: one JSON object in UTF-8.

    :raises InvalidMessage: it is none, or holds what this module's text
        rules out.
    """
    try:
        text = payload.decode("utf-8")
        message = _decoder.decode(text)
    except InvalidMessage:
        raise
    except UnicodeDecodeError:
        raise InvalidMessage("The message is not UTF-8") from None
    except RecursionError:
        raise InvalidMessage(_TOO_DEEP) from None
    except ValueError as error:
        raise InvalidMessage(f"The message is not JSON: {error}") from None
    if not isinstance(message, dict):
        raise InvalidMessage("The message must be a JSON object")
    if len(message) > MAX_KEYS:
        raise InvalidMessage(f"A message may have {MAX_KEYS} keys at most")
    # Only a text with that many brackets can be that deep, only one with
    # escapes can hold a lone surrogate: a plain message is not walked at all.
    if text.count("{") + text.count("[") > MAX_DEPTH:
        _check_depth(message, MAX_DEPTH)
    if "\\u" in text:
        _check_surrogates(message)
    return message


def identifier(value: object) -> str | int | None:
    """A message's ``id`` in its canonical form; ``None`` if it cannot be one."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        return value if len(value) <= MAX_ID else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


_TOO_DEEP: Final = f"The message is nested deeper than {MAX_DEPTH}"


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise InvalidMessage(f"The message has the key {twice[:64]!a} twice")
    return result


def _integer(text: str) -> int:
    if len(text) > _SAFE_DIGITS:
        _float(text)
    return int(text)


def _float(text: str) -> float:
    number = float(text)
    if isinf(number):
        raise InvalidMessage("The message has a number beyond the range of a double")
    return number


def _constant(name: str) -> NoReturn:
    raise InvalidMessage(f"The message is not JSON: {name} is no number")


_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant
)


def _check_depth(value: object, left: int) -> None:
    if not left:
        raise InvalidMessage(_TOO_DEEP)
    children = value.values() if isinstance(value, dict) else value
    for child in children:  # type: ignore[attr-defined]
        if isinstance(child, dict | list):
            _check_depth(child, left - 1)


def _check_surrogates(message: object) -> None:
    try:
        json.dumps(message, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidMessage("The message has a lone surrogate (\\ud800 to \\udfff)") from None
