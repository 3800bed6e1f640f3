"""What must come of a message, and whether it did."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from attrs import field, frozen

from tests.robustness.pieces import TABLE

Answer = Mapping[str, Any]

ERRORS: Final = frozenset(
    {
        "Permission denied",
        "Invalid value",
        "Unknown key",
        "Not available",
        "Device error",
        "Invalid message",
    }
)


class _Unknown:
    """An ``id`` that may come back, or not."""


UNKNOWN: Final = _Unknown()


@frozen
class Expected:
    """
    What must come of a message.

    :ivar invalid: it is an invalid message; ``None``: nobody knows what it is,
        but if ``values`` is a set it may be a query.
    :ivar id: that every answer must have; ``None``: none.
    :ivar keys: what may become of each key of the update: names of errors, and
        ``"info"`` for confirmed.
    :ivar values: the names that the query must be answered with; ``None``: no query.
    :ivar refused: what is refused of the query, with the error.
    :ivar login: whether the login is accepted; ``None``: no login.
    """

    invalid: bool | None = False
    id: object = None
    keys: Mapping[str, frozenset[str]] = field(factory=dict)
    values: frozenset[str] | None = None
    refused: Mapping[str, str] = field(factory=dict)
    login: bool | None = None


@frozen
class Case:
    """A message's payload and what must come of it."""

    kind: str
    payload: bytes
    expected: Expected


class Unanswered(AssertionError):
    """It was not, or not so."""


def check(case: Case, received: Sequence[Answer]) -> None:
    """
    Check what came between the end of the last message's answers and the end of these.

    Broadcasts may be among it.

    :raises Unanswered: something is missing, too much or wrong.
    """
    try:
        for answer in received:
            _check_shape(answer)
        _check(case.expected, received)
    except (AssertionError, KeyError) as error:
        text = json.dumps(received[:20], ensure_ascii=False)
        raise Unanswered(
            f"{error!s:.500}\nmessage ({case.kind}): {case.payload[:1000]!r}\n"
            f"expected: {case.expected!s:.1000}\nreceived: {text:.3000}"
        ) from error


def _check_shape(answer: Answer) -> None:
    """Whatever it answers, it must be one of the protocol's objects."""
    names = answer.keys() - {"id"}
    if "authenticated" in answer:
        if answer["authenticated"] is True:
            wanted = {"permissions", "username", "role", "token", "expires", "authenticated"}
            assert names == wanted, "a login's answer"
        else:
            assert answer["authenticated"] is False, "authenticated is a boolean"
            assert answer["error"] in ("Invalid credentials", "Too many attempts")
            assert names <= {"authenticated", "error", "message", "retry-after"}
    elif "error" in answer:
        assert answer["error"] in ERRORS, "an error of the protocol"
        assert names <= {"error", "key", "message"}, "an error's fields"
        assert answer["message"], "an error has a message"
        assert len(answer.get("key", "")) <= 64, "a key is cut"
    else:
        told = names - {"info"}
        assert told <= TABLE.keys(), "only keys have values"
        assert sorted(answer.get("info", told)) == sorted(told), "info names the keys"


def _check(expected: Expected, received: Sequence[Answer]) -> None:
    if expected.invalid is None:
        perhaps_query = expected.values is not None
        assert any(perhaps_query or _is_answer(answer) for answer in received), "no answer"
        return
    answers = [answer for answer in received if _is_answer(answer)]
    if expected.invalid:
        assert len(answers) == 1, "one answer"
        assert answers[0]["error"] == "Invalid message"
        if expected.id is None or isinstance(expected.id, int):
            assert answers[0].get("id") == expected.id, "the id comes back"
        return
    values = expected.values
    if expected.id is None:
        plain = [answer for answer in received if not _is_answer(answer)]
        if values is not None:
            assert any(answer.keys() == values for answer in plain), "the query's values"
            values = None
    for answer in answers:
        assert answer.get("id") == expected.id, "the id comes back"
    logins = [answer for answer in answers if "authenticated" in answer]
    rest = [answer for answer in answers if "authenticated" not in answer]
    assert [answer["authenticated"] for answer in logins] == (
        [] if expected.login is None else [expected.login]
    ), "the login's answer"
    if expected.login is False:
        assert not rest, "a refused login ends it"
        return
    confirmed = [answer for answer in rest if "info" in answer]
    errors = [answer for answer in rest if "error" in answer]
    queried = [answer for answer in rest if "info" not in answer and "error" not in answer]
    assert len(confirmed) <= 1, "one confirmation"
    assert [frozenset(answer.keys() - {"id"}) for answer in queried] == (
        [] if values is None else [values]
    ), "the query's values"
    _check_fates(expected, confirmed[0]["info"] if confirmed else [], errors)


def _is_answer(answer: Answer) -> bool:
    """It is no broadcast (or it is the answer to a query without id)."""
    return not answer.keys().isdisjoint(("info", "error", "authenticated", "id"))


def _check_fates(expected: Expected, confirmed: Sequence[str], errors: Sequence[Answer]) -> None:
    got = Counter((name, "info") for name in confirmed)
    got.update((answer["key"], answer["error"]) for answer in errors)
    for name, error in expected.refused.items():
        assert got[name[:64], error], f"{name!r:.80} of the query is {error}"
        got[name[:64], error] -= 1
    for name, fates in expected.keys.items():
        fate = next((fate for fate in sorted(fates) if got[name[:64], fate]), None)
        assert fate, f"{name!r:.80} is one of {sorted(fates)}"
        got[name[:64], fate] -= 1
    assert not +got, f"too much: {+got!r:.200}"
