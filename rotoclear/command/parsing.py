"""How the ``rotoclear`` command's parsers are made, the local ones and those for the network."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

_INDENT = 2
_COLUMN = 15


def command(
    make: Callable[..., argparse.ArgumentParser], *name: str, **said: Any
) -> argparse.ArgumentParser:
    """A parser as all of them are."""
    return make(
        *name,
        # No abbreviations: scripts would break at the next option that begins alike.
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        **said,
    )


class Section:
    """
    Some of the commands, listed under a heading of their own.

    argparse knows one list of subcommands alone; so this keeps the list, and
    stands wherever what ``add_subparsers`` returns would stand.
    """

    def __init__(self, commands: Subparsers, heading: str) -> None:
        self._commands = commands
        self._heading = heading
        self._rows: list[tuple[str, str]] = []

    def add_parser(self, name: str, *, help: str, **said: Any) -> argparse.ArgumentParser:  # noqa: A002
        """As :meth:`argparse._SubParsersAction.add_parser`."""
        self._rows.append((name, help))
        return self._commands.add_parser(name, **said)

    def __str__(self) -> str:
        """The heading, and a line for each command."""
        rows = [f"{'':{_INDENT}}{name:{_COLUMN - 2}} {text}" for name, text in self._rows]
        return "\n".join([self._heading, *rows])
