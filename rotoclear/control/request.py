"""What a handler of the control socket is handed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from attrs import field, frozen


class Refused(Exception):
    """The request is not carried out; ``str()`` tells the person why, in one line."""


@frozen(kw_only=True)
class Request:
    """
    One request.

    :ivar do: what is to be done.
    :ivar by: who asks, for the audit trail: ``"uid 1000"``.
    :ivar arguments: the rest of the message. Not in the ``repr``: there may be
        a password in it.
    """

    do: str
    by: str
    arguments: Mapping[str, object] = field(repr=False)

    def texts(self, *names: str) -> tuple[str, ...]:
        """
        The arguments of these names, when they are the only ones and all texts.

        :raises Refused: they are not.
        """
        self.only(*names)
        return tuple(self.text(name) for name in names)

    def text(self, name: str) -> str:
        """
        One argument that must be a text.

        :raises Refused: it is none, or missing.
        """
        value = self.arguments.get(name)
        if not isinstance(value, str):
            raise Refused(f"{self.do} needs a text {name}")
        return value

    def only(self, *names: str) -> None:
        """
        Nothing but arguments of these names.

        :raises Refused: there are others.
        """
        if unknown := set(self.arguments) - set(names):
            which = ", ".join(sorted(name[:64] for name in unknown)[:8])
            raise Refused(f"{self.do} does not know {which}")


Handler = Callable[[Request], Awaitable[Mapping[str, object]]]
"""
Carries out one kind of request.

What it returns becomes part of the answer. It raises :class:`Refused` for
what the person can understand and change; anything else is the server's fault
and goes to the log.
"""
