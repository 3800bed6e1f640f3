"""How a command gets a password: never from its arguments, which everybody can read."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import BinaryIO

from rotoclear.command.errors import CommandError
from rotoclear.command.text import printable

LONGEST = 4096
"""Bytes that are read for a password at most; which are allowed is the server's to say."""


def ask_password(user: str) -> str:
    """
    A new password for ``user``: asked for twice, or a line of the standard input.

    :raises CommandError: there is none, or the two differ.
    """
    return _checked(_typed(user) if sys.stdin.isatty() else _line(sys.stdin.buffer))


def ask_present_password(user: str, server: str, file: str | None) -> str:
    """
    The password that ``user`` has at a server.

    Typed once, or a line of the standard input or of a file.

    :param file: a file's name, ``"-"`` for the standard input, ``None`` to ask.
    :raises CommandError: there is none.
    """
    if file is not None and file != "-":
        try:
            with Path(file).open("rb") as opened:
                return _checked(_line(opened))
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from None
    if file == "-" or not sys.stdin.isatty():
        return _checked(_line(sys.stdin.buffer))
    try:
        return _checked(getpass.getpass(f"Password of {printable(user)} at {server}: "))
    except EOFError:
        raise CommandError("no password given") from None


def _checked(password: str) -> str:
    if not password:
        raise CommandError("no password given")
    try:
        password.encode("utf-8")
    except UnicodeEncodeError:
        raise CommandError("the password is not valid UTF-8") from None
    return password


def _typed(user: str) -> str:
    try:
        password = getpass.getpass(f"New password for {user}: ")
        if password and getpass.getpass("Once more: ") != password:
            raise CommandError("the two passwords differ; nothing was changed")
    except EOFError:
        return ""
    return password


def _line(file: BinaryIO) -> str:
    line = file.readline(LONGEST + 2)
    if len(line) > LONGEST + 1:
        raise CommandError(f"the password is longer than {LONGEST} bytes")
    try:
        return line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8")
    except UnicodeDecodeError:
        raise CommandError("the password is not valid UTF-8") from None
