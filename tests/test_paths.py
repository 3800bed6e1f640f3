"""The data folder."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from rotoclear.paths import (
    DataFolderBusy,
    DataFolderError,
    DataFolderLock,
    check_data_folder,
    data_folder,
    prepare_data_folder,
)


class WhichTests(SynchronousTestCase):
    def test_order(self):
        """Option or configuration, systemd's, the XDG state folder, its default."""
        environ = {"STATE_DIRECTORY": "/var/lib/a:/var/lib/b", "XDG_STATE_HOME": "/xdg"}
        self.assertEqual(data_folder("/here", environ), Path("/here"))
        self.assertEqual(data_folder(None, environ), Path("/var/lib/a"))
        del environ["STATE_DIRECTORY"]
        self.assertEqual(data_folder(None, environ), Path("/xdg/rotoclear"))
        home = Path.home() / ".local" / "state" / "rotoclear"
        self.assertEqual(data_folder(None, {}), home)
        self.assertEqual(data_folder(None, {"XDG_STATE_HOME": "relative"}), home)
        self.assertEqual(data_folder(None, {"STATE_DIRECTORY": ""}), home)

    def test_absolute(self):
        """twistd may change its working directory."""
        self.assertEqual(data_folder("data", {}), Path.cwd() / "data")
        self.assertEqual(data_folder("~/data", {}), Path.home() / "data")


class UseTests(SynchronousTestCase):
    def setUp(self):
        self.folder = Path(self.mktemp()).absolute() / "deep" / "data"

    def test_made_for_its_owner(self):
        before = os.umask(0)
        self.addCleanup(os.umask, before)
        prepare_data_folder(self.folder)
        self.assertEqual(stat.S_IMODE(self.folder.stat().st_mode), 0o700)
        prepare_data_folder(self.folder)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_check_changes_nothing(self):
        check_data_folder(self.folder)
        self.assertFalse(self.folder.parent.exists())
        prepare_data_folder(self.folder)
        check_data_folder(self.folder)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_unusable(self):
        """Below a file; /proc stands for a folder that nobody, not even root, may write."""
        self.folder.parent.mkdir(parents=True)
        self.folder.write_text("a file")
        for folder in (self.folder, self.folder / "x", Path("/proc/rotoclear"), Path("/proc")):
            for function in (prepare_data_folder, check_data_folder):
                if function is check_data_folder and folder == Path("/proc/rotoclear"):
                    continue  # access(2) says that root may
                with self.assertRaises(DataFolderError) as caught:
                    function(folder)
                self.assertIn(str(folder), str(caught.exception))
                self.assertNotIn("\n", str(caught.exception))


class LockTests(SynchronousTestCase):
    def setUp(self):
        self.folder = Path(self.mktemp()).absolute()
        prepare_data_folder(self.folder)

    def test_one_alone(self):
        lock = DataFolderLock.take(self.folder)
        self.assertEqual(stat.S_IMODE((self.folder / "lock").stat().st_mode), 0o600)
        with self.assertRaises(DataFolderBusy) as caught:
            DataFolderLock.take(self.folder)
        self.assertIn(f"{self.folder} is in use by another server", str(caught.exception))
        lock.release()
        lock.release()
        DataFolderLock.take(self.folder).release()

    def test_survives_the_fork(self):
        """A daemon's parent ends, and the lock is still held."""
        lock = DataFolderLock.take(self.folder)
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            os.close(writer)
            os.read(reader, 1)
            os._exit(0)
        os.close(reader)
        lock.release()
        self.assertRaises(DataFolderBusy, DataFolderLock.take, self.folder)
        os.close(writer)
        os.waitpid(child, 0)
        DataFolderLock.take(self.folder).release()

    def test_not_for_child_processes(self):
        """A driver that outlives a server which was killed does not keep the next one out."""
        lock = DataFolderLock.take(self.folder)
        child = subprocess.Popen(
            [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            close_fds=False,
        )
        self.addCleanup(child.communicate)
        child.stdout.readline()
        lock.release()
        DataFolderLock.take(self.folder).release()

    def test_no_symlink(self):
        (self.folder / "lock").symlink_to(self.folder / "elsewhere")
        self.assertRaises(DataFolderError, DataFolderLock.take, self.folder)
        self.assertFalse((self.folder / "elsewhere").exists())
