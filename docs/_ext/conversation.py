"""
``conversation``: messages of the WebSocket API, to be read and to be tried.

A line ``>> {...}`` is what the client sends, ``<< {...}`` what the server sends
then. A text ``"…"`` in the latter stands for anything. ``:as: operator`` tells
as what the client has logged in before. Of what answers a message with an ``id``
only the answers are shown, no broadcasts. ``tests/test_docs.py`` plays every
conversation against a server: what is printed is what happens.
"""

from __future__ import annotations

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

ARROWS = {">> ": "\N{RIGHTWARDS ARROW} ", "<< ": "\N{LEFTWARDS ARROW} "}


class Conversation(SphinxDirective):
    """A literal block with arrows."""

    has_content = True
    option_spec = {"as": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        """Show who says what."""
        lines = []
        for line in self.content:
            for mark, arrow in ARROWS.items():
                if line.startswith(mark):
                    line = arrow + line.removeprefix(mark)
            lines.append(line)
        text = "\n".join(lines)
        return [nodes.literal_block(text, text, language="none")]


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_directive("conversation", Conversation)
    return {"parallel_read_safe": True}
