"""Strict JSON, protocol section 2: what makes an invalid message."""

from __future__ import annotations

import pytest

from rotoclear.api.strict_json import InvalidMessage, decode, encode


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "not JSON"),
        (b"nonsense", "not JSON"),
        (b'{"a": 1', "not JSON"),
        (b'{"a": 1} {}', "not JSON"),
        (b"{'a': 1}", "not JSON"),
        (b'{"a": 01}', "not JSON"),
        (b'{"a": "\x01"}', "not JSON"),
        (b'\xef\xbb\xbf{"a": 1}', "not JSON"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": Infinity}', "Infinity"),
        (b'{"a": [-Infinity]}', "-Infinity"),
        (b"[1]", "object"),
        (b'"text"', "object"),
        (b"null", "object"),
        (b'{"a": 1e999}', "double"),
        (b'{"a": -1e999}', "double"),
        (b'{"a": ' + b"9" * 309 + b"}", "double"),
        (b'{"a": -' + b"9" * 10_000 + b"}", "double"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b'{"a": ["\\udc00\\ud800"]}', "surrogate"),
        (b'{"\\udfff": 1}', "surrogate"),
        (b'{"a": 1, "b": 2, "a": 3}', "'a' twice"),
        (b'{"x": {"a": 1, "a": 1}}', "'a' twice"),
        (b'{"a": "\xff"}', "UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', "UTF-8"),
        (b'{"a": [[[[[[[[1]]]]]]]]}', "deeper than 8"),
        (b"[" * 60_000, "deeper than 8"),
        (b'{"a":' * 10_000, "deeper than 8"),
    ],
)
def test_invalid(text: bytes, why: str) -> None:
    with pytest.raises(InvalidMessage, match=why):
        decode(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"{}", {}),
        (b' {"a" : [ ] }\n', {"a": []}),
        (b'{"a": 1.5, "b": 75.0, "c": 1e3}', {"a": 1.5, "b": 75.0, "c": 1000.0}),
        (b'{"a": ' + b"9" * 308 + b"}", {"a": int("9" * 308)}),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "\N{GRINNING FACE}"}),
        ('{"ä": "\N{GRINNING FACE}"}'.encode(), {"ä": "\N{GRINNING FACE}"}),
        (b'{"a": [[[[[[[1]]]]]]]}', {"a": [[[[[[[1]]]]]]]}),
        (b'{"a": "[[[[[[[[[["}', {"a": "[[[[[[[[[["}),
    ],
)
def test_valid(text: bytes, message: dict[str, object]) -> None:
    assert decode(text) == message


def test_keys() -> None:
    keys = ", ".join(f'"{n}": 1' for n in range(128))
    assert len(decode(f"{{{keys}}}".encode())) == 128
    with pytest.raises(InvalidMessage, match="128 keys"):
        decode(f'{{{keys}, "more": 1}}'.encode())


def test_numbers_keep_their_kind() -> None:
    """``true`` is no integer, 75.0 not yet one: that is for the key to decide."""
    message = decode(b'{"a": true, "b": 1, "c": 1.0}')
    assert [type(v) for v in message.values()] == [bool, int, float]


def test_encode() -> None:
    assert encode({"ä": "\N{GRINNING FACE}", "b": [True, 1]}) == (
        '{"ä":"\N{GRINNING FACE}","b":[true,1]}'.encode()
    )
