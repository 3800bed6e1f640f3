"""
What a driver says of itself, verified: the devices it matches, its options, its keys.

Checked in the scan's child, where the driver lives; the server is told the
result (:mod:`rotoclear.devices.found`). A vendor reads the errors: each names
the attribute and what is allowed there.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Final, TypeVar

import msgspec
from zope.interface.exceptions import Invalid
from zope.interface.verify import verifyObject

from rotoclear.devices.found import value_type
from rotoclear.devices.kinds import NAME, KindError
from rotoclear.interfaces import DriverKey, IKeys, Match, Option
from rotoclear.state.keys import VENDOR_NAME
from rotoclear.values import Boolean, Choice, Integer, InvalidValue, Text, ValueType

MAX_MATCHES: Final = 64
"""The most kinds of devices that a driver may name."""

MAX_OPTIONS: Final = 64
"""The most options that a driver may have."""

MAX_KEYS: Final = 32
"""The most keys that a driver may have."""

MAX_DOC: Final = 500
"""Characters of a line for people."""

MAX_TEXT: Final = 4096
"""Characters that a text in a key may be allowed to have."""

MAX_CHOICES: Final = 256
"""The most values that may be counted out."""

_MAX_INTEGER: Final = 2**53 - 1
"""What JSON can carry to everybody (RFC 8259, 6)."""

_TYPES: Final = (Boolean, Integer, Choice, Text)

T = TypeVar("T")


def matches(driver: object) -> tuple[Match, ...]:
    """
    A driver's ``matches``.

    :raises KindError: one is not as :class:`~rotoclear.interfaces.Match` says.
    """
    found = _all(driver, "matches", Match, MAX_MATCHES)
    for number, match in enumerate(found):
        where = f"matches[{number}]"
        _check(bool(match.subsystem), f"{where}.subsystem must name one, such as 'video4linux'")
        _check(match.devtype != "", f"{where}.devtype must be a DEVTYPE of udev's or None")
        _check("" not in match.properties, f"{where}.properties must have names")
    return found


def options(driver: object) -> tuple[Option, ...]:
    """
    A driver's ``options``.

    :raises KindError: one is not as :class:`~rotoclear.interfaces.Option` says.
    """
    found = _all(driver, "options", Option, MAX_OPTIONS)
    _once("options", [option.name for option in found])
    for number, option in enumerate(found):
        _check_option(f"options[{number}]", option)
    return found


def keys(driver: object) -> tuple[DriverKey, ...]:
    """
    A driver's ``keys``.

    :raises KindError: one is not as :class:`~rotoclear.interfaces.DriverKey`
        says, or nobody could write one that is writable.
    """
    found = _all(driver, "keys", DriverKey, MAX_KEYS)
    _once("keys", [key.name for key in found])
    for number, key in enumerate(found):
        _check_key(f"keys[{number}]", key)
    writable = [key.name for key in found if key.writable]
    if IKeys.providedBy(driver):
        try:
            verifyObject(IKeys, driver)
        except Invalid as error:
            raise KindError(" ".join(str(error).split())) from None
    elif writable:
        raise KindError(f"keys: {writable[0]} is writable, so the driver must provide IKeys")
    return found


# -- the parts of it -----------------------------------------------------------


def _check_option(where: str, option: Option) -> None:
    _check(
        NAME.fullmatch(option.name) is not None,
        f"{where}.name must be small letters, digits and hyphens, 1 to 64, not {option.name!r:.80}",
    )
    where = f"{where} ({option.name})"
    _check_doc(where, option.doc)
    default = option.default
    bounds = [bound for bound in (option.minimum, option.maximum) if bound is not None]
    if isinstance(default, bool) or not isinstance(default, int | float):
        _check(not bounds, f"{where}.minimum and .maximum are for numbers; its default is none")
    else:
        for bound in (*bounds, default):
            _check(math.isfinite(bound), f"{where}: {bound} must be a finite number")
        low, high = option.minimum, option.maximum
        _check(
            low is None or high is None or low <= high,
            f"{where}.minimum must not be greater than .maximum",
        )
        _check(
            (low is None or low <= default) and (high is None or default <= high),
            f"{where}.default must be within .minimum and .maximum, and is {default}",
        )
    if option.choices:
        _check(
            isinstance(default, str | tuple),
            f"{where}.choices are for texts; its default is none",
        )
        texts = default if isinstance(default, tuple) else (default,)
        _check_choices(where, option.choices)
        _check(
            all(text in option.choices for text in texts),
            f"{where}.default must be one of .choices, and is {default!r:.80}",
        )


def _check_key(where: str, key: DriverKey) -> None:
    _check(
        VENDOR_NAME.fullmatch(key.name) is not None and len(key.name) <= 64,
        f"{where}.name must be vendor- and words of small letters and digits joined by hyphens, "
        f"at most 64 characters, not {key.name!r:.80}",
    )
    where = f"{where} ({key.name})"
    _check_doc(where, key.doc)
    _check_type(f"{where}.type", key.type)
    try:
        canonical = key.type.parse(key.default)
    except InvalidValue as error:
        raise KindError(f"{where}.default, {key.default!r:.80}: {error}") from None
    _check(
        canonical == key.default and type(canonical) is type(key.default),
        f"{where}.default must be {canonical!r:.80}, not {key.default!r:.80}",
    )


def _check_type(where: str, kind: ValueType) -> None:
    match kind:
        case Integer(low, high, _, choices):
            _check(
                -_MAX_INTEGER <= low <= high <= _MAX_INTEGER,
                f"{where}: minimum and maximum must be in order and within +-(2**53 - 1)",
            )
            _check(
                list(choices) == sorted(set(choices)) and all(low <= c <= high for c in choices),
                f"{where}.choices must be ascending and within minimum and maximum",
            )
            _check(len(choices) <= MAX_CHOICES, f"{where}.choices must be at most {MAX_CHOICES}")
        case Choice(choices):
            _check(bool(choices), f"{where}.choices must be at least one")
            _check_choices(where, choices)
        case Text(length):
            _check(0 < length <= MAX_TEXT, f"{where}.max_length must be 1 to {MAX_TEXT}")


def _check_choices(where: str, choices: Collection[str]) -> None:
    _check(len(choices) <= MAX_CHOICES, f"{where}.choices must be at most {MAX_CHOICES}")
    _check(len(set(choices)) == len(choices), f"{where}.choices must all be different")
    _check(
        all(0 < len(choice) <= MAX_DOC for choice in choices),
        f"{where}.choices must be texts of 1 to {MAX_DOC} characters",
    )


def _check_doc(where: str, doc: str) -> None:
    _check(
        0 < len(doc) <= MAX_DOC and doc.isprintable(),
        f"{where}.doc must be one line of 1 to {MAX_DOC} characters",
    )


def _once(what: str, names: Sequence[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    _check(not twice, f"{what}: {', '.join(twice)[:200]} is there twice")


def _all(driver: object, attribute: str, kind: type[T], most: int) -> tuple[T, ...]:
    """The objects in an attribute, each copied as data, so that it is what its class says."""
    things = getattr(driver, attribute)
    if isinstance(things, str) or not isinstance(things, Sequence):
        raise KindError(f"{attribute} must be a tuple of {kind.__name__}, not {things!r:.80}")
    _check(len(things) <= most, f"{attribute} must be at most {most}, not {len(things)}")
    return tuple(
        _copied(f"{attribute}[{number}]", thing, kind) for number, thing in enumerate(things)
    )


def _copied(where: str, thing: object, kind: type[T]) -> T:
    if not isinstance(thing, kind):
        raise KindError(f"{where} must be a {kind.__name__}, not {thing!r:.80}")
    if isinstance(thing, DriverKey):
        _check(
            type(thing.type) in _TYPES,
            f"{where}.type must be {', '.join(allowed.__name__ for allowed in _TYPES)}: "
            f"not {thing.type!r:.80}",
        )
    try:
        return msgspec.convert(msgspec.to_builtins(thing), kind, dec_hook=value_type)
    except (msgspec.ValidationError, TypeError, ValueError) as error:
        text = str(error).replace("`", "")
        problem, _, place = text.partition(" - at $")
        raise KindError(f"{where}{place}: {problem}") from None


def _check(good: bool, message: str) -> None:
    if not good:
        raise KindError(message)
