"""What the server's handlers do with users, without it: straight on its data folder."""

from __future__ import annotations

import os
import sqlite3
import syslog
from collections.abc import Mapping
from pathlib import Path

from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from zope.interface import implementer

from rotoclear.auth.errors import AuthError
from rotoclear.auth.offline import OfflineError, OfflineUsers
from rotoclear.command.errors import FAILED, UNAVAILABLE, CommandError
from rotoclear.control.commands import described


def _asker() -> str:
    """Who started the command, by user id. Only root's environment can be believed."""
    if os.getuid() == 0:
        return os.environ.get("SUDO_UID", "0")
    return str(os.getuid())


ASKER = _asker()
"""Found out at once: this process may become another user's."""


def perform(folder: Path, do: str, arguments: Mapping[str, str]) -> dict[str, object]:
    """
    Do what a request of :func:`rotoclear.control.commands.handlers_for` asks.

    No server may run on the folder meanwhile.

    :raises CommandError: it cannot be done.
    """
    umask = os.umask(0o077)
    log = _SystemLog()
    globalLogPublisher.addObserver(log)
    try:
        with OfflineUsers.open(folder) as users:
            return _perform(users, do, arguments)
    except OfflineError as error:
        raise CommandError(str(error), UNAVAILABLE) from None
    except AuthError as error:
        raise CommandError(str(error), FAILED) from None
    except (OSError, sqlite3.Error) as error:
        raise CommandError(f"{folder}: {error}", UNAVAILABLE) from None
    finally:
        globalLogPublisher.removeObserver(log)
        os.umask(umask)


def _perform(users: OfflineUsers, do: str, arguments: Mapping[str, str]) -> dict[str, object]:
    match do:
        case "user-list":
            return {"users": [described(user) for user in users.users()]}
        case "user-add":
            users.add_user(**arguments)
        case "user-passwd":
            users.change_password(arguments["name"], arguments["password"])
        case "user-role":
            users.set_role(**arguments)
        case "user-remove":
            users.remove_user(**arguments)
        case "user-stream-key":
            return {"key": users.stream_key(**arguments)}
        case _:
            raise CommandError(f"{do} needs a running server", UNAVAILABLE)
    return {}


@implementer(ILogObserver)
class _SystemLog:
    """There is no server's log now: the audit trail goes to syslog(3)."""

    def __init__(self) -> None:
        syslog.openlog("rotoclear", syslog.LOG_PID)

    def __call__(self, event: LogEvent) -> None:
        if "audit" in event:
            syslog.syslog(
                syslog.LOG_AUTH | syslog.LOG_NOTICE, f"{formatEvent(event)} (uid {ASKER})"
            )
