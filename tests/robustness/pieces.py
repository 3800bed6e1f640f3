"""The pieces that messages are made of: keys, values, texts, ids, drawn at random."""

from __future__ import annotations

import random
from typing import Any, Final

from rotoclear.state.keys import KEYS, RESERVED, Key
from rotoclear.values import Boolean, Choice, Integer, Mode, Recording, Size
from tests.robustness.bystander import KEY as BYSTANDERS_KEY

TABLE: Final = {key.name: key for key in KEYS}

COMMANDS: Final = frozenset({"get", "id", "username", "password", "token"})
"""The reserved names that mean something in a request."""

MAX_ID: Final = 512
"""Characters of an id."""


class Pieces:
    """
    Draws them.

    :ivar random: where from.
    """

    def __init__(self, random_: random.Random) -> None:
        self.random = random_

    def update(self) -> dict[str, Any]:
        """A few keys, most of which there are, with values that most of them do not take."""
        draw = self.random
        update: dict[str, Any] = {}
        for _ in range(draw.choice([1, 1, 1, 2, 3, 8])):
            if draw.random() < 0.15:
                name = draw.choice([*sorted(RESERVED - COMMANDS), "vendor-x", self.text()])
            else:
                name = draw.choice([*TABLE])
            if name == BYSTANDERS_KEY or name in COMMANDS:
                continue
            key = TABLE.get(name)
            # Recordings and pictures take their time.
            often = 0.02 if name in ("record", "snap") else 0.6
            good = key is not None and draw.random() < often
            value = self.good(key) if good and key is not None else self.value()
            if name == "snap" and not good:
                value = None
            update[name] = value
        return update or {"brightness": draw.randint(0, 100)}

    def query(self) -> dict[str, Any]:
        """A few names, or all."""
        draw = self.random
        if draw.random() < 0.2:
            return {"get": "*"}
        names = [*TABLE, "id", "error", self.text()]
        return {"get": [draw.choice(names) for _ in range(draw.choice([0, 1, 2, 5, 30, 128]))]}

    def good(self, key: Key) -> object:
        """A value that the key takes, if the camera can do it."""
        draw = self.random
        match key.type:
            case Boolean():
                return draw.random() < 0.5
            case Integer(minimum, maximum):
                number = draw.choice([minimum, maximum, draw.randint(minimum, maximum)])
                return float(number) if draw.random() < 0.1 else number
            case Choice(choices):
                return draw.choice(choices)
            case Size():
                return draw.choice(["1920x1080", "1280x720", "640x480", "3840x2160", "123x45"])
            case Mode():
                return draw.choice([True, False, "on", "auto", "off", "manual"])
            case Recording():
                return draw.choice([True, False, "on", "off", "pause", "pause_release"])
        return self.text()

    def value(self, depth: int = 3) -> object:
        """Any JSON value, not nested deeper than this."""
        draw = self.random
        match draw.randrange(10 if depth else 7):
            case 0:
                return draw.choice([None, True, False])
            case 1:
                return draw.choice([0, 1, -1, 5, 50, 60, 100, 101, 2**31, -(2**63), 2**64, 10**300])
            case 2:
                return draw.choice([0.0, -0.0, 0.5, 75.0, 75.5, 1e15, 1e16, 1e300, -1e-300, 5e-324])
            case 3:
                return draw.randint(-200, 200)
            case 4 | 5 | 6:
                return self.text()
            case 7 | 8:
                return [self.value(depth - 1) for _ in range(draw.randrange(4))]
        return {self.text(): self.value(depth - 1) for _ in range(draw.randrange(4))}

    def text(self) -> str:
        """A text that someone might not be prepared for."""
        draw = self.random
        return draw.choice(
            [
                "",
                " ",
                "true",
                "50",
                "on",
                "pause_release ",
                "*",
                "1920x1080\n",
                "\uff11920x1080",
                "__class__",
                "{0}{1!r}",
                "{log_failure}%s%n",
                "../../etc/passwd",
                "'; DROP TABLE users; --",
                "\0\x01\x7f\x80\u2028",
                "\U0001f4a9" * 3,
                "e\u0301\u202e",
                "x" * draw.choice([63, 64, 65, 200, 3000]),
                "".join(chr(draw.choice([*range(1, 0xD800, 97), 0x10FFFF])) for _ in range(8)),
                f"random-{draw.randrange(10**9)}",
            ]
        )

    def id(self) -> object:
        """A good one."""
        draw = self.random
        numbers = [0, -1, draw.randrange(10**6), 2**53 + 1, 2**63, -(2**63) - 1, 2**64, 10**40]
        return draw.choice([*numbers, 5.0, 1e300, *[self.text()[:MAX_ID]] * 4])
