"""
``rotoclear-help COMMAND``: what a command says to ``--help``.

``COMMAND`` is ``twistd rotoclear``, ``rotoclear``, or one of the latter's:
``rotoclear user add``.
"""

from __future__ import annotations

import argparse
import os
from unittest import mock

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from rotoclear.command.main import parser
from rotoclear.tap import Options


class Help(SphinxDirective):
    """A literal block with the help text."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Ask the command itself."""
        return [nodes.literal_block(text := help_of(self.arguments[0]), text, language="none")]


def help_of(command: str) -> str:
    """The help text of a command, 80 columns wide."""
    # A plain terminal: newer versions of argparse would colour it.
    with mock.patch.dict(os.environ, {"COLUMNS": "80", "NO_COLOR": "1"}):
        if command == "twistd rotoclear":
            options = Options()
            options.synopsis = "Usage: twistd rotoclear [options]"
            return str(options).strip()
        found = parser()
        for word in command.split()[1:]:
            found = _subcommands(found)[word]
        return found.format_help().strip()


def commands(found: argparse.ArgumentParser | None = None, name: str = "rotoclear") -> list[str]:
    """All commands: ``rotoclear``, ``rotoclear user``, ``rotoclear user add``, ..."""
    found = found or parser()
    below = [
        command
        for word, child in _subcommands(found).items()
        for command in commands(child, f"{name} {word}")
    ]
    return [name, *below]


def _subcommands(found: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in found._actions:
        if isinstance(action, argparse._SubParsersAction):
            return action.choices
    return {}


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_directive("rotoclear-help", Help)
    return {"parallel_read_safe": True}
