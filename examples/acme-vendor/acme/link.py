"""How the drivers talk to a machine."""

from __future__ import annotations

import socket

from rotoclear.interfaces import DeviceFailure, DeviceGone, Option

TIMEOUT = 0.3
"""Seconds for one question: a probe that takes longer than 0.4 counts as none."""

ADDRESS = Option(
    name="address",
    default="127.0.0.1:4711",
    doc="where the machine answers: host:port",
)
"""Each of the drivers has this option."""


def connect(address: str) -> socket.socket:
    """A connection to the machine."""
    host, _, port = address.rpartition(":")
    try:
        return socket.create_connection((host, int(port)), TIMEOUT)
    except (OSError, ValueError) as error:
        raise DeviceGone(f"No Acme machine answers at {address}: {error}") from None


def ask(address: str, question: str) -> str:
    """
    One question, on a connection of its own: no thread waits for another.

    :return: what the machine says behind its OK.
    """
    with connect(address) as connection:
        try:
            connection.sendall(question.encode() + b"\n")
            answer = connection.makefile(encoding="ascii").readline(200)
        except OSError as error:
            raise DeviceFailure(f"The machine does not answer: {error}") from None
    word, _, rest = answer.strip().partition(" ")
    if word == "OK":
        return rest
    if rest == "gone":
        raise DeviceGone("The machine says that it was unplugged")
    raise DeviceFailure(f"The machine refuses {question}: {rest or 'it hung up'}")


def plugged(address: str, thing: str) -> bool:
    """Whether the machine has it. One that does not answer has nothing."""
    try:
        return thing in ask(address, "LIST").split()
    except DeviceFailure:
        return False
