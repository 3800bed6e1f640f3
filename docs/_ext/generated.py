"""What the local directives have in common: they write reStructuredText and have it read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from docutils import nodes
from sphinx.util.docutils import SphinxDirective


class Generated(SphinxDirective):
    """A directive whose content is made from the package itself."""

    has_content = False

    def text(self) -> str:
        """The reStructuredText that stands for it."""
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        """Put it in the directive's place."""
        return self.parse_text_to_nodes(self.text(), allow_section_headings=True)


def heading(text: str, line: str) -> list[str]:
    """A section's title."""
    return ["", text, line * len(text), ""]


def table(rows: Iterable[Sequence[str]], widths: str = "auto") -> list[str]:
    """A table; its first row is its head."""
    lines = ["", ".. list-table::", "   :header-rows: 1", f"   :widths: {widths}", ""]
    for row in rows:
        for number, cell in enumerate(row):
            lines.append(f"   {'  ' if number else '* '}- {cell}".rstrip())
    return [*lines, ""]


def indented(lines: Iterable[str], by: int = 3) -> list[str]:
    """The lines, further right."""
    return [f"{' ' * by}{line}".rstrip() for line in lines]


def code(text: object) -> str:
    """A literal."""
    return f"``{text}``"
