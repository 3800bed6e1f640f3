"""
``rotoclear download``: fetch films and pictures.

The client's library does it: beside the file that is to be, one that ends in
``.part`` is filled; it is what a later attempt goes on with.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from argparse import Namespace
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, Literal

from rotoclear.command.errors import OK, USAGE, CommandError
from rotoclear.command.remote.progress import Bar
from rotoclear.command.remote.session import run_with

if TYPE_CHECKING:
    from rotoclear.client import Entry, Progress
    from rotoclear.client.asyncio import Client

Kind = Literal["recordings", "snapshots"]

_NEWEST: Final[dict[str, Kind]] = {"last-recording": "recordings", "last-snapshot": "snapshots"}
_KINDS: Final[tuple[Kind, ...]] = ("recordings", "snapshots")


def run(arguments: Namespace) -> int:
    """Fetch them, one after another."""
    if arguments.output is not None:
        several = len(arguments.ids) > 1 and not Path(arguments.output).is_dir()
        if several:
            raise CommandError("--output has to be a folder for more than one of them", USAGE)
        refuse_existing(arguments.output, force=arguments.force)
    return run_with(arguments, download, reconnect=True)


async def download(client: Client, arguments: Namespace) -> int:
    """The first that cannot be fetched ends it; those before it are there."""
    for id_ in arguments.ids:
        entry = await _entry(client, id_)
        where = await fetch(client, entry, arguments.output or ".", force=arguments.force)
        if arguments.output == "-":
            continue
        if arguments.json:
            print(json.dumps({"id": entry.id, "file": where, "size": entry.size}), flush=True)
        else:
            print(where, flush=True)
    return OK


async def fetch(client: Client, entry: Entry, output: str, *, force: bool) -> str:
    """
    One of them, to a file, into a folder, or to standard output (``"-"``).

    :return: the file's path.
    """
    if output == "-":
        # By way of a file: nobody could take back what turns out to be damaged.
        with TemporaryDirectory() as folder:
            path = await client.download(entry, Path(folder) / entry.name)
            with path.open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        return output
    target = _target(output, entry)
    bar = _bar(entry)
    try:
        path = await client.download(entry, target, overwrite=force, progress=_told(bar))
    except FileExistsError:
        raise _exists(target) from None
    except OSError as error:
        raise CommandError(f"{error.filename or target}: {error.strerror}") from None
    finally:
        if bar is not None:
            bar.end()
    return str(path)


def _target(output: str, entry: Entry) -> Path:
    path = Path(output)
    return path / entry.name if path.is_dir() else path


def refuse_existing(output: str, *, force: bool) -> None:
    """
    :raises CommandError: there is a file of that name, or no folder for it.
    """
    path = Path(output)
    if output == "-":
        return
    if path.is_file() and not force:
        raise _exists(path)
    if not path.parent.is_dir():
        raise CommandError(f"there is no folder {path.parent}")


def _exists(path: Path) -> CommandError:
    return CommandError(f"{path} is there already; --force replaces it, --output names another")


async def _entry(client: Client, id_: str) -> Entry:
    """Ids look alike: what is no film may be a picture."""
    from rotoclear.client import NotFound

    if id_ in _NEWEST:
        kind = _NEWEST[id_]
        newest = str(await client.get(id_))
        if not newest:
            raise CommandError(f"there are no {kind} yet")
        return await client.entry(kind, newest)
    for kind in _KINDS:
        with suppress(NotFound, ValueError):  # the latter: it cannot be an id
            return await client.entry(kind, id_)
    raise CommandError(
        f"there is no film or picture {id_!r}; rotoclear recordings and rotoclear snapshots "
        "list them"
    )


def _bar(entry: Entry) -> Bar | None:
    """Only people look at it."""
    if not sys.stderr.isatty():
        return None
    columns = shutil.get_terminal_size
    return Bar(sys.stderr, entry.name, time.monotonic, lambda: columns().columns)


def _told(bar: Bar | None) -> Callable[[Progress], None] | None:
    if bar is None:
        return None

    def told(progress: Progress) -> None:
        bar.update(progress.received, progress.total)

    return told
