"""What a check says when a driver is wrong."""

from __future__ import annotations


class Fault(AssertionError):
    """
    A driver does not do what :mod:`rotoclear.interfaces` asks for.

    :param did: what the driver did, a sentence.
    :param where: the interface and its member, ``"ICamera.read"``.
    :param asks: what the interface asks for there, a sentence.
    :param mend: how to mend it, a sentence.
    """

    def __init__(self, did: str, *, where: str, asks: str, mend: str) -> None:
        super().__init__(
            f"{did}\n"
            f"    The interface asks (rotoclear.interfaces, {where}): {asks}\n"
            f"    How to mend it: {mend}"
        )


class NotExercised(Exception):
    """A check could not be made here. ``str()`` says why, and what would let it be made."""
