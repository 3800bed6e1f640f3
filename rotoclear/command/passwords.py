"""How a command gets a password: never from its arguments, which everybody can read."""

from __future__ import annotations

import getpass
import sys

from rotoclear.command.errors import CommandError

LONGEST = 4096
"""Bytes that are read for a password at most; which are allowed is the server's to say."""


def ask_password(user: str) -> str:
    """
    A new password for ``user``: asked for twice, or a line of the standard input.

    :raises CommandError: there is none, or the two differ.
    """
    password = _typed(user) if sys.stdin.isatty() else _piped()
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


def _piped() -> str:
    line = sys.stdin.buffer.readline(LONGEST + 2)
    if len(line) > LONGEST + 1:
        raise CommandError(f"the password is longer than {LONGEST} bytes")
    try:
        return line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8")
    except UnicodeDecodeError:
        raise CommandError("the password is not valid UTF-8") from None
