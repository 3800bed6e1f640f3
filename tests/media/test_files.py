"""What is done to the files of a volume, and the process that does it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults

from rotoclear.media.files import shelf as shelves
from rotoclear.media.files.folder import Folder, Refusal
from rotoclear.media.files.shelf import (
    FileBusy,
    FileDamaged,
    FileError,
    FileMissing,
    Shelf,
    ShelfFailed,
)
from tests.media.making import film, frames_of

NAME = "2026/11/24/rotoclear-20261124-093005.mp4"


class TestFolder:
    def test_reads(self, tmp_path: Path) -> None:
        (tmp_path / "a.mp4").write_bytes(b"0123456789")
        folder = Folder(tmp_path)
        opened = folder.open("a.mp4")
        assert opened.size == 10
        assert folder.read(opened.handle, 3, 4) == b"3456"
        assert folder.read(opened.handle, 8, 4) == b"89"
        folder.close(opened.handle)
        with pytest.raises(Refusal):
            folder.read(opened.handle, 0, 1)

    @pytest.mark.parametrize("name", ["../a.mp4", "/etc/passwd", "", "x/../../a.mp4", "a\0b"])
    def test_keeps_within(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "volume").mkdir()
        (tmp_path / "a.mp4").write_bytes(b"secret")
        folder = Folder(tmp_path / "volume")
        for action in (folder.open, folder.remove, folder.digest, folder.adopt):
            with pytest.raises((Refusal, OSError)):
                action(name)
        assert (tmp_path / "a.mp4").exists()

    def test_follows_no_link(self, tmp_path: Path) -> None:
        (tmp_path / "volume").mkdir()
        (tmp_path / "secret").write_bytes(b"secret")
        (tmp_path / "volume" / "a.mp4").symlink_to(tmp_path / "secret")
        (tmp_path / "volume" / "out").symlink_to(tmp_path)
        folder = Folder(tmp_path / "volume")
        for name in ("a.mp4", "out/secret"):
            with pytest.raises((Refusal, OSError)):
                folder.open(name)
        with pytest.raises(Refusal):
            folder.remove("out/secret")
        assert (tmp_path / "secret").exists()

    def test_pipe_is_no_file(self, tmp_path: Path) -> None:
        """To open one would wait for ever."""
        os.mkfifo(tmp_path / "a.mp4")
        os.mkfifo(tmp_path / "b.mp4.part")
        folder = Folder(tmp_path)
        for action in (folder.open, folder.digest, folder.adopt):
            with pytest.raises(Refusal) as caught:
                action("a.mp4")
            assert caught.value.kind == "damaged"
        with pytest.raises(Refusal):
            folder.adopt("b.mp4")

    def test_handles_have_an_end(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("rotoclear.media.files.folder.MAX_OPEN", 2)
        (tmp_path / "a").write_bytes(b"")
        folder = Folder(tmp_path)
        first = folder.open("a")
        folder.open("a")
        with pytest.raises(Refusal):
            folder.open("a")
        folder.close(first.handle)
        folder.open("a")

    def test_removes_empty_folders(self, tmp_path: Path) -> None:
        for day in ("24", "25"):
            (tmp_path / "2026/11" / day).mkdir(parents=True)
            (tmp_path / "2026/11" / day / "a.mp4").write_bytes(b"")
        folder = Folder(tmp_path)
        folder.remove("2026/11/24/a.mp4")
        assert [path.name for path in (tmp_path / "2026/11").iterdir()] == ["25"]
        folder.remove("2026/11/25/a.mp4")
        assert tmp_path.exists()
        assert list(tmp_path.iterdir()) == []
        folder.remove("2026/11/25/a.mp4")  # it is removed already
        (tmp_path / "2026").write_bytes(b"")
        folder.remove("2026/11/25/a.mp4")  # and can be there no more
        assert (tmp_path / "2026").exists()

    def test_removes_what_was_not_closed(self, tmp_path: Path) -> None:
        """Unless someone still writes it, or makes a film of it."""
        path, part = tmp_path / NAME, tmp_path / (NAME + ".part")
        part.parent.mkdir(parents=True)
        part.write_bytes(b"film")
        folder = Folder(tmp_path)
        with part.open("rb") as writer:
            fcntl.flock(writer, fcntl.LOCK_EX)
            with pytest.raises(Refusal) as caught:
                folder.remove(NAME, unfinished=True)
            assert caught.value.kind == "busy"
        folder.remove(NAME)
        assert part.exists()
        folder.remove(NAME, unfinished=True)
        assert list(tmp_path.iterdir()) == []
        path.parent.mkdir(parents=True)
        path.write_bytes(b"it has got its name meanwhile")
        folder.remove(NAME, unfinished=True)
        assert list(tmp_path.iterdir()) == []

    def test_pictures_that_were_never_whole(self, tmp_path: Path) -> None:
        """A crash has left one; another one is being written."""
        left, whole, busy = (
            tmp_path / "2026/11/24" / name for name in ("a.jpg.part", "b.jpg", "c.jpg.part")
        )
        left.parent.mkdir(parents=True)
        for path in (left, whole, busy):
            path.write_bytes(b"picture")
        with busy.open("rb") as writer:
            fcntl.flock(writer, fcntl.LOCK_EX)
            assert Folder(tmp_path).parts() == []
        assert not left.exists()
        assert whole.exists()
        assert busy.exists()

    def test_sizes(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(b"123")
        (tmp_path / "loop").symlink_to("loop")
        assert Folder(tmp_path).sizes(["a", "b", "a/b", "loop"]) == [3, -1, -1, None]


class TestAdopt:
    def test_cut_off(self, tmp_path: Path) -> None:
        part = film(tmp_path / (NAME + ".part"), 100, closed=False)
        whole = frames_of(part)
        with part.open("ab") as file:
            file.write(b"\0\0\7\0moof and then the power went")
        os.utime(part, (1e9, 1e9))
        folder = Folder(tmp_path)
        assert folder.parts() == [NAME]
        adopted = folder.adopt(NAME)
        assert adopted is not None
        assert adopted.cut
        assert (adopted.frames, adopted.width) == (whole, 64)
        assert adopted.modified == 1e9
        assert frames_of(tmp_path / NAME) == whole
        assert adopted.size == (tmp_path / NAME).stat().st_size
        assert folder.parts() == []

    def test_closed(self, tmp_path: Path) -> None:
        path = film(tmp_path / NAME, 50)
        before = path.read_bytes()
        adopted = Folder(tmp_path).adopt(NAME)
        assert adopted is not None
        assert (adopted.cut, adopted.frames, adopted.duration) == (False, 50, 2.0)
        assert path.read_bytes() == before

    def test_closed_without_a_name(self, tmp_path: Path) -> None:
        """Its writer has outlived the engine."""
        before = film(tmp_path / (NAME + ".part"), 50).read_bytes()
        adopted = Folder(tmp_path).adopt(NAME)
        assert adopted is not None
        assert (adopted.cut, adopted.frames, adopted.duration) == (False, 50, 2.0)
        assert (tmp_path / NAME).read_bytes() == before

    @pytest.mark.parametrize("content", [b"", b"nothing", None])
    def test_nothing_to_play(self, tmp_path: Path, content: bytes | None) -> None:
        part = tmp_path / (NAME + ".part")
        if content is None:
            content = film(part, 100, closed=False).read_bytes()[:1000]
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        assert Folder(tmp_path).adopt(NAME) is None
        assert not part.exists()

    def test_gone(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            Folder(tmp_path).adopt(NAME)

    def test_damaged(self, tmp_path: Path) -> None:
        (tmp_path / "a.mp4").write_bytes(b"garbage")
        with pytest.raises(Refusal) as caught:
            Folder(tmp_path).adopt("a.mp4")
        assert caught.value.kind == "damaged"
        assert (tmp_path / "a.mp4").exists()

    def test_still_being_written(self, tmp_path: Path) -> None:
        part = film(tmp_path / (NAME + ".part"), 50, closed=False)
        with part.open("r+b") as writer:
            fcntl.flock(writer, fcntl.LOCK_EX)
            with pytest.raises(Refusal) as caught:
                Folder(tmp_path).adopt(NAME)
            assert caught.value.kind == "busy"
        assert part.exists()

    @pytest.mark.parametrize("end", ["closes", "removes", "dies"])
    def test_waits_for_the_writer(self, tmp_path: Path, end: str) -> None:
        """Whatever that does in the end, while it is waited for."""
        part = film(tmp_path / (NAME + ".part"), 50, closed=end == "closes")
        script = (
            "import fcntl, sys, os\n"
            "file = open(sys.argv[1], 'r+b'); fcntl.flock(file, fcntl.LOCK_EX)\n"
            "print('locked', flush=True); sys.stdin.readline()\n"
            "end = sys.argv[2]\n"
            "if end == 'closes': os.rename(sys.argv[1], sys.argv[1][:-5])\n"
            "if end == 'removes': os.unlink(sys.argv[1])\n"
            "if end == 'dies': os._exit(1)\n"
            "print('done', flush=True); sys.stdin.readline()\n"  # it still has the lock
        )
        with subprocess.Popen(
            [sys.executable, "-c", script, str(part), end],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as writer:
            assert writer.stdout is not None
            assert writer.stdin is not None
            assert writer.stdout.readline() == "locked\n"
            found: list[Any] = []
            thread = threading.Thread(target=lambda: found.append(Folder(tmp_path).adopt(NAME, 30)))
            thread.start()
            thread.join(0.3)
            assert not found, "it waits"
            writer.stdin.write("go on\n")
            writer.stdin.flush()
            thread.join(20)
            writer.stdin.close()
        (adopted,) = found
        if end == "removes":
            assert adopted is None
        else:
            assert adopted.cut == (end == "dies")
            assert frames_of(tmp_path / NAME) == adopted.frames


# -- the process --------------------------------------------------------------


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    shelf = Shelf(reactor, str(tmp_path))
    yield shelf
    shelf.stop()


def pid_of(shelf: Shelf) -> int:
    child = shelf._child  # the one thing that only a test wants to know
    assert child is not None
    assert child.pid is not None
    return child.pid


def ended(pid: int) -> Deferred[None]:
    """Fires when the process has been reaped."""
    done: Deferred[None] = Deferred()

    def look() -> None:
        if Path(f"/proc/{pid}").exists():
            reactor.callLater(0.02, look)  # type: ignore[attr-defined]
        else:
            done.callback(None)

    look()
    return done


Test = Generator[Any, Any, None]


def inlined(function: Callable[..., Test]) -> Callable[..., Any]:
    return pytest_twisted.inlineCallbacks(function)


class TestShelf:
    @inlined
    def test_reads(self, tmp_path: Path, shelf: Shelf) -> Test:
        content = os.urandom(300_000)
        (tmp_path / "a.mp4").write_bytes(content)
        file = yield shelf.open("a.mp4")
        assert file.size == 300_000
        pieces = yield gatherResults([file.read(n * 100_000, 100_000) for n in range(3)])
        assert b"".join(pieces) == content
        file.close()
        file.close()
        digest = yield shelf.digest("a.mp4")
        assert digest == hashlib.sha256(content).hexdigest()
        (tmp_path / "a.mp4.part").write_bytes(b"")
        yield shelf.remove("a.mp4")
        assert [path.name for path in tmp_path.iterdir()] == ["a.mp4.part"]
        yield shelf.remove("a.mp4", unfinished=True)
        assert list(tmp_path.iterdir()) == []

    @inlined
    def test_refusals(self, tmp_path: Path, shelf: Shelf) -> Test:
        (tmp_path / "a.mp4").write_bytes(b"garbage")
        (tmp_path / "b.mp4.part").write_bytes(b"garbage")
        with (tmp_path / "b.mp4.part").open("r+b") as writer:
            fcntl.flock(writer, fcntl.LOCK_EX)
            for asked, kind in (
                (shelf.open("c.mp4"), FileMissing),
                (shelf.adopt("c.mp4"), FileMissing),
                (shelf.adopt("a.mp4"), FileDamaged),
                (shelf.adopt("b.mp4", 0), FileBusy),
                (shelf.open("../a.mp4"), FileError),
            ):
                with pytest.raises(kind) as caught:
                    yield asked
                assert type(caught.value) is kind, "it is about one file only"

    @inlined
    def test_killed(self, tmp_path: Path, shelf: Shelf) -> Test:
        """What is open is lost, and belongs to nobody else afterwards; the next one works."""
        (tmp_path / "a.mp4").write_bytes(b"first")
        (tmp_path / "b.mp4").write_bytes(b"other")
        first = yield shelf.open("a.mp4")
        os.kill(pid_of(shelf), signal.SIGKILL)
        with pytest.raises(ShelfFailed):
            yield first.read(0, 5)
        other = yield shelf.open("b.mp4")
        with pytest.raises(FileError):
            yield first.read(0, 5)
        first.close()
        assert (yield other.read(0, 5)) == b"other"

    @inlined
    def test_hangs(self, tmp_path: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> Test:
        """Everybody is told after a while, it is killed, and the next one works."""
        (tmp_path / "a.mp4").write_bytes(b"12345")
        file = yield shelf.open("a.mp4")
        monkeypatch.setattr(shelves, "LIMIT", 0.3)
        pid = pid_of(shelf)
        os.kill(pid, signal.SIGSTOP)
        read, listed = file.read(0, 5), shelf.parts()
        for asked in (read, listed):
            with pytest.raises(ShelfFailed, match="does not answer"):
                yield asked
        # Until the kernel has let go of it, there is no use in another one.
        with pytest.raises(ShelfFailed, match="does not answer"):
            yield shelf.parts()
        yield ended(pid)
        monkeypatch.setattr(shelves, "LIMIT", 20)
        again = yield shelf.open("a.mp4")
        assert (yield again.read(0, 5)) == b"12345"

    @inlined
    def test_what_takes_long_holds_up_nothing(self, tmp_path: Path, shelf: Shelf) -> Test:
        for name in "abcdef":
            (tmp_path / f"{name}.mp4.part").write_bytes(b"")
        (tmp_path / "a.mp4").write_bytes(b"12345")
        with (tmp_path / "b.mp4.part").open("r+b") as writer:
            fcntl.flock(writer, fcntl.LOCK_EX)
            waiting = shelf.adopt("b.mp4", 60)
            others = [shelf.digest("a.mp4") for _ in range(8)]
            file = yield shelf.open("a.mp4")
            assert (yield file.read(0, 5)) == b"12345"
            assert not waiting.called
            assert not others[0].called
        yield waiting
        yield gatherResults(others)

    @inlined
    def test_ends_when_it_is_not_needed(
        self, tmp_path: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
    ) -> Test:
        monkeypatch.setattr(shelves, "IDLE", 0.1)
        (tmp_path / "a.mp4").write_bytes(b"12345")
        file = yield shelf.open("a.mp4")
        pid = pid_of(shelf)
        reactor.callLater(0.5, file.close)  # type: ignore[attr-defined]
        yield file.read(0, 1)
        yield ended(pid)
        assert file._closed, "not before the last file was closed"
        assert (yield shelf.parts()) == []

    @inlined
    def test_volume_gone(self, tmp_path: Path, shelf: Shelf) -> Test:
        (tmp_path / "a.mp4").write_bytes(b"12345")
        file = yield shelf.open("a.mp4")
        pid = pid_of(shelf)
        reading = file.read(0, 5)
        shelf.stop()
        with pytest.raises(ShelfFailed, match="gone"):
            yield reading
        yield ended(pid)
        file.close()
