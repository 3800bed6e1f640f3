"""
What the commands for the network understand.

Nothing else of them is loaded to show a help text, or to complete a word.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final, cast

from rotoclear.command.parsing import command

if TYPE_CHECKING:
    from collections.abc import Callable

    from rotoclear.command.parsing import Section, Subparsers

SHELLS: Final = ("bash", "fish", "zsh")

RECORD: Final[dict[str, bool | str]] = {
    "on": True,
    "off": False,
    "pause": "pause",
    "resume": "pause_release",
}
"""What ``rotoclear record`` is told, and what that is on the wire."""

TIMEOUT: Final = 10.0
"""Seconds that a server has to answer."""

_GET: Final = """\
Without a KEY: all that you may read. One KEY alone is answered with its bare value,
several with lines that "rotoclear set" takes back.

examples:
  rotoclear get brightness
  rotoclear get brightness contrast sharpness > picture.txt
  xargs -d '\\n' rotoclear set < picture.txt
  rotoclear get --json | jq '."storage-free"'
"""

_SET: Final = """\
It returns when the device has done it, and prints the values as they are then. Keys
stand alone: if one is refused the others are set all the same.

examples:
  rotoclear set brightness=75
  rotoclear set cam1-light=on resolution=1280x720 fps=30
  rotoclear set auto-exposure=off gain=20
"""

_WATCH: Final = """\
In a terminal a table that follows every change; q or Ctrl-C ends it. In a pipe, or
with --json, JSON lines: first the values there are, then each change. When the
connection is lost it is made again, and what has changed meanwhile is told.

examples:
  rotoclear watch
  rotoclear watch record storage-free
  rotoclear watch record --json | while read -r line; do echo "$line"; done
"""

_KEYS: Final = """\
What is possible may depend on what is plugged in, and set.

examples:
  rotoclear keys
  rotoclear keys resolution fps
"""

_RECORD: Final = """\
It returns when the recorder has done it.

examples:
  rotoclear record on
  rotoclear record pause
  rotoclear record resume
  rotoclear record off && rotoclear download last-recording
"""

_SNAP: Final = """\
It returns when the picture is safely stored, and prints its id.

examples:
  rotoclear snap
  rotoclear snap --output part-4711.jpg
  rotoclear snap --output - | display
"""

_LIST: Final = """\
The newest first.

examples:
  rotoclear {0}
  rotoclear {0} --limit 5
  rotoclear {0} --all --json | jq -r '.[].id'
"""

_DOWNLOAD: Final = """\
A download that was cut off goes on where it stopped, when it is asked for again. What
has arrived is compared with the server's SHA-256.

examples:
  rotoclear download last-recording
  rotoclear download 20261124T093005Z-45e2ab2e --output film.mp4
  rotoclear download last-snapshot --output - > picture.jpg
"""

_LOGIN: Final = """\
The password is asked for, or read as one line from standard input or a file. What is
kept is a token, in your keyring if there is one (rotoclear[keyring]), else in a file
that only you can read. The server becomes the one that other commands ask.

A server whose certificate is not known to this machine can be trusted by its
certificate's fingerprint, which "rotoclear cert" printed on the server's machine.

examples:
  rotoclear login admin
  rotoclear login joe --server https://camera.example.com < password.txt
  rotoclear login joe --server https://192.0.2.7:8443 --fingerprint 5A:41:...
"""

_LOGOUT: Final = """\
The token ends at the server and is forgotten here, and so is what the server was
trusted by.

examples:
  rotoclear logout
  rotoclear logout --server https://camera.example.com
"""

_STATUS: Final = """\
Over the network. With --local (or --data-dir, --config) the server of this machine is
asked by the control socket in its data folder, which needs no login and tells all.

examples:
  rotoclear status
  rotoclear status --server https://camera.example.com --json
  rotoclear status --local
"""

_WHOAMI: Final = """\
examples:
  rotoclear whoami
  rotoclear whoami --json | jq -r '.permissions[]'
"""

_COMPLETION: Final = """\
Commands, options, keys and their values are completed.

  bash:  rotoclear completion bash > ~/.local/share/bash-completion/completions/rotoclear
  zsh:   rotoclear completion zsh > DIR/_rotoclear     DIR being one of your $fpath
  fish:  rotoclear completion fish > ~/.config/fish/completions/rotoclear.fish
"""


def add_remote(commands: Section) -> None:
    """All of them but ``status``, which has a local side."""
    _add_accounts(commands)
    _add_keys(commands)
    _add_media(commands)


def add_status(commands: Section) -> argparse.ArgumentParser:
    """``rotoclear status``."""
    status = _leaf(commands, "status", "say how a server is", "status", _STATUS, remote="too")
    status.add_argument(
        "--local", action="store_true", help="the server of this machine, by its control socket"
    )
    return status


def add_completion(commands: Section) -> None:
    """``rotoclear completion``, which asks nobody."""
    parser = command(
        commands.add_parser,
        "completion",
        help="print what makes a shell complete this command's words",
        description="Prints what makes a shell complete this command's words.",
        epilog=_COMPLETION,
    )
    parser.add_argument("shell", metavar="SHELL", choices=SHELLS, help=", ".join(SHELLS))
    parser.set_defaults(module="completion")


def _add_server(parser: argparse.ArgumentParser) -> None:
    """The options that say which server, and whether to believe it."""
    group = parser.add_argument_group("which server")
    group.add_argument(
        "--server",
        metavar="URL",
        help="its address (default: $ROTOCLEAR_SERVER, else that of the last login, "
        "else http://localhost:8080)",
    )
    group.add_argument(
        "--cafile",
        metavar="FILE",
        help="trust certificates that these ones (PEM) have signed, and no others",
    )
    group.add_argument(
        "--fingerprint",
        metavar="SHA256",
        help="trust the one certificate that has this SHA-256",
    )
    group.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=_seconds,
        default=TIMEOUT,
        help=f"how long the server may take to answer (default: {TIMEOUT:g})",
    )


def _add_accounts(commands: Section) -> None:
    login = _leaf(commands, "login", "log in, and stay so", "login", _LOGIN, json=False)
    login.add_argument("user", metavar="USER", nargs="?", help="asked for if it is left out")
    login.add_argument(
        "--password-file", metavar="FILE", help="the password is its first line (- for stdin)"
    )
    login.add_argument(
        "--plaintext",
        action="store_true",
        help="send the password, and later the token, over the network without encryption, "
        "where others may read it; without this only https is logged in to",
    )
    _leaf(commands, "logout", "end the login", "logout", _LOGOUT, json=False)
    _leaf(commands, "whoami", "say who is logged in, and what they may do", "whoami", _WHOAMI)


def _add_keys(commands: Section) -> None:
    get = _leaf(commands, "get", "read keys", "get", _GET)
    _completed(get.add_argument("keys", metavar="KEY", nargs="*"), "readable")
    set_ = _leaf(commands, "set", "change keys", "set", _SET)
    _completed(set_.add_argument("changes", metavar="KEY=VALUE", nargs="+"), "changes")
    watch = _leaf(commands, "watch", "follow keys as they change", "watch", _WATCH)
    _completed(watch.add_argument("keys", metavar="KEY", nargs="*"), "readable")
    keys = _leaf(commands, "keys", "say what keys there are, and what they may be", "keys", _KEYS)
    _completed(keys.add_argument("keys", metavar="KEY", nargs="*"), "readable")


def _add_media(commands: Section) -> None:
    record = _leaf(commands, "record", "begin, pause, resume or end a recording", "record", _RECORD)
    record.add_argument("action", metavar="ACTION", choices=tuple(RECORD), help=", ".join(RECORD))
    snap = _leaf(commands, "snap", "take a picture", "snap", _SNAP)
    snap.add_argument(
        "--output", "-o", metavar="FILE", help="fetch the picture, too (- for standard output)"
    )
    snap.add_argument("--force", action="store_true", help="replace FILE if it is there")
    for name, what in (("recordings", "films"), ("snapshots", "pictures")):
        text = f"list the {what} that are stored"
        listing = _leaf(commands, name, text, "stored", _LIST.format(name), kind=name)
        much = listing.add_mutually_exclusive_group()
        much.add_argument(
            "--limit", metavar="N", type=_count, default=20, help="at most so many (default: 20)"
        )
        much.add_argument("--all", action="store_true", help="all of them")
    text = "fetch films and pictures"
    download = _leaf(commands, "download", text, "download", _DOWNLOAD)
    _completed(
        download.add_argument(
            "ids",
            metavar="ID",
            nargs="+",
            help="as they are listed; or last-recording, last-snapshot",
        ),
        "stored",
    )
    download.add_argument(
        "--output",
        "-o",
        metavar="PATH",
        help="a file or a folder (- for standard output; default: the film's own name, here)",
    )
    download.add_argument("--force", action="store_true", help="replace files that are there")


def _leaf(
    commands: Section | Subparsers,
    name: str,
    text: str,
    module: str,
    examples: str,
    *,
    json: bool = True,
    **defaults: str,
) -> argparse.ArgumentParser:
    """A command that does something; ``module`` is one of this package."""
    leaf = command(
        commands.add_parser,
        name,
        help=text,
        description=f"{text[0].upper()}{text[1:]}.",
        epilog=examples,
    )
    leaf.set_defaults(module=f"remote.{module}", **{"remote": "only", **defaults})
    if json:
        leaf.add_argument("--json", action="store_true", help="for programs")
    _add_server(leaf)
    return leaf


def _completed(argument: argparse.Action, what: str) -> None:
    """Name what its words are completed from; see :mod:`rotoclear.command.completion`."""

    def completer(**said: object) -> list[str]:
        from rotoclear.command import completion

        found = cast("Callable[..., list[str]]", getattr(completion, what))
        return found(**said)

    argument.completer = completer  # type: ignore[attr-defined]


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds, 0.1 to 3600")
    return seconds


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= len(text) <= 9 or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 up")
    return int(text)
