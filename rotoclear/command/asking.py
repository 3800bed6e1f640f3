"""Having something done: by the running server, or without it on its data folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from rotoclear.command.errors import UNAVAILABLE, CommandError
from rotoclear.command.folder import ServerIsThere, not_ours, stopped
from rotoclear.control import client
from rotoclear.control.wire import SOCKET_NAME

PATIENCE = 10.0
"""Seconds that a server has to come up, or to go down."""

_STEP = 0.1
"""Seconds between two looks."""


def ask(folder: Path, do: str, arguments: Mapping[str, object] | None = None) -> dict[str, object]:
    """
    Ask the server on a data folder.

    :raises CommandError: there is none, or it refused.
    """
    try:
        return _ask(folder, do, arguments or {})
    except client.NotRunning:
        raise CommandError(
            f"no server is running on {folder}; --data-dir names another folder", UNAVAILABLE
        ) from None


def act(
    folder: Path,
    do: str,
    arguments: Mapping[str, str],
    alone: Callable[[], dict[str, object]] | None = None,
    timeout: float = client.TIMEOUT,
) -> dict[str, object]:
    """
    Ask the server on a data folder; when there is none, do it without.

    :param alone: does it then, as the folder's owner; else the module for users does.
    :param timeout: seconds that the server has.
    :raises CommandError: it was refused, or cannot be done.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        with suppress(client.NotRunning):
            return _ask(folder, do, arguments, timeout)
        # Slow to load, so not before; and not after this process has become somebody who
        # may not read it.
        from rotoclear.command.offline import perform

        with suppress(ServerIsThere), stopped(folder):
            return alone() if alone else perform(folder, do, arguments)
        if time.monotonic() > deadline:
            raise CommandError(
                f"a server on {folder} is starting or being stopped; try again", UNAVAILABLE
            )
        time.sleep(_STEP)


def _ask(
    folder: Path, do: str, arguments: Mapping[str, object], timeout: float = client.TIMEOUT
) -> dict[str, object]:
    try:
        return client.call(folder / SOCKET_NAME, do, arguments, timeout)
    except client.NotRunning:
        raise
    except client.NotAllowed:
        raise not_ours(folder) from None
    except (client.ControlError, client.RefusedByServer) as error:
        raise CommandError(str(error)) from None
