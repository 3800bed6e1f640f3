"""
Messages for API v1, good and bad, each with what must come of it.

They are drawn from a seeded generator. What is expected is known from how a
message was made; of one that was mutilated at random only that it is answered.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from rotoclear.state.permissions import ROLES
from rotoclear.values import InvalidValue, Mode
from tests.robustness.answers import UNKNOWN, Case, Expected
from tests.robustness.pieces import COMMANDS, MAX_ID, TABLE, Pieces

MAX_SIZE: Final = 65_536
"""Bytes of one message."""


def _exactly(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


class Messages:
    """
    An endless supply.

    :param role: whose connection they are for.
    :param token: of somebody with this role; ``None`` for anonymous.
    """

    def __init__(self, random_: random.Random, role: str, token: str | None) -> None:
        self._random = random_
        self._pieces = Pieces(random_)
        self._permissions = ROLES[role]
        self._token = token
        self._kinds: list[Callable[[], Case]] = []
        for makers, weight in (
            ((self.update, self.query, self.mixed), 6),
            ((self.broken, self.mutilated, self.surrogates, self.twice, self.numbers), 3),
            ((self.deep, self.shape, self.odd_id, self.odd_get, self.odd_login, self.many), 2),
        ):
            self._kinds += [*makers] * weight
        self._kinds += [self.large, self.login]

    def __iter__(self) -> Iterator[Case]:
        while True:
            yield self.case()

    def case(self) -> Case:
        """The next one."""
        # Every login costs the server a password hash.
        if self._random.random() < 0.001:
            return self.guess()
        case = self._random.choice(self._kinds)()
        if len(case.payload) > MAX_SIZE:
            return self.case()
        return case

    # -- those that make sense ---------------------------------------------

    def update(self) -> Case:
        """A few keys, good and bad values."""
        return self._valid("update", self._pieces.update())

    def query(self) -> Case:
        """A few keys, or all of them."""
        return self._valid("query", self._pieces.query())

    def mixed(self) -> Case:
        """An update and a query in one."""
        message = [*{**self._pieces.update(), **self._pieces.query()}.items()]
        self._random.shuffle(message)
        return self._valid("mixed", dict(message))

    def login(self) -> Case:
        """A good token, and more."""
        if self._token is None:
            return self.guess_token()
        message = {
            "token": self._token,
            **self._random.choice([self._pieces.update, self._pieces.query])(),
        }
        case = self._valid("login", message)
        return Case("login", case.payload, case.expected)

    def guess(self) -> Case:
        """A wrong password: a refused login ends it."""
        name = self._random.choice(["nobody", "", "viewer\0", "ä" * 300, self._pieces.text()])
        message = {"username": name, "password": self._pieces.text(), **self._pieces.update()}
        return self._refused_login(message)

    def guess_token(self) -> Case:
        """A token that nobody was given."""
        message = {"token": self._pieces.text(), **self._pieces.update(), **self._pieces.query()}
        if self._random.random() < 0.3:
            message["username"] = self._random.choice(["admin", self._pieces.text()])
        return self._refused_login(message)

    def large(self) -> Case:
        """Just as large as allowed, by a long id, key, value or a lot of space."""
        draw = self._random.random()
        if draw < 0.4:
            payload = json.dumps(self._pieces.update()).encode()
            space = b" " * (MAX_SIZE - len(payload))
            return Case("large", space + payload, self._expect(json.loads(payload)))
        size = self._random.choice([1000, 65_000, MAX_SIZE - 200])
        message: dict[str, Any] = {"x" * size: 1} if draw < 0.7 else {"pip-mode": "y" * size}
        return self._valid("large", message)

    # -- those that do not ---------------------------------------------------

    def broken(self) -> Case:
        """No JSON."""
        draw = self._random
        good = json.dumps(self._pieces.update())
        text = draw.choice(
            [
                "",
                " ",
                "nonsense",
                "{",
                "}",
                "{]",
                good[: draw.randrange(len(good))],
                good + good,
                good + ",",
                good.replace('"', "'"),
                good[:-1] + ",}",
                "\ufeff" + good,
                "/* */" + good,
                "{brightness: 1}",
                '{"a": 01}',
                '{"a": .5}',
                '{"a": 1.}',
                '{"a": +1}',
                '{"a": 0x10}',
                '{"a": "\n"}',
                '{"a": "\\x41"}',
                '{"a": "\\u12"}',
                '{"a": True}',
                '{"a" 1}',
                "{1: 1}",
                "\0" * 8,
            ]
        )
        return self._invalid("broken", text)

    def mutilated(self) -> Case:
        """A good one after an accident."""
        draw = self._random
        text = bytearray(draw.choice([self.update, self.query, self.mixed])().payload)
        for _ in range(draw.randint(1, 4)):
            where = draw.randrange(len(text) + 1)
            match draw.randrange(3):
                case 0:
                    text[where:where] = bytes((draw.randrange(128),))
                case 1:
                    del text[where : where + draw.randint(1, 5)]
                case _:
                    text[where : where + 1] = draw.choice(b'{}[]":,0e-\\').to_bytes(1, "big")
        payload = bytes(text).decode(errors="ignore").encode()
        # A query's answer without id looks like a broadcast.
        values = frozenset[str]() if b'"get"' in payload else None
        return Case("mutilated", payload, Expected(None, values=values))

    def surrogates(self) -> Case:
        """A lone surrogate; JSON can hold one, UTF-8 cannot."""
        lone = f"\\u{self._random.randint(0xD800, 0xDFFF):04x}"
        text = self._random.choice(
            [
                f'{{"brightness": "{lone}"}}',
                f'{{"{lone}": 1}}',
                f'{{"id": "a{lone}b", "get": []}}',
                f'{{"get": ["fps", "{lone}"]}}',
                f'{{"contrast": [{{"a": {{"{lone}": 1}}}}]}}',
                f'{{"username": "{lone}", "password": "x"}}',
                f'{{"token": "{lone}"}}',
            ]
        )
        return self._invalid("surrogates", text)

    def twice(self) -> Case:
        """A key twice, at any depth."""
        name = _exactly(self._random.choice([*TABLE, "id", "get", "token", self._pieces.text()]))
        first, second = _exactly(self._pieces.value()), _exactly(self._pieces.value())
        text = f"{{{name}: {first}, {name}: {second}}}"
        for _ in range(self._random.randrange(3)):
            text = f'{{"contrast": {self._random.choice(["[%s]", "%s"]) % text}}}'
        return self._invalid("twice", text)

    def numbers(self) -> Case:
        """A number that no double holds."""
        number = self._random.choice(
            [
                "NaN",
                "Infinity",
                "-Infinity",
                "1e999",
                "-1e309",
                "9" * 309,
                "-" + "9" * 5000,
                "1" + "0" * 400 + ".5",
            ]
        )
        name = self._random.choice([*TABLE, "id", "get"])
        text = self._random.choice(['{"%s": %s}', '{"%s": [%s]}', '{"%s": {"a": %s}}'])
        return self._invalid("numbers", text % (name, number))

    def deep(self) -> Case:
        """Nested as deeply as allowed, or deeper."""
        depth = self._random.choice([1, 2, 7, 8, 50, 1000, 10_000])
        opening, closing = self._random.choice([("[", "]"), ('{"a":', "}")])
        inner = opening * (depth - 1) + "[]" + closing * (depth - 1)
        text = f'{{"contrast": {inner}}}'
        if depth + 1 > 8:
            return self._invalid("deep", text)
        return Case("deep", text.encode(), self._expect(json.loads(text)))

    def shape(self) -> Case:
        """JSON, but no object; or one that asks for nothing."""
        value = self._random.choice(["[]", "[{}]", "1", '"a"', "null", "true", "{}", '{"id": 7}'])
        return self._invalid("shape", value, 7 if "id" in value else None)

    def odd_id(self) -> Case:
        """An id that is none."""
        odd: object = self._random.choice(
            [None, True, False, 1.5, [], {}, ["a"], "x" * (MAX_ID + 1)]
        )
        return self._invalid("odd id", _exactly({"id": odd, **self._pieces.update()}))

    def odd_get(self) -> Case:
        """A query that is none."""
        odd: object = self._random.choice(
            [None, True, 1, "all", "", {}, [1], [["fps"]], [None], ["fps", True], ["a"] * 129]
        )
        return self._invalid("odd get", _exactly({"get": odd}))

    def odd_login(self) -> Case:
        """Credentials that are none."""
        odd: dict[str, object] = self._random.choice(
            [
                {"username": "admin"},
                {"password": "x"},
                {"username": "admin", "password": 1},
                {"username": None, "password": "x"},
                {"username": ["admin"], "password": "x"},
                {"token": None},
                {"token": 5},
                {"token": {}},
                {"token": "x", "password": "y"},
                {"token": "x", "password": "y", "username": "admin"},
            ]
        )
        return self._invalid("odd login", _exactly(odd))

    def many(self) -> Case:
        """As many keys as allowed, or more."""
        count = self._random.choice([127, 128, 129, 400])
        message = {f"k{number}": number for number in range(count)}
        if count > 128:
            return self._invalid("many", _exactly(message))
        return Case("many", _exactly(message).encode(), self._expect(message))

    # -- pieces -------------------------------------------------------------

    def _valid(self, kind: str, message: dict[str, Any]) -> Case:
        if self._random.random() < 0.6:
            message = {**message, "id": self._pieces.id()}
        text = json.dumps(message, ensure_ascii=self._random.random() < 0.5)
        return Case(kind, text.encode(), self._expect(message))

    def _invalid(self, kind: str, text: str, identifier: object = UNKNOWN) -> Case:
        return Case(kind, text.encode(), Expected(True, identifier))

    def _refused_login(self, message: dict[str, Any]) -> Case:
        identifier = message["id"] = self._pieces.id()
        return Case(
            "refused login", _exactly(message).encode(), Expected(id=identifier, login=False)
        )

    def _expect(self, message: Mapping[str, Any]) -> Expected:
        names = message.get("get")
        values: frozenset[str] | None = None
        refused: dict[str, str] = {}
        if names == "*":
            values = frozenset(n for n, key in TABLE.items() if key.readable(self._permissions))
        elif names is not None:
            refused = {
                name: "Permission denied" if name in TABLE else "Unknown key"
                for name in names
                if name not in TABLE or not TABLE[name].readable(self._permissions)
            }
            values = frozenset(names) - refused.keys()
        return Expected(
            id=message.get("id"),
            keys={
                name: self._fates(name, value)
                for name, value in message.items()
                if name not in COMMANDS
            },
            values=values,
            refused=refused,
            login=True if "token" in message else None,
        )

    def _fates(self, name: str, value: object) -> frozenset[str]:
        key = TABLE.get(name)
        if key is None:
            return frozenset({"Unknown key"})
        if not key.writable(self._permissions):
            return frozenset({"Permission denied"})
        try:
            key.type.parse(value)
        except InvalidValue:
            # A mode's name may be one that the camera offers.
            named = isinstance(key.type, Mode) and isinstance(value, str)
            return frozenset({"Invalid value", "info"} if named else {"Invalid value"})
        return frozenset({"info", "Not available", "Device error", "Invalid value"})
