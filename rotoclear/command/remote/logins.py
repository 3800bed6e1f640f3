"""
Who is logged in where: tokens, and what each server is trusted by.

A token is kept in the user's keyring; without one, in a file that nobody else
can read (``$XDG_STATE_HOME/rotoclear-logins/logins.json``, mode 0600), which has all the
rest in any case. It is never an argument of a command: everybody on the
machine can read those.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from attrs import asdict, evolve, fields_dict, frozen

from rotoclear.command.errors import FAILED, CommandError
from rotoclear.command.remote import keyrings
from rotoclear.command.remote.keyrings import KeyringFailed

_FOLDER: Final = "rotoclear-logins"  # "rotoclear" is the server's
_FILE: Final = "logins.json"


@frozen(kw_only=True)
class Login:
    """
    What is remembered of a server.

    :ivar server: its address, in the canonical form.
    :ivar username: who is logged in.
    :ivar token: as the server made it; empty in the file if the keyring has it.
    :ivar cafile: whose certificates are trusted there, an absolute path; or empty.
    :ivar fingerprint: of the only certificate that is trusted there; or empty.
    """

    server: str
    username: str
    token: str
    cafile: str = ""
    fingerprint: str = ""


def folder(environ: Mapping[str, str]) -> Path:
    """Where they are kept, by the XDG standard."""
    state = environ.get("XDG_STATE_HOME", "")
    if not Path(state).is_absolute():
        try:
            state = str(Path.home() / ".local" / "state")
        except RuntimeError:
            raise CommandError(
                "there is no home folder to keep logins in; set XDG_STATE_HOME"
            ) from None
    return Path(state) / _FOLDER


class Logins:
    """
    All of them. Every method reads and writes the disk.

    :param folder: is made when it is needed.
    :raises CommandError: from every method: the file cannot be read or written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / _FILE

    def last(self) -> str | None:
        """The server of the latest login that has not ended by a logout."""
        last = self._read().get("last")
        return last if isinstance(last, str) else None

    def find(self, server: str) -> Login | None:
        """The login at a server, with its token."""
        login = self._known(self._read()).get(server)
        if login is None or login.token:
            return login
        keyring = keyrings.usable()
        try:
            token = keyring.get(server) if keyring is not None else None
        except KeyringFailed as error:
            raise CommandError(
                f"the keyring does not give the token for {server}: {error}"
            ) from None
        if not token:
            raise CommandError(
                f"the token for {server} is in a keyring that is not there now; rotoclear login "
                "makes another one"
            )
        return evolve(login, token=token)

    def known(self, server: str) -> Login | None:
        """The same without asking the keyring: the token may be missing."""
        return self._known(self._read()).get(server)

    def put(self, login: Login) -> str:
        """
        Remember one, in place of any other at that server.

        :return: where its token is, for people.
        """
        kept, place = login, str(self._path)
        keyring = keyrings.usable()
        if keyring is not None:
            try:
                keyring.put(login.server, login.token)
            except KeyringFailed:
                pass  # a locked one, say: the file is as good as its mode
            else:
                kept, place = evolve(login, token=""), "the keyring"
        with self._changed() as content:
            # Last in the file is the latest.
            servers = {n: known for n, known in _servers(content).items() if n != login.server}
            servers[login.server] = asdict(kept)
            content["servers"] = servers
            content["last"] = login.server
        return place

    def remove(self, server: str) -> None:
        """Forget the login at a server; the one before it becomes the last."""
        with self._changed() as content:
            servers = _servers(content)
            gone = servers.pop(server, None)
            content["servers"] = servers
            if content.get("last") == server:
                content["last"] = next(reversed(servers), None)
        if isinstance(gone, dict) and not gone.get("token"):
            keyring = keyrings.usable()
            if keyring is not None:
                keyring.remove(server)

    # -- the file ---------------------------------------------------------

    def _known(self, content: Mapping[str, Any]) -> dict[str, Login]:
        names = fields_dict(Login)
        found = {}
        for server, entry in _servers(content).items():
            try:
                known = {name: entry[name] for name in names if name in entry}
                found[server] = Login(**{**known, "server": server})
            except (TypeError, KeyError):
                raise self._broken() from None
        return found

    def _read(self) -> dict[str, Any]:
        try:
            content = json.loads(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise CommandError(f"{self._path}: {error.strerror}") from None
        except ValueError:
            raise self._broken() from None
        if not isinstance(content, dict):
            raise self._broken()
        return content

    @contextmanager
    def _changed(self) -> Iterator[dict[str, Any]]:
        """The content, which is written when it was changed; one process at a time."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _locked(self._folder):
                content = self._read()
                yield content
                self._write(content)
        except OSError as error:
            raise CommandError(
                f"the login cannot be kept in {self._path}: {error.strerror}", FAILED
            ) from None

    def _write(self, content: Mapping[str, object]) -> None:
        new = self._path.with_suffix(f".{os.getpid()}.new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(content, file, indent=2)
                file.flush()
                os.fsync(file.fileno())
            new.rename(self._path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise

    def _broken(self) -> CommandError:
        return CommandError(f"{self._path} is not as it was written; remove it and log in again")


def _servers(content: Mapping[str, Any]) -> dict[str, Any]:
    servers = content.get("servers")
    return dict(servers) if isinstance(servers, dict) else {}


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """flock(2) on the folder itself: there is no file to be left behind."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
