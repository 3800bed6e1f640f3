"""Lines on the control socket."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from tempfile import TemporaryDirectory

from twisted.trial.unittest import SynchronousTestCase

from rotoclear.control.wire import address, encode


class LineTests(SynchronousTestCase):
    def test_one_line(self) -> None:
        message = {"do": "user-add", "name": "Jürgen\n", "n": 1.5, "list": [None, True]}
        line = encode(message)
        self.assertEqual(line.count(b"\n"), 1)
        self.assertTrue(line.endswith(b"\n"))
        self.assertEqual(json.loads(line), message)

    def test_unsendable(self) -> None:
        self.assertRaises(ValueError, encode, {"a": float("nan")})
        self.assertRaises(TypeError, encode, {"a": b""})


class AddressTests(SynchronousTestCase):
    def test_short(self) -> None:
        with address(Path("/run/x/control.sock")) as name:
            self.assertEqual(name, "/run/x/control.sock")

    def test_a_path_of_any_length(self) -> None:
        temporary = TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        path = Path(temporary.name) / ("d" * 200) / "control.sock"
        path.parent.mkdir()
        descriptors = len(os.listdir("/proc/self/fd"))
        with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
            with address(path) as name:
                server.bind(name)
            server.listen()
            with address(path) as name:
                client.connect(name)
        self.assertTrue(path.is_socket())
        self.assertEqual(len(os.listdir("/proc/self/fd")), descriptors)

    def test_no_folder(self) -> None:
        with self.assertRaises(FileNotFoundError), address(Path("/" + "n" * 200) / "control.sock"):
            pass
