"""The log as JSON, and with the journal's fields."""

from __future__ import annotations

import io
import json
import socket
from pathlib import Path

import pytest
from twisted.logger import FileLogObserver, ILogObserver, Logger, LogLevel, LogPublisher
from twisted.python.failure import Failure

from rotoclear import logs
from rotoclear.config import Log
from tests.harness import Server


def logged(observer) -> Logger:
    """A logger whose events one observer gets."""
    return Logger("some.where", observer=LogPublisher(observer))


class TestJson:
    def lines(self, log) -> list[dict]:
        out = io.StringIO()
        log(logged(FileLogObserver(out, logs.line)))
        return [json.loads(line) for line in out.getvalue().splitlines()]

    def test_fields(self) -> None:
        (line,) = self.lines(
            lambda log: log.warn("{user} is {what}", user="ann", what=7, time="x", odd=object())
        )
        assert line.pop("time").endswith("Z")
        assert line == {
            "level": "warn",
            "logger": "some.where",
            "message": "ann is 7",
            "user": "ann",
            "what": 7,
            "field_time": "x",
        }

    def test_one_event_one_line(self) -> None:
        """Whatever is in it: nobody writes lines of his own."""
        text = 'a\n{"level": "info"}\r\u2028\ud800'
        (line,) = self.lines(lambda log: log.info("{text}", text=text))
        assert line["message"].startswith('a\n{"level"')

    def test_numbers_that_json_does_not_have(self) -> None:
        (line,) = self.lines(lambda log: log.info("x", a=float("nan"), b=float("inf"), c=0.5))
        assert line["c"] == 0.5
        assert not {"a", "b"} & line.keys()

    def test_traceback(self) -> None:
        def fail(log: Logger) -> None:
            log.failure("it failed", Failure(ZeroDivisionError("1 / 0")))

        (line,) = self.lines(fail)
        assert line["level"] == "critical"
        assert line["message"] == "it failed"
        assert "ZeroDivisionError: 1 / 0" in line["traceback"]

    def test_endless(self) -> None:
        (line,) = self.lines(lambda log: log.info("{text}", text="x" * 10**6))
        assert len(line["message"]) < 70_000


class TestJournal:
    def test_entry(self) -> None:
        sent: list[bytes] = []
        log = logged(logs.JournalObserver(sent.append))
        log.warn("login of {user}\nrefused", audit="login-refused", user="ann", none=None)
        (datagram,) = sent
        text = b"login of ann\nrefused"
        assert datagram == (
            b"MESSAGE\n" + len(text).to_bytes(8, "little") + text + b"\n"
            b"PRIORITY=4\nSYSLOG_IDENTIFIER=rotoclear\nROTOCLEAR_LOGGER=some.where\n"
            b"ROTOCLEAR_AUDIT=login-refused\nROTOCLEAR_USER=ann\n"
        )

    def test_the_journal_is_away(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Nothing is lost."""

        def away(datagram: bytes) -> None:
            raise FileNotFoundError

        logged(logs.JournalObserver(away)).info("something")
        assert "something" in capsys.readouterr().err

    def test_socket(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = str(tmp_path / "socket")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
            journal.bind(path)
            monkeypatch.setattr(logs, "JOURNAL", path)
            logged(logs.JournalObserver()).info("something")
            assert b"MESSAGE=something\n" in journal.recv(1000)


class TestChoice:
    def test_nothing_said(self) -> None:
        assert logs.observer(Log(), {}) is None

    def test_level(self, tmp_path: Path) -> None:
        file = tmp_path / "log"
        chosen = logs.observer(Log(format="json", level="warn"), {"logfile": str(file)})
        assert ILogObserver.providedBy(chosen)
        log = logged(chosen)
        for level in (LogLevel.debug, LogLevel.info, LogLevel.warn, LogLevel.error):
            log.emit(level, "x")
        levels = [json.loads(line)["level"] for line in file.read_text().splitlines()]
        assert levels == ["warn", "error"]

    def test_server(self, tmp_path: Path) -> None:
        """Every line that a server writes is JSON; who logs in is a field."""
        with Server(tmp_path, '[log]\nformat = "json"\n') as server:
            server.login()
            server.terminate()
            lines = [json.loads(line) for line in server.log_text().splitlines()]
        (login,) = (line for line in lines if line.get("audit") == "login")
        assert login["user"] == "admin"
        assert login["address"] == "127.0.0.1"
        assert any("is ready" in line["message"] for line in lines)
