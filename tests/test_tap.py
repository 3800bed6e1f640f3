"""``twistd rotoclear``: its options; and that it starts, or says in one line why not."""

from __future__ import annotations

import os
import resource
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from twisted.application.service import Service
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from rotoclear import __version__
from rotoclear.config import Configuration, ConfigurationError
from rotoclear.errors import StartError
from rotoclear.listening.descriptions import ListenError
from rotoclear.paths import DataFolderBusy, DataFolderLock
from rotoclear.tap import Options, check, make, settle
from tests import twistd_stub
from tests.listening.pairs import make_pair
from tests.unprivileged import NOBODY, unprivileged

CHECKOUT = Path(__file__).parent.parent
LOOPBACK = "tcp:0:interface=127.0.0.1"


class Case(SynchronousTestCase):
    def setUp(self):
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir(parents=True)
        self.addCleanup(os.chdir, Path.cwd())
        os.chdir(self.folder)

    def busy_port(self):
        listening = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listening.close)
        return listening.getsockname()[1]


class SettleTests(Case):
    """Options, configuration and environment."""

    def settle(self, *arguments, environ=None):
        options = Options()
        options.parseOptions(arguments)
        return settle(options, environ or {"STATE_DIRECTORY": "/state"})

    def test_defaults(self):
        settled = self.settle()
        self.assertEqual(settled.configuration, Configuration())
        self.assertEqual(settled.listen, ("tcp:8080:interface=127.0.0.1",))
        self.assertEqual(settled.data_dir, Path("/state"))

    def test_configuration(self):
        Path("r.toml").write_text("[server]\nlisten = ['tcp:1']\ndata-dir = 'data'")
        settled = self.settle("--config", "r.toml")
        self.assertEqual(settled.listen, ("tcp:1",))
        self.assertEqual(settled.data_dir, self.folder / "data")

    def test_options_come_first(self):
        """--listen replaces the configuration's whole list."""
        Path("r.toml").write_text("[server]\nlisten = ['tcp:1', 'tcp:2']\ndata-dir = 'data'")
        settled = self.settle(
            "-c", "r.toml", "--listen", "tcp:3", "--listen", "unix:/s", "--data-dir", "other"
        )
        self.assertEqual(settled.listen, ("tcp:3", "unix:/s"))
        self.assertEqual(settled.data_dir, self.folder / "other")

    def test_bad_configuration(self):
        self.assertRaises(ConfigurationError, self.settle, "--config", "none.toml")

    def test_check(self):
        settled = self.settle("--data-dir", "d", "--listen", f"tcp:{self.busy_port()}")
        said = check(settled)
        self.assertIn("the configuration is good", said)
        self.assertIn(str(self.folder / "d"), said)
        self.assertFalse(Path("d").exists())

    def test_check_says_where(self):
        """An endpoint that is wrong is named with where it stands."""
        Path("r.toml").write_text("[server]\nlisten = ['tcp:x']")
        for arguments, source in (
            (("--config", "r.toml"), "r.toml: server.listen: tcp:x: port must be"),
            (("--listen", "tcp:x"), "--listen: tcp:x: port must be"),
        ):
            with self.assertRaises(ListenError) as caught:
                check(self.settle(*arguments))
            self.assertTrue(str(caught.exception).startswith(source), str(caught.exception))


class MakeTests(Case):
    """What is held, and what is let go when something fails."""

    def setUp(self):
        super().setUp()
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
        self.calls = []

    def make_service(self, *arguments):
        self.calls.append(arguments)
        return Service()

    def test_without_rights(self):
        """A key and folders that are somebody else's."""
        folder = Path(tempfile.mkdtemp())  # pytest's own folders are closed to others
        self.addCleanup(shutil.rmtree, folder)
        os.chdir(folder)
        (folder / "ours").mkdir()
        files = make_pair(folder)
        files.key.chmod(0)
        if os.geteuid() == 0:
            os.chown(folder / "ours", NOBODY, NOBODY)
        folder.chmod(0o555)
        tls = f"ssl:0:privateKey={files.key}:certKey={files.certificate}"
        for listen, data, words in (
            (tls, "ours/data", f"cannot read the private key {files.key}: Permission denied"),
            ("unix:s", "ours/data", f"the folder {folder} cannot be written"),
            (LOOPBACK, "mine", f"the data folder {folder / 'mine'} cannot be made"),
        ):
            with unprivileged(), self.assertRaises(StartError) as caught:
                self.make("--listen", listen, "--data-dir", data)
            self.assertIn(words, str(caught.exception))
        folder.chmod(0o755)

    def make(self, *arguments, make_service=None):
        options = Options()
        options.parseOptions(["--data-dir", "data", *arguments])
        server = make(MemoryReactorClock(), options, {}, make_service or self.make_service)
        self.addCleanup(server.lock.release)
        return server

    def test_made(self):
        server = self.make("--listen", LOOPBACK)
        ((_, configuration, data_dir, listeners),) = self.calls
        self.addCleanup(listeners[0].close)
        self.assertEqual(configuration, Configuration())
        self.assertEqual(data_dir, self.folder / "data")
        self.assertTrue(listeners[0].address.startswith("127.0.0.1:"))
        self.assertEqual(len(server.services), 1)
        self.assertRaises(DataFolderBusy, DataFolderLock.take, data_dir)

    def test_failure_lets_go(self):
        """The database may be broken: then neither ports, nor files, nor the lock stay."""

        def fail(reactor, configuration, data_dir, listeners):
            self.calls.append(listeners)
            raise StartError("the database is broken")

        for _ in range(2):
            said = self.assertRaises(StartError, self.make, "--listen", "unix:s", make_service=fail)
            self.assertEqual(str(said), "the database is broken")
            self.assertFalse(Path("s").exists())
            self.assertEqual(self.calls.pop()[0].socket.fileno(), -1)

    def test_busy(self):
        self.make("--listen", LOOPBACK)
        self.addCleanup(self.calls[0][3][0].close)
        self.assertRaises(DataFolderBusy, self.make, "--listen", LOOPBACK)

    def test_other_user(self):
        """twistd would change its user after the files were made."""
        options = Options()
        options.parent = {"uid": 65534}
        said = self.assertRaises(StartError, make, None, options, {}, self.make_service)
        self.assertIn("--uid is not supported", str(said))


class ProcessTests(Case):
    """twistd itself."""

    def setUp(self):
        super().setUp()
        path = os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get("PYTHONPATH")]))
        self.environ = {**os.environ, "PYTHONPATH": path, "XDG_STATE_HOME": "/proc/nowhere"}
        self.environ.pop("STATE_DIRECTORY", None)
        # Whoever has inherited the pipe lives: its end tells that all of them are gone.
        self.alive, self._writer = os.pipe()
        self.addCleanup(os.close, self.alive)

    def tearDown(self):
        if self._writer >= 0:
            os.close(self._writer)

    def command(self, *arguments):
        return [sys.executable, twistd_stub.__file__, *arguments]

    def run_twistd(self, *arguments, **options):
        return subprocess.run(
            self.command(*arguments),
            capture_output=True,
            text=True,
            env=self.environ,
            timeout=60,
            check=False,
            pass_fds=[self._writer],
            **options,
        )

    def gone(self):
        os.close(self._writer)
        self._writer = -1
        self.assertTrue(select.select([self.alive], [], [], 60)[0], "it is still alive")
        self.assertEqual(os.read(self.alive, 1), b"")

    def assert_refused(self, result, *words):
        """One clear line on stderr, a non-zero exit, nothing else, no trace of a server."""
        self.assertEqual((result.returncode, result.stdout), (1, ""), result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        for word in ("rotoclear: ", *words):
            self.assertIn(word, result.stderr)
        self.assertFalse(Path("twistd.pid").exists())
        self.assertFalse(Path("twistd.log").exists())
        self.gone()

    def port_of(self, log):
        for line in log:
            if "Listening at 127.0.0.1:" in line:
                return int(line.split("127.0.0.1:")[1].split()[0])
        raise AssertionError("it does not listen")

    def get(self, port):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as answer:
            return answer.read()

    def test_foreground(self):
        """It serves, takes SIGHUP for what it is, and goes when it is told to."""
        with subprocess.Popen(
            self.command("-n", "rotoclear", "--listen", LOOPBACK, "--data-dir", "data"),
            stdout=subprocess.PIPE,
            text=True,
            env=self.environ,
        ) as process:
            port = self.port_of(process.stdout)
            self.assertEqual(self.get(port), twistd_stub.HELLO)
            process.send_signal(signal.SIGHUP)
            for line in process.stdout:
                if "SIGHUP" in line:
                    break
            self.assertEqual(self.get(port), twistd_stub.HELLO)
            process.terminate()
            rest = process.stdout.read()
            self.assertIn("Server Shut Down", rest)
            self.assertNotIn("Traceback", rest)

    def test_daemon(self):
        """The sockets that were opened before the fork are served after it."""
        result = self.run_twistd("rotoclear", "--listen", LOOPBACK, "--data-dir", "data")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        pid = int(Path("twistd.pid").read_text())
        self.addCleanup(self.gone)
        try:
            log = Path("twistd.log").read_text()
            self.assertEqual(self.get(self.port_of(log.splitlines())), twistd_stub.HELLO)
            # The lock has survived the fork, too.
            busy = self.run_twistd(
                "--pidfile=", "rotoclear", "--listen", LOOPBACK, "--data-dir", "data"
            )
            self.assertEqual(busy.returncode, 1)
            self.assertIn("is in use by another server", busy.stderr)
            self.assertEqual(len(busy.stderr.splitlines()), 1)
        finally:
            os.kill(pid, signal.SIGTERM)

    def test_relative_paths(self):
        """They are relative to where twistd was called, also with --rundir."""
        files = make_pair(self.folder)
        endpoint = f"ssl:0:{files.key.name}:{files.certificate.name}:interface=127.0.0.1"
        with subprocess.Popen(
            self.command(
                *("-n", "--rundir=/", "--pidfile=", "rotoclear", "--data-dir=data"),
                *("--listen", endpoint, "--listen", "unix:s"),
            ),
            stdout=subprocess.PIPE,
            text=True,
            env=self.environ,
        ) as process:
            for line in process.stdout:
                if "Listening at /" in line:
                    break
            process.send_signal(signal.SIGHUP)
            for line in process.stdout:
                if "taken over" in line or "rror" in line:
                    break
            self.assertIn("taken over", line)
            self.assertTrue(Path("s").is_socket())
            self.assertTrue(Path("data/lock").exists())
            process.terminate()
            process.stdout.read()

    def test_systemd(self):
        """A socket of systemd's is served, although Twisted has been at its variables before."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]  # the tool has no way to say what it has chosen
        with subprocess.Popen(
            [
                *("systemd-socket-activate", f"--listen=127.0.0.1:{port}", "--fdname=http"),
                *(f"--setenv={name}={self.environ[name]}" for name in ("PYTHONPATH", "PATH")),
                *self.command("-n", "rotoclear", "--listen", "systemd:name=http"),
                *("--data-dir", "data"),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            self.assertIn("Listening on", process.stderr.readline())
            self.assertEqual(self.get(port), twistd_stub.HELLO)
            process.terminate()
            self.assertIn("systemd:name=http", process.communicate()[0])

    def test_busy_port(self):
        port = self.busy_port()
        endpoint = f"tcp:{port}:interface=127.0.0.1"
        result = self.run_twistd("rotoclear", "--data-dir", "data", "--listen", endpoint)
        self.assert_refused(result, f"--listen: {endpoint}: port {port} is in use already")

    def test_no_key(self):
        result = self.run_twistd(
            *("rotoclear", "--data-dir", "data", "--listen", "ssl:0:privateKey=none.pem")
        )
        self.assert_refused(result, f"cannot read the private key {self.folder / 'none.pem'}")

    def test_wrong_setting(self):
        Path("r.toml").write_text("[limits]\nstall = 0")
        result = self.run_twistd("rotoclear", "--config", "r.toml")
        self.assert_refused(result, "r.toml: limits.stall: must be a number from 1 to 3600, not 0")

    def test_unusable_folder(self):
        result = self.run_twistd(
            *("rotoclear", "--data-dir", "/proc/rotoclear", "--listen", LOOPBACK)
        )
        self.assert_refused(result, "the data folder /proc/rotoclear cannot be made")

    def test_check(self):
        """Good or not, in one line; also while a server runs here, whose PID file is found."""
        Path("twistd.pid").write_text(str(os.getpid()))
        Path("good.toml").write_text("[server]\ndata-dir = 'data'")
        Path("bad.toml").write_text("[server]\ndata-dir = 5")
        good = self.run_twistd("rotoclear", "--check", "--config", "good.toml")
        self.assertEqual((good.returncode, good.stderr), (0, ""))
        self.assertEqual(len(good.stdout.splitlines()), 1)
        self.assertIn("good.toml is good", good.stdout)
        bad = self.run_twistd("rotoclear", "--config", "bad.toml", "--check")
        self.assertEqual((bad.returncode, bad.stdout), (1, ""))
        self.assertEqual(
            bad.stderr,
            "rotoclear: bad.toml: server.data-dir: must be text in quotes, not empty, not 5\n",
        )
        self.assertFalse(Path("data").exists())

    def test_version_and_help(self):
        result = self.run_twistd("rotoclear", "--version")
        self.assertEqual((result.returncode, result.stdout), (0, f"rotoclear {__version__}\n"))
        result = self.run_twistd("rotoclear", "--help")
        self.assertEqual(result.returncode, 0)
        for option in ("--config", "--listen", "--data-dir", "--check"):
            self.assertIn(option, result.stdout)

    def test_unknown_option(self):
        for wrong in ("--bogus", "bogus"):
            result = self.run_twistd("rotoclear", wrong)
            self.assertEqual((result.returncode, result.stdout), (1, ""))
            self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
            self.assertIn("--help lists the options", result.stderr)
