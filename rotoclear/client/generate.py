"""
Writes ``keys.py`` of both faces from the key table: what an editor completes and a checker checks.

``scripts/client-keys`` runs it; ``tests/client/test_keys.py`` fails when what it would
write is not what is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rotoclear.state.keys import KEYS, Key
from rotoclear.values import Boolean, Choice, Integer, Mode, Recording, Size, Text

HERE: Final = Path(__file__).parent

FACES: Final = ("asyncio", "twisted")

_RECORD_READ: Final = 'bool | Literal["pause"]'
_RECORD_WRITE: Final = 'bool | Literal["on", "off", "pause", "pause_release"]'


def types(key: Key) -> tuple[str, str]:
    """The types of a key's values as they are read and as they may be set."""
    match key.type:
        case Boolean():
            return "bool", "bool"
        case Integer():
            return "int", "int"
        case Choice(choices=choices):
            names = ", ".join(f'"{name}"' for name in choices)
            return f"Literal[{names}]", f"Literal[{names}]"
        case Mode():
            return "bool | str", "bool | str"
        case Recording():
            return _RECORD_READ, _RECORD_WRITE
        case Size() | Text():
            return "str", "str"
        case other:
            raise TypeError(f"{key.name}: nobody has said what {other!r} is in Python")


def attribute(key: Key) -> str:
    """What a key is called in Python."""
    return key.name.replace("-", "_")


def source(face: str) -> str:
    """The module of a face."""
    lines = [
        '"""The keys, typed. ``scripts/client-keys`` writes this from the key table."""',
        "",
        "from __future__ import annotations",
        "",
        "from typing import Literal",
        "",
        f"from rotoclear.client.{face}.handles import Handles, Key, ReadOnlyKey",
        "",
        "",
        "class Keys(Handles):",
        '    """One attribute for each key."""',
        "",
    ]
    for key in KEYS:
        lines += _property(key)
    return "\n".join(lines).rstrip() + "\n"


def _property(key: Key) -> Iterator[str]:
    read, write = types(key)
    name = attribute(key)
    kind = "Key" if key.write else "ReadOnlyKey"
    parameters = f"{read}, {write}" if key.write else read
    yield "    @property"
    whole = f"    def {name}(self) -> {kind}[{parameters}]:"
    if len(whole) <= 100:
        yield whole
    else:
        # As ruff has it.
        yield f"    def {name}("
        yield "        self,"
        yield f"    ) -> {kind}["
        for parameter in (read, write):
            yield f"        {parameter},"
        yield "    ]:"
    yield from _doc(key)
    yield f'        return {kind}(self, "{key.name}")'
    yield ""


def _doc(key: Key) -> Iterator[str]:
    facts = [key.doc]
    if isinstance(key.type, Integer) and key.type.maximum < 2**53 - 1:
        unit = f" {key.type.unit}" if key.type.unit else ""
        facts.append(f"{key.type.minimum} to {key.type.maximum}{unit}.")
    if not key.write:
        facts.append("Read-only.")
    text = " ".join(facts)
    if len(text) <= 86 and '"' not in text:
        yield f'        """{text}"""'
        return
    yield '        """'
    for fact in facts:
        yield f"        {fact}"
    yield '        """'


def main() -> None:
    """Write them."""
    for face in FACES:
        (HERE / face / "keys.py").write_text(source(face), encoding="utf-8")


if __name__ == "__main__":
    main()
