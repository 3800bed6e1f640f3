"""
``rotoclear-interface NAME ...``: zope interfaces of ``rotoclear.interfaces``.

Sphinx's autodoc takes an interface for a value. The methods are read from the
source, because an interface forgets its annotations.
"""

from __future__ import annotations

import ast
from inspect import cleandoc, getsource

from generated import Generated, indented
from sphinx.application import Sphinx

from rotoclear import interfaces


class Interfaces(Generated):
    """The interfaces in the order they are named."""

    required_arguments = 1
    final_argument_whitespace = True

    def text(self) -> str:
        tree = ast.parse(getsource(interfaces))
        classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        lines = [f".. py:currentmodule:: {interfaces.__name__}", ""]
        for name in self.arguments[0].split():
            lines += _interface(classes[name])
        return "\n".join(lines)


def _interface(node: ast.ClassDef) -> list[str]:
    bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
    body: list[str] = []
    bases = [base for base in bases if base != "Interface"]
    if bases:
        body += [f"Extends {', '.join(f':class:`{base}`' for base in bases)}.", ""]
    body += [*(ast.get_docstring(node) or "").split("\n"), ""]
    for member in node.body:
        if isinstance(member, ast.FunctionDef):
            returns = f" -> {ast.unparse(member.returns)}" if member.returns else ""
            body += [f".. py:method:: {member.name}({ast.unparse(member.args)}){returns}", ""]
            body += indented((ast.get_docstring(member) or "").split("\n"))
            body.append("")
        elif isinstance(member, ast.AnnAssign):
            body += [f".. py:attribute:: {ast.unparse(member.target)}"]
            body += [f"   :type: {ast.unparse(member.annotation)}", ""]
            (text,) = (node.value for node in ast.walk(member) if isinstance(node, ast.Constant))
            body += indented(cleandoc(str(text)).split("\n"))
            body.append("")
    return [f".. py:class:: {node.name}", "", *indented(body), ""]


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_directive("rotoclear-interface", Interfaces)
    return {"parallel_read_safe": True}
