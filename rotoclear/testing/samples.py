"""Which of many values are tried."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from rotoclear.values import Boolean, Choice, Integer, InvalidValue, Text, Value, ValueType

T = TypeVar("T")


def sampled(things: Sequence[T], most: int) -> list[T]:
    """At most so many of them, the first and the last among them, evenly between."""
    if len(things) <= most:
        return list(things)
    last = len(things) - 1
    return [things[round(number * last / (most - 1))] for number in range(most)]


def values_of(kind: ValueType) -> list[Value]:
    """Values that a key of this type may be set to: the ends, and some between."""
    match kind:
        case Boolean():
            return [True, False]
        case Integer(low, high, _, choices):
            return list(sampled(choices, 8)) or sorted({low, (low + high) // 2, high})
        case Choice(choices):
            return list(sampled(choices, 16))
        case Text(length):
            return ["", "rotoclear"[:length], "\N{LATIN SMALL LETTER U WITH DIAERESIS}" * length]
        case _:
            return []


def fits(kind: ValueType, value: Value) -> bool:
    """Whether a key of this type can hold it."""
    try:
        return kind.parse(value) == value
    except InvalidValue:
        return False
