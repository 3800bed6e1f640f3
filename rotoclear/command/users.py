"""``rotoclear user``: who may log in, and as what."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from rotoclear.auth.errors import AuthError
from rotoclear.auth.users import canonical_name
from rotoclear.command.asking import act
from rotoclear.command.errors import OK, CommandError
from rotoclear.command.folder import chosen
from rotoclear.command.passwords import ask_password
from rotoclear.command.text import table


def run(arguments: Namespace) -> int:
    """Do it, on the running server or on the folder of a stopped one."""
    folder = chosen(arguments)
    try:
        match arguments.action:
            case "list":
                _print(_users(folder), arguments.json)
            case "add":
                _add(folder, canonical_name(arguments.name), arguments.role)
            case "passwd":
                _passwd(folder, canonical_name(arguments.name))
            case "remove":
                _do(folder, "user-remove", name=arguments.name)
            case "role":
                _do(folder, "user-role", name=arguments.name, role=arguments.role)
            case "stream-key":
                _stream_key(folder, arguments)
    except AuthError as error:
        raise CommandError(str(error)) from None
    return OK


def _add(folder: Path, name: str, role: str) -> None:
    if name in _names(folder):  # nobody should type a password twice to learn that
        raise CommandError(f"There is a user {name!r} already")
    _do(folder, "user-add", name=name, role=role, password=ask_password(name))


def _passwd(folder: Path, name: str) -> None:
    if name not in _names(folder):
        raise CommandError(f"There is no user {name!r}")
    _do(folder, "user-passwd", name=name, password=ask_password(name))


def _stream_key(folder: Path, arguments: Namespace) -> None:
    action = "revoke" if arguments.revoke else "new" if arguments.new else "show"
    key = _do(folder, "user-stream-key", name=arguments.name, action=action).get("key")
    if key:
        print(key)


def _names(folder: Path) -> set[object]:
    return {user.get("name") for user in _users(folder)}


def _users(folder: Path) -> Sequence[Mapping[str, object]]:
    users = _do(folder, "user-list").get("users")
    if not isinstance(users, list):
        raise CommandError("the server's answer makes no sense")
    return users


def _do(folder: Path, do: str, **arguments: str) -> dict[str, object]:
    return act(folder, do, arguments)


def _print(users: Sequence[Mapping[str, object]], as_json: bool) -> None:
    if as_json:
        print(json.dumps(users, indent=2))
        return
    rows = [(user["name"], user["role"], _day(user["changed"])) for user in users]
    print(table(("NAME", "ROLE", "CHANGED"), rows))


def _day(seconds: object) -> str:
    """A wall clock's seconds since 1970 as people write it, in local time."""
    if not isinstance(seconds, int | float):
        return ""
    return datetime.fromtimestamp(seconds).astimezone().isoformat(" ", "minutes")
