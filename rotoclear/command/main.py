"""
The ``rotoclear`` command: what it understands.

What each of its commands does is in a module of its own, which is loaded only
when it is asked for.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import TYPE_CHECKING

from rotoclear import __version__
from rotoclear.command.errors import FAILED, INTERRUPTED, OK, CommandError
from rotoclear.command.parsing import Section
from rotoclear.command.parsing import command as _command
from rotoclear.command.remote.options import add_completion, add_remote, add_status
from rotoclear.command.text import printable
from rotoclear.state.permissions import USER_ROLES

if TYPE_CHECKING:
    from rotoclear.command.parsing import Subparsers

    _Subparsers = Subparsers | Section

_DESCRIPTION = "Operates rotoclear servers, and manages the one on this machine."

_REMOTE = "over the network, at any server (--server URL, or that of the last login):"

_LOCAL = "on this machine, at the server that has the data folder (--data-dir DIR):"

_EXAMPLES = """\
"rotoclear COMMAND --help" tells more of each, with examples.

examples:
  rotoclear login admin --server https://camera.example.com
  rotoclear set brightness=75 cam1-light=on
  rotoclear watch
  rotoclear record on
  rotoclear download last-recording
  rotoclear user add joe --role operator
  rotoclear user passwd admin              a way back in, also while the server is stopped
  rotoclear simulate unplug 2
  rotoclear backup /media/stick/device-7.zip

exit codes:
  0  done
  1  refused or failed; the reason is on stderr
  2  wrong usage
  3  no server answers, or it is not to be trusted; or the data folder cannot be used
  4  not logged in, wrong password, or no permission
"""

_USER_EXAMPLES = """\
They act on the running server at once: whoever is connected gains or loses
rights in that moment. When no server is running they act on its data folder.

Passwords are asked for, or read as one line from standard input:

  rotoclear user add joe --role operator
  rotoclear user passwd joe < password.txt
  rotoclear user role joe viewer
  rotoclear user list --json
"""

_DRIVER_EXAMPLES = """\
A line tells of each step. With a camera one picture is taken. Exit code 1: a step
failed; 2: there is no such driver. If a server has the driver's devices it is asked.

  rotoclear driver list
  rotoclear driver check v4l2 --frame picture.jpg
"""

_SIMULATE_EXAMPLES = """\
A target is 1 or 2 (a camera head), light1 or light2 (its lamp) or storage.

  rotoclear simulate unplug 2
  rotoclear simulate plug 2
  rotoclear simulate fault 2 latency milliseconds=500
  rotoclear simulate show 2                what is wrong with it, and what can be
  rotoclear simulate clear 2
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return what the program exits with."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # what the terminal has no letters for
    try:
        try:
            return _run(argv)
        finally:
            sys.stdout.flush()
    except CommandError as error:
        for line in error.lines:
            print(f"rotoclear: {printable(line)}", file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # whoever read this has seen enough
        _discard_output()
        return OK
    except OSError as error:  # the output's disk is full, say
        _discard_output()
        print(f"rotoclear: {error}", file=sys.stderr)
        return FAILED


def _discard_output() -> None:
    """Else Python would try once more when it ends, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(argv: Sequence[str] | None) -> int:
    top = parser()
    if "_ARGCOMPLETE" in os.environ:  # a shell asks how a word goes on
        from rotoclear.command.completion import complete

        complete(top)
    arguments = top.parse_args(argv)
    if getattr(arguments, "remote", "") == "only" and (arguments.data_dir or arguments.config):
        top.error("--data-dir and --config are for the server of this machine; --server names one")
    module = import_module(f"rotoclear.command.{arguments.module}")
    code: int = module.run(arguments)
    return code


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    top = _command(
        argparse.ArgumentParser,
        prog="rotoclear",
        usage="rotoclear [options] COMMAND ...",
        epilog=_EXAMPLES,
    )
    top.add_argument("--version", action="version", version=f"rotoclear {__version__}")
    _add_place(top, None)
    commands = top.add_subparsers(
        required=True, metavar="COMMAND", prog="rotoclear", help=argparse.SUPPRESS
    )
    remote = Section(commands, _REMOTE)
    add_remote(remote)
    _add_place(add_status(remote), argparse.SUPPRESS)
    local = Section(commands, _LOCAL)
    _add_user(local)
    _add_simulate(local)
    _add_driver(local)
    _add_cert(local)
    _add_backup(local)
    shell = Section(commands, "for the shell:")
    add_completion(shell)
    top.description = "\n\n".join([_DESCRIPTION, *map(str, (remote, local, shell))])
    return top


def _add_user(commands: _Subparsers) -> None:
    user = _command(
        commands.add_parser,
        "user",
        help="add, list, change and remove users",
        description="Manages who may log in, and as what.",
        epilog=_USER_EXAMPLES,
    )
    actions = user.add_subparsers(required=True, metavar="ACTION", title="actions")

    def action(name: str, text: str) -> argparse.ArgumentParser:
        return _leaf(actions, name, text, module="users", action=name)

    add = action("add", "add a user")
    add.add_argument("name", metavar="NAME")
    add.add_argument("--role", choices=USER_ROLES, required=True, help="what the user may do")
    listing = action("list", "list the users")
    listing.add_argument("--json", action="store_true", help="for programs")
    passwd = action("passwd", "give a user a new password; logs the user out everywhere")
    passwd.add_argument("name", metavar="NAME")
    remove = action("remove", "remove a user; logs the user out everywhere")
    remove.add_argument("name", metavar="NAME")
    role = action("role", "give a user another role")
    role.add_argument("name", metavar="NAME")
    role.add_argument("role", metavar="ROLE", choices=USER_ROLES, help=", ".join(USER_ROLES))
    text = "show the key that a user's player watches the film with; makes one if there is none"
    stream_key = action("stream-key", text)
    stream_key.add_argument("name", metavar="NAME")
    either = stream_key.add_mutually_exclusive_group()
    either.add_argument("--new", action="store_true", help="another one; the old one ends")
    either.add_argument("--revoke", action="store_true", help="none any more")


def _add_simulate(commands: _Subparsers) -> None:
    simulate = _command(
        commands.add_parser,
        "simulate",
        help="have simulated devices unplugged, or misbehave",
        description="Rehearses what can happen to a device. Simulated devices only.",
        epilog=_SIMULATE_EXAMPLES,
    )
    actions = simulate.add_subparsers(required=True, metavar="ACTION", title="actions")

    def action(name: str, text: str) -> argparse.ArgumentParser:
        leaf = _leaf(actions, name, text, module="simulate", action=name)
        leaf.add_argument("target", metavar="TARGET", help="1, 2, light1, light2 or storage")
        return leaf

    action("unplug", "take a device away")
    action("plug", "bring it back")
    fault = action("fault", "make it misbehave")
    fault.add_argument("kind", metavar="KIND", help="which fault; 'show' lists them")
    fault.add_argument("arguments", metavar="NAME=VALUE", nargs="*", help="what the fault needs")
    action("clear", "end its faults")
    show = action("show", "say what is wrong with it, and what can be")
    show.add_argument("--json", action="store_true", help="for programs")


def _add_driver(commands: _Subparsers) -> None:
    driver = _command(
        commands.add_parser,
        "driver",
        help="list the drivers, and try one out",
        description="Says which drivers there are, and whether one works on this machine.",
        epilog=_DRIVER_EXAMPLES,
    )
    actions = driver.add_subparsers(required=True, metavar="ACTION", title="actions")
    text = "list the drivers: the running server's, else those it would have"
    listing = _leaf(actions, "list", text, module="drivers", action="list")
    listing.add_argument("--json", action="store_true", help="for programs")
    text = "try a driver out, with its devices, while no server has them"
    check = _leaf(actions, "check", text, module="drivers", action="check")
    check.add_argument("name", metavar="NAME", help="the driver's")
    check.add_argument(
        "--frame",
        metavar="FILE",
        help="keep a camera's picture: a JPEG as it comes, else a PPM or PGM",
    )


def _add_cert(commands: _Subparsers) -> None:
    cert = _leaf(commands, "cert", "make a certificate for a first start with TLS", module="cert")
    cert.add_argument(
        "--dir", metavar="DIR", help="where to put it and its key (default: the data folder)"
    )
    cert.add_argument(
        "--name",
        metavar="NAME",
        action="append",
        default=[],
        help="a host name or address that clients use, besides this machine's own; repeatable",
    )
    cert.add_argument("--force", action="store_true", help="replace those that are there")


def _add_backup(commands: _Subparsers) -> None:
    text = "write settings, users and the list of films into a file"
    backup = _leaf(commands, "backup", text, module="backup", action="backup")
    backup.add_argument("file", metavar="FILE", help="where to; replaced if it is there")
    text = "take settings and users from such a file; everybody has to log in again"
    restore = _leaf(commands, "restore", text, module="backup", action="restore")
    restore.add_argument("file", metavar="FILE", help="a backup, of this device or another")
    text = "forget settings and users, as on the first day; films and pictures stay"
    reset = _leaf(commands, "factory-reset", text, module="backup", action="factory-reset")
    for command in (restore, reset):
        command.add_argument("--yes", action="store_true", help="do not ask whether it is meant")


def _leaf(commands: _Subparsers, name: str, text: str, **defaults: str) -> argparse.ArgumentParser:
    """A command that does something: ``defaults`` say which module, and what of it."""
    leaf = _command(
        commands.add_parser, name, help=text, description=f"{text[0].upper()}{text[1:]}."
    )
    _add_place(leaf, argparse.SUPPRESS)  # else it would undo what was said further left
    leaf.set_defaults(**defaults)
    return leaf


def _add_place(command: argparse.ArgumentParser, default: str | None) -> None:
    command.add_argument(
        "--data-dir",
        metavar="DIR",
        default=default,
        help="the server's data folder (default: as twistd rotoclear has it: "
        "$STATE_DIRECTORY, else the XDG state folder)",
    )
    command.add_argument(
        "--config",
        metavar="FILE",
        default=default,
        help="the server's configuration file, which may name the data folder",
    )
