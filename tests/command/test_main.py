"""What the command understands, and how it ends."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from twisted.trial.unittest import SynchronousTestCase

from rotoclear import __version__
from tests.command.running import PROGRAM, environment, run, run_here

COMMANDS = (
    ("user", "add", "joe", "--role", "viewer"),
    ("user", "list"),
    ("user", "passwd", "joe"),
    ("user", "remove", "joe"),
    ("user", "role", "joe", "viewer"),
    ("user", "stream-key", "joe"),
    ("user", "stream-key", "joe", "--new"),
    ("simulate", "unplug", "2"),
    ("simulate", "plug", "2"),
    ("simulate", "fault", "2", "hang"),
    ("simulate", "clear", "2"),
    ("simulate", "show", "2"),
    ("cert",),
    ("status",),
)


class UsageTests(SynchronousTestCase):
    def test_version(self) -> None:
        result = run_here("--version")
        self.assertEqual((result.code, result.out), (0, f"rotoclear {__version__}\n"))

    def test_help(self) -> None:
        for words in (
            (),
            ("user",),
            ("simulate",),
            ("driver",),
            ("user", "add"),
            ("cert",),
            ("status",),
        ):
            with self.subTest(words=words):
                result = run_here(*words, "--help")
                self.assertEqual((result.code, result.err), (0, ""))
                self.assertIn("usage: rotoclear", result.out)
        self.assertIn("exit codes:", run_here("--help").out)

    def test_wrong_usage(self) -> None:
        for words in (
            (),
            ("user",),
            ("dance",),
            ("user", "add", "joe"),
            ("user", "add", "joe", "--role", "king"),
            ("user", "role", "joe", "anonymous"),
            ("user", "list", "--js"),
            ("simulate", "fault", "2"),
            ("simulate", "unplug"),
        ):
            with self.subTest(words=words):
                result = run_here(*words)
                self.assertEqual((result.code, result.out), (2, ""))
                self.assertNotIn("Traceback", result.err)

    def test_no_password_in_the_arguments(self) -> None:
        for option in ("--password", "--pass", "-p"):
            for words in (
                ("user", "add", "joe", "--role", "viewer"),
                ("user", "passwd", "joe"),
            ):
                for value in ((f"{option}=secret",), (option, "secret")):
                    with self.subTest(words=words, value=value):
                        self.assertEqual(run_here(*words, *value).code, 2)
        self.assertEqual(run_here("user", "passwd", "joe", "secret").code, 2)

    def test_data_folder_on_either_side(self) -> None:
        for words in COMMANDS[1:]:
            for line in (("--data-dir", "/dev/null/x", *words), (*words, "--data-dir=/dev/null/x")):
                with self.subTest(line=line):
                    result = run_here(*line)
                    self.assertEqual((result.code, result.out), (3, ""))
                    self.assertIn("/dev/null/x", result.err)
                    self.assertEqual(result.err.count("\n"), 1)

    def test_data_folder_as_the_server_has_it(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = Path(folder.name)
        for environ, expected in (
            ({"STATE_DIRECTORY": f"{path}/systemd"}, path / "systemd"),
            ({"XDG_STATE_HOME": f"{path}/xdg"}, path / "xdg" / "rotoclear"),
            ({"HOME": str(path)}, path / ".local" / "state" / "rotoclear"),
        ):
            with self.subTest(environ=environ):
                self.assertIn(f" {expected};", run_here("status", "--local", **environ).err)

    def test_data_folder_of_a_configuration(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        file = Path(folder.name) / "rotoclear.toml"
        file.write_text('[server]\ndata-dir = "/srv/nowhere"\n')
        self.assertIn(" /srv/nowhere;", run_here("status", "--config", str(file)).err)
        self.assertIn(
            " /srv/x;", run_here("status", "--config", str(file), "--data-dir=/srv/x").err
        )
        file.write_text("[server]\ndata-dri = 1\n")
        result = run_here("status", "--config", str(file))
        self.assertEqual(result.code, 3)
        self.assertIn("data-dri", result.err)
        self.assertEqual(result.err.count("\n"), 1)


class EndingTests(SynchronousTestCase):
    def test_as_a_process(self) -> None:
        self.assertEqual(run("--version"), run_here("--version"))
        self.assertEqual(run("user").code, 2)

    def test_broken_pipe(self) -> None:
        """``rotoclear --help | head -0``"""
        reading, writing = os.pipe()
        os.close(reading)
        with open(writing, "wb") as closed:
            for words in (("--help",), ("--version",)):
                done = subprocess.run(
                    [*PROGRAM, *words],
                    stdout=closed,
                    stderr=subprocess.PIPE,
                    env=environment(),
                    timeout=60,
                    check=False,
                )
                self.assertEqual((done.stderr, done.returncode), (b"", 0))

    def test_full_disk(self) -> None:
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [*PROGRAM, "--help"],
                stdout=full,
                stderr=subprocess.PIPE,
                env=environment(),
                timeout=60,
                check=False,
            )
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, b"rotoclear: [Errno 28] No space left on device\n")

    def test_interrupted(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        keyboard, terminal = pty.openpty()
        process = subprocess.Popen(
            [*PROGRAM, "user", "add", "joe", "--role", "viewer", "--data-dir", folder.name],
            stdin=terminal,
            stdout=subprocess.PIPE,
            stderr=terminal,
            env=environment(),
            start_new_session=True,
        )
        os.close(terminal)
        said = b""
        while b"New password for joe: " not in said:
            said += os.read(keyboard, 1000)
        # Somebody may have to press it twice: until the prompt is read, it may still be written.
        for _ in range(30):
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(2)
                break
        self.assertEqual(process.returncode, 130)
        try:
            said += os.read(keyboard, 1000)
        except OSError:  # the other end is closed
            pass
        os.close(keyboard)
        self.assertNotIn(b"Traceback", said)
        self.assertNotIn(b"KeyboardInterrupt", said)
        assert process.stdout is not None
        self.assertEqual(process.stdout.read(), b"")
        process.stdout.close()
