"""How a command writes for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


def printable(text: str) -> str:
    """The text without what a terminal would obey; line ends become spaces."""
    return "".join(c if c.isprintable() else "\ufffd" for c in " ".join(text.split()))


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Lines of text: the head, then the rows, each column as wide as it needs to be."""
    lines = [[printable(_cell(cell)) for cell in row] for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def records(rows: Sequence[Mapping[str, object]]) -> str:
    """A table of JSON objects: one column for each key that any of them has."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    return table(
        [column.upper() for column in columns],
        [[row.get(column) for column in columns] for row in rows],
    )


def fields(record: Mapping[str, object]) -> str:
    """A JSON object, a line for each key."""
    return "\n".join(printable(f"{key}: {_cell(value)}") for key, value in record.items())


def _cell(value: object) -> str:
    """A JSON value in a few words."""
    match value:
        case None | "":
            return "-"
        case True:
            return "yes"
        case False:
            return "no"
        case list():
            between = "; " if any(isinstance(item, dict) for item in value) else ", "
            return between.join(map(_cell, value)) or "-"
        case dict():
            return ", ".join(_field(key, item) for key, item in value.items()) or "-"
        case _:
            return str(value)


def _field(key: str, value: object) -> str:
    if isinstance(value, dict | list):
        return f"{key} ({_cell(value)})" if value else key
    return f"{key}={_cell(value)}"
