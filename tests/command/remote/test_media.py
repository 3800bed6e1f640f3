"""Taking pictures, listing and fetching what is stored."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from unittest import mock

from twisted.trial.unittest import SynchronousTestCase

from rotoclear.client import Disconnected, NotAvailable
from rotoclear.command.remote.progress import Bar, bytes_shown, progress_line, time_shown
from tests.command.remote.played import PlayedClient, PlayedTestCase


class MediaTestCase(PlayedTestCase):
    """Somebody who is logged in, in a folder of their own."""

    def setUp(self) -> None:
        super().setUp()
        here = Path.cwd()
        self.folder = self.home / "here"
        self.folder.mkdir()
        os.chdir(self.folder)
        self.addCleanup(os.chdir, here)
        self.login()

    def files(self) -> dict[str, bytes]:
        """What is in the folder."""
        return {path.name: path.read_bytes() for path in self.folder.iterdir()}


class SnapTests(MediaTestCase):
    def test_prints_the_id(self) -> None:
        self.assertEqual(self.good("snap").strip(), self.server.entries[0].id)
        self.assertEqual(self.server.told, [{"snap": True}])
        told = json.loads(self.good("snap", "--json"))
        self.assertEqual(told, {"id": self.server.entries[0].id})
        self.assertEqual(self.files(), {})

    def test_fetches_it(self) -> None:
        self.assertEqual(self.good("snap", "--output", "part.jpg"), "")
        self.assertEqual(self.files(), {"part.jpg": b"\xff\xd8"})
        told = json.loads(self.good("snap", "-o", "part.jpg", "--force", "--json"))
        self.assertEqual(told["file"], "part.jpg")

    def test_takes_none_that_has_no_place(self) -> None:
        (self.folder / "part.jpg").write_bytes(b"old")
        self.assertIn("--force", self.refused(1, "snap", "-o", "part.jpg"))
        self.assertIn("no folder", self.refused(1, "snap", "-o", "nothing/part.jpg"))
        self.assertEqual(self.server.told, [])
        self.assertEqual(self.files(), {"part.jpg": b"old"})


class ListTests(MediaTestCase):
    def setUp(self) -> None:
        super().setUp()
        for number in range(7):
            self.server.picture(number)
        self.server.picture(7, "recordings", b"film")

    def test_newest_first(self) -> None:
        lines = self.good("snapshots", TZ="UTC").splitlines()
        self.assertEqual(lines[0].split(), ["ID", "BEGUN", "SIZE", "PICTURE", "VOLUME", "STATE"])
        self.assertEqual(len(lines), 8)
        ids = [entry.id for entry in self.server.entries if entry.kind == "snapshots"]
        self.assertEqual([line.split()[0] for line in lines[1:]], ids)
        films = self.good("recordings").splitlines()
        self.assertEqual(len(films), 2)
        self.assertIn("0:03", films[1])

    def test_how_many(self) -> None:
        self.assertEqual(len(self.good("snapshots", "--limit", "5").splitlines()), 6)
        self.assertEqual(len(json.loads(self.good("snapshots", "--all", "--json"))), 7)
        for words in (("--limit", "0"), ("--limit", "x"), ("--limit", "5", "--all")):
            self.assertEqual(self.run_command("snapshots", *words).code, 2)

    def test_json(self) -> None:
        (film,) = json.loads(self.good("recordings", "--json"))
        self.assertEqual(film["began"], "2026-11-24T09:30:07.000Z")
        self.assertEqual((film["size"], film["available"]), (4, True))

    def test_none(self) -> None:
        self.server.entries.clear()
        self.assertEqual(self.good("recordings"), "")
        self.assertEqual(json.loads(self.good("recordings", "--json")), [])


class DownloadTests(MediaTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.picture = self.server.picture(1, content=b"picture")
        self.film = self.server.picture(2, "recordings", b"film")

    def test_by_its_own_name(self) -> None:
        self.assertEqual(self.good("download", self.film.id).strip(), self.film.name)
        self.good("download", self.picture.id)
        self.assertEqual(self.files(), {self.film.name: b"film", self.picture.name: b"picture"})

    def test_newest(self) -> None:
        self.good("download", "last-recording", "last-snapshot")
        self.assertEqual(len(self.files()), 2)
        self.server.values["last-recording"] = ""
        self.assertIn("no recordings yet", self.refused(1, "download", "last-recording"))

    def test_elsewhere(self) -> None:
        (self.folder / "films").mkdir()
        self.good("download", self.film.id, "--output", "films")
        self.assertEqual((self.folder / "films" / self.film.name).read_bytes(), b"film")
        told = json.loads(self.good("download", self.film.id, "-o", "film.mp4", "--json"))
        self.assertEqual(told, {"id": self.film.id, "file": "film.mp4", "size": 4})
        self.assertEqual((self.folder / "film.mp4").read_bytes(), b"film")
        text = self.refused(2, "download", self.film.id, self.picture.id, "-o", "film.mp4")
        self.assertIn("folder", text)
        self.assertIn("no folder", self.refused(1, "download", self.film.id, "-o", "no/film.mp4"))

    def test_replaces_nothing_unasked(self) -> None:
        (self.folder / self.film.name).write_bytes(b"old")
        self.assertIn("--force", self.refused(1, "download", self.film.id))
        self.assertIn("--force", self.refused(1, "download", self.film.id, "-o", self.film.name))
        self.assertEqual(self.files(), {self.film.name: b"old"})
        self.good("download", self.film.id, "--force")
        self.assertEqual(self.files(), {self.film.name: b"film"})

    def test_to_standard_output(self) -> None:
        self.assertEqual(self.good("download", self.film.id, "--output", "-"), "film")
        self.assertEqual(self.files(), {})

    def test_unknown(self) -> None:
        for id_ in ("20261124T093005Z-45e2ab2e", "../../etc/passwd"):
            text = self.refused(1, "download", id_)
            self.assertIn("rotoclear recordings", text)

    def test_what_cannot_be_had(self) -> None:
        for error, code in (
            (NotAvailable("Not available", message="Its volume is not there"), 1),
            (Disconnected("The connection broke"), 3),
            (PermissionError(13, "Permission denied", "x"), 1),
            (OSError(28, "No space left on device"), 1),
        ):
            with mock.patch.object(PlayedClient, "download", side_effect=error):
                self.refused(code, "download", self.film.id)

    def test_goes_on_after_losses(self) -> None:
        """The library does it only if it may connect again."""
        calls: list[bool] = []
        client = self.server.client

        def new(target: object, *, reconnect: bool) -> PlayedClient:
            calls.append(reconnect)
            return client(target, reconnect=reconnect)  # type: ignore[arg-type]

        with mock.patch("rotoclear.command.remote.session.new_client", new):
            self.good("download", self.film.id)
            self.good("record", "on")
        self.assertEqual(calls, [True, False])


class ProgressTests(SynchronousTestCase):
    def test_words(self) -> None:
        for number, words in (
            (0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (999_600, "1.0 MB"),
            (12_400_000, "12.4 MB"), (4_000_000_000, "4.0 GB"), (4_000_000_000_000, "4000.0 GB"),
        ):  # fmt: skip
            self.assertEqual(bytes_shown(number), words)
        for seconds, words in ((0, "0:00"), (8.2, "0:08"), (3723, "1:02:03")):
            self.assertEqual(time_shown(seconds), words)

    def test_line(self) -> None:
        self.assertEqual(
            progress_line("film.mp4", 3_000_000, 12_000_000, 1_000_000.0),
            "[#####               ]   25 %  3.0 MB of 12.0 MB  1.0 MB/s  0:09 left  film.mp4",
        )
        self.assertIn("100 %", progress_line("empty", 0, 0, 0.0))

    def test_bar(self) -> None:
        out, now = io.StringIO(), [100.0]
        bar = Bar(out, "fi\x1blm.mp4", lambda: now[0], lambda: 40)
        bar.update(5_000_000, 10_000_000)  # of an earlier attempt
        now[0] += 0.01
        bar.update(5_100_000, 10_000_000)  # too soon to be looked at
        now[0] += 0.99
        bar.update(6_000_000, 10_000_000)
        now[0] += 0.01
        bar.update(10_000_000, 10_000_000)  # the last is shown, however soon
        bar.end()
        lines = out.getvalue().split("\r")[1:]
        self.assertEqual(len(lines), 3)
        self.assertTrue(all(len(line.split("\x1b[K")[0]) < 40 for line in lines))
        self.assertNotIn("\x1blm", out.getvalue())
        self.assertTrue(out.getvalue().endswith("\n"))

    def test_rate_is_of_this_attempt(self) -> None:
        out, now = io.StringIO(), [100.0]
        bar = Bar(out, "film.mp4", lambda: now[0], lambda: 200)
        bar.update(5_000_000, 10_000_000)
        now[0] += 1.0
        bar.update(6_000_000, 10_000_000)
        self.assertIn("1.0 MB/s  0:04 left", out.getvalue())
