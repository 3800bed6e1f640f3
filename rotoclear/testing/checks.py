"""How a method becomes a test, or two: in this process, and through the real host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, TypeVar

Way = Literal["alone", "direct", "hosted"]

_MARK: Final = "_rotoclear_check"

F = TypeVar("F", bound=Callable[..., None])


def alone(what: str) -> Callable[[F], F]:
    """
    A check of what is not started: it takes no bench.

    :param what: a line for people.
    """
    return _marked(what, "alone")


def direct(what: str) -> Callable[[F], F]:
    """A check that can only be made in this process."""
    return _marked(what, "direct")


def hosted(what: str) -> Callable[[F], F]:
    """A check that can only be made with a process of the driver's own."""
    return _marked(what, "hosted")


def both(what: str) -> Callable[[F], F]:
    """A check that is made both ways."""
    return _marked(what, "direct", "hosted")


def _marked(what: str, *ways: Way) -> Callable[[F], F]:
    def mark(function: F) -> F:
        setattr(function, _MARK, (what, ways))
        return function

    return mark


def add_tests(cls: type[Any]) -> None:
    """
    Give a class a ``test_...`` for each check that stands in it.

    Made through the host it is called ``test_..._in_its_process``.
    """
    for name, function in list(vars(cls).items()):
        what, ways = getattr(function, _MARK, ("", ()))
        for way in ways:
            test = f"test_{name.removeprefix('check_')}"
            if way == "hosted":
                test += "_in_its_process"
            setattr(cls, test, _test(cls, test, name, what, way))


def way_of(test: Callable[..., Any]) -> Way:
    """How a test is made."""
    way: Way = test.way  # type: ignore[attr-defined]
    return way


def _test(cls: type[Any], test: str, name: str, what: str, way: Way) -> Callable[[Any], None]:
    def method(self: Any) -> None:
        self.make_check(test, what, way, getattr(self, name))

    method.__name__ = test
    method.__qualname__ = f"{cls.__qualname__}.{test}"
    method.__doc__ = f"{what[0].upper()}{what[1:]}."
    method.__module__ = cls.__module__
    method.way = way  # type: ignore[attr-defined]
    return method
