"""``rotoclear user`` on the data folder of a stopped server."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import skipUnless

from twisted.trial.unittest import SynchronousTestCase

from rotoclear.control.server import listen
from rotoclear.control.wire import SOCKET_NAME
from rotoclear.paths import DataFolderLock
from tests.command.running import PROGRAM, Result, environment, run

PASSWORD = "correct horse battery"
SOMEBODY = 65_534

AS_SOMEBODY = f"""
import os
import rotoclear.command.users, rotoclear.command.offline
from rotoclear.command.main import main
os.setgroups([])
os.setgid({SOMEBODY})
os.setuid({SOMEBODY})
raise SystemExit(main())
"""
"""The command as another user, who may not be able to read where it is installed."""


class StoppedTests(SynchronousTestCase):
    """A data folder of its own for each test."""

    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def user(self, *words: str, stdin: bytes | str = b"") -> Result:
        return run("user", *words, "--data-dir", str(self.folder), stdin=stdin)

    def done(self, *words: str, stdin: bytes | str = b"") -> None:
        self.assertEqual(self.user(*words, stdin=stdin), Result(0, "", ""))

    def refused(self, *words: str, stdin: bytes | str = b"", code: int = 1) -> str:
        result = self.user(*words, stdin=stdin)
        self.assertEqual((result.code, result.out), (code, ""))
        self.assertEqual(result.err.count("\n"), 1, result.err)
        self.assertTrue(result.err.startswith("rotoclear: "))
        return result.err.removeprefix("rotoclear: ").strip()

    def roles(self) -> dict[str, str]:
        listed = self.user("list", "--json")
        self.assertEqual((listed.code, listed.err), (0, ""))
        return {user["name"]: user["role"] for user in json.loads(listed.out)}


class UserTests(StoppedTests):
    def test_all_actions(self) -> None:
        self.done("add", "anna", "--role", "administrator", stdin=PASSWORD)
        self.done("add", "joe", "--role", "viewer", stdin=f"{PASSWORD}\n")
        self.assertEqual(self.roles(), {"anna": "administrator", "joe": "viewer"})
        self.done("role", "joe", "operator")
        self.assertEqual(self.roles()["joe"], "operator")
        self.done("passwd", "joe", stdin=PASSWORD)
        key = self.user("stream-key", "joe").out
        self.assertRegex(key, r"^[0-9a-f]{32}\n$")
        self.assertEqual(self.user("stream-key", "joe").out, key)
        self.done("stream-key", "joe", "--revoke")
        self.done("remove", "joe")
        self.assertEqual(self.roles(), {"anna": "administrator"})

    def test_list_for_people(self) -> None:
        self.done("add", "anna", "--role", "administrator", stdin=PASSWORD)
        head, row = self.user("list").out.splitlines()
        self.assertEqual(head.split(), ["NAME", "ROLE", "CHANGED"])
        self.assertRegex(row, r"^anna  administrator  \d{4}-\d\d-\d\d \d\d:\d\d\+00:00$")
        self.assertEqual(row.index("administrator"), head.index("ROLE"))

    def test_refusals(self) -> None:
        self.done("add", "anna", "--role", "administrator", stdin=PASSWORD)
        for words, text in (
            (("add", "anna", "--role", "viewer"), "There is a user 'anna' already"),
            (("passwd", "joe"), "There is no user 'joe'"),
            (("remove", "joe"), "There is no user 'joe'"),
            (("role", "joe", "viewer"), "There is no user 'joe'"),
            (("stream-key", "joe"), "There is no user 'joe'"),
        ):
            with self.subTest(words=words):
                self.assertEqual(self.refused(*words, stdin=PASSWORD), text)
        self.assertIn("last administrator", self.refused("remove", "anna"))
        self.assertIn("last administrator", self.refused("role", "anna", "viewer"))
        self.assertIn("printable", self.refused("add", "a/b", "--role", "viewer"))

    def test_passwords_that_are_none(self) -> None:
        add = ("add", "anna", "--role", "administrator")
        self.assertEqual(self.refused(*add), "no password given")
        self.assertEqual(self.refused(*add, stdin="\n"), "no password given")
        self.assertEqual(self.refused(*add, stdin=b"\xff" * 12), "the password is not valid UTF-8")
        self.assertIn("longer than", self.refused(*add, stdin="x" * 5000))
        self.assertIn("8", self.refused(*add, stdin="short"))
        self.assertEqual(self.roles(), {})

    def test_files_are_the_owners_alone(self) -> None:
        self.done("add", "anna", "--role", "administrator", stdin=PASSWORD)
        for path in self.folder.iterdir():
            self.assertEqual(path.stat().st_mode & 0o077, 0, path)

    def test_dead_servers_socket(self) -> None:
        listen(self.folder / SOCKET_NAME).close()
        self.assertEqual(self.roles(), {})

    def test_no_folder(self) -> None:
        self.folder /= "none"
        self.assertIn("there is no data folder", self.refused("list", code=3))
        self.assertFalse(self.folder.exists())

    def test_damaged_database(self) -> None:
        (self.folder / "rotoclear.db").write_bytes(b"nonsense " * 1000)
        self.assertIn("rotoclear.db", self.refused("list", code=3))

    def test_typed(self) -> None:
        code, said = self.type("add", "anna", "--role", "administrator", keys=[PASSWORD, PASSWORD])
        self.assertEqual((code, self.roles()), (0, {"anna": "administrator"}))
        self.assertNotIn(PASSWORD, said)

    def test_typed_wrongly(self) -> None:
        code, said = self.type("add", "anna", "--role", "administrator", keys=[PASSWORD, "other"])
        self.assertEqual((code, self.roles()), (1, {}))
        self.assertIn("rotoclear: the two passwords differ; nothing was changed", said)

    def test_end_of_typing(self) -> None:
        code, said = self.type("add", "anna", "--role", "viewer", keys=["\x04"])
        self.assertEqual(code, 1)
        self.assertIn("rotoclear: no password given", said)

    def type(self, *words: str, keys: list[str]) -> tuple[int, str]:
        """Run it at a terminal; answer its questions; the code and what is to be seen there."""
        keyboard, terminal = pty.openpty()
        self.addCleanup(os.close, keyboard)
        process = subprocess.Popen(
            [*PROGRAM, "user", *words, "--data-dir", str(self.folder)],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            env=environment(),
            start_new_session=True,
        )
        os.close(terminal)
        said = ""
        for answer in keys:
            seen = len(said)
            while not said[seen:].endswith(": "):
                said += os.read(keyboard, 1000).decode()
            os.write(keyboard, (answer if answer < " " else f"{answer}\n").encode())
        try:
            while more := os.read(keyboard, 1000).decode():
                said += more
        except OSError:  # nobody is at the other end any more
            pass
        return process.wait(60), said


class ServerComingTests(StoppedTests):
    """Somebody has the lock, and no socket yet."""

    def test_waits_for_it(self) -> None:
        lock = DataFolderLock.take(self.folder)
        process = subprocess.Popen(
            [*PROGRAM, "user", "list", "--data-dir", str(self.folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
        )
        with self.assertRaises(subprocess.TimeoutExpired):
            process.communicate(timeout=1)
        lock.release()
        self.assertEqual(process.communicate(timeout=60)[1], b"")
        self.assertEqual(process.returncode, 0)


@skipUnless(os.geteuid() == 0, "only root can be somebody else")
class OwnerTests(StoppedTests):
    """A data folder is its owner's."""

    def test_root_does_it_as_the_owner(self) -> None:
        os.chown(self.folder, SOMEBODY, SOMEBODY)
        self.done("add", "anna", "--role", "administrator", stdin=PASSWORD)
        owners = {(path.name, path.stat().st_uid) for path in self.folder.iterdir()}
        self.assertEqual(owners, {("lock", SOMEBODY), ("rotoclear.db", SOMEBODY)})

    def test_somebody_else_is_told(self) -> None:
        for mode in (0o700, 0o755, 0o777):
            with self.subTest(mode=mode):
                self.folder.chmod(mode)
                done = subprocess.run(
                    [sys.executable, "-c", AS_SOMEBODY, "user", "list", "--data-dir", self.folder],
                    capture_output=True,
                    env=environment(),
                    timeout=60,
                    check=False,
                )
                self.assertEqual((done.returncode, done.stdout), (3, b""))
                self.assertEqual(
                    done.stderr.decode(),
                    f"rotoclear: the data folder {self.folder} is not this user's; "
                    "do it as root, with sudo -u, say\n",
                )
                self.assertEqual(list(self.folder.iterdir()), [])
