"""Debian's Chromium, and pages in it that run an example."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.harness import Script, TimedOut, holds

HERE = Path(__file__).resolve().parent
NODE_MODULES = HERE / "node_modules"


class Page:
    """
    A page of its own profile in which an example runs.

    What it printed waits in order, to be taken with :meth:`until`.
    """

    def __init__(self, browser: Browser, name: str) -> None:
        self._browser = browser
        self.name = name

    def evaluate(self, expression: str) -> Any:
        """The value of an expression; a promise is waited for."""
        return self._browser.order("evaluate", page=self.name, expression=expression)

    def wait(self, expression: str) -> None:
        """Wait until an expression is true."""
        self._browser.order("wait", page=self.name, expression=expression)

    def click(self, text: str) -> None:
        """Click the button with that text."""
        self._browser.order("click", page=self.name, text=text)

    def until_logged(self, *wanted: object, kind: str = "log", exactly: bool = False) -> list[Any]:
        """
        Wait for a ``console.log`` of these values.

        :param exactly: these and no more; else :func:`tests.harness.holds` decides.
        """

        def fits(values: list[Any]) -> bool:
            if exactly:
                return values == list(wanted)
            return len(values) >= len(wanted) and all(map(holds, values, wanted))

        return self.until(fits, kind=kind)

    def until(self, fits: Callable[[list[Any]], bool], kind: str = "log") -> list[Any]:
        """Wait for a ``console.log`` (or ``error``, or ``uncaught``) that fits."""
        line = self._browser.until(
            lambda line: line.get("page") == self.name and kind in line and fits(line[kind])
        )
        values: list[Any] = line[kind]
        return values

    def reports(self, kind: str = "log") -> list[Any]:
        """Everything that it has printed up to now."""
        self.evaluate("0")
        return [
            line[kind]
            for line in self._browser.lines
            if line.get("page") == self.name and kind in line
        ]


class Browser:
    """One Chromium for all; pages are cheap, it is not."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._ids = itertools.count(1)
        self._taken: set[int] = set()
        self.lines: list[dict[str, Any]] = script.seen

    def order(self, do: str, **order: object) -> Any:
        """Have the runner do something; return what came of it."""
        number = next(self._ids)
        self._script.send({"id": number, "do": do, **order})
        reply = self._script.until(lambda line: line.get("reply") == number)
        assert "failed" not in reply, f"{do} {order}: {reply['failed']}"
        return reply["value"]

    def until(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first line not yet taken that fits, said already or still to come."""
        start = 0
        while True:
            for index in range(start, len(self.lines)):
                if index not in self._taken and fits(self.lines[index]):
                    self._taken.add(index)
                    return self.lines[index]
            start = len(self.lines)
            try:
                self._script.until(lambda _line: True)
            except TimedOut as error:
                raise TimedOut(f"The page has not printed it. {error}") from None

    @contextlib.contextmanager
    def page(
        self, script: str, *, module: bool = False, origin: str | None = None
    ) -> Iterator[Page]:
        """
        Open a page that runs a script.

        :param module: it is a module (top-level ``await``).
        :param origin: it is a page of that server (``http://HOST:PORT``);
            ``None``: of a site of its own.
        """
        name = f"page{next(self._ids)}"
        self.order("open", page=name, script=script, module=module, origin=origin)
        page = Page(self, name)
        try:
            yield page
            uncaught = page.reports("uncaught")
            assert not uncaught, uncaught
        finally:
            self.order("close", page=name)


def tool(name: str) -> str:
    """
    Where a program is.

    :raises AssertionError: it is not installed; never a reason to skip.
    """
    path = shutil.which(name)
    assert path is not None, f"{name} is missing; on Debian: apt-get install {name}"
    return path


def install_modules() -> Path:
    """Have npm put the packages of ``package.json`` beside it, unless they are there."""
    stamp = NODE_MODULES / ".installed"
    wanted = (HERE / "package.json").read_text()
    if not (stamp.exists() and stamp.read_text() == wanted):
        command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund"]
        tool("npm")
        done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
        stamp.write_text(wanted)
    return NODE_MODULES


def run_chromium() -> Script:
    """Start the runner of pages."""
    return Script(
        [tool("node"), str(HERE / "node" / "browser.cjs"), tool("chromium")],
        env={"NODE_PATH": str(install_modules()), "DISPLAY": os.environ.get("DISPLAY", "")},
    )


def run_node(script: Path, **env: str) -> Script:
    """Run an example in Node; what it prints comes as JSON lines."""
    prelude = HERE / "node" / "prelude.cjs"
    return Script(
        [tool("node"), "--require", str(prelude), str(script)],
        env={"NODE_PATH": str(install_modules()), **env},
    )


def bundle(source: Path) -> str:
    """A React example made ready for the browser by esbuild."""
    done = subprocess.run(
        [
            str(install_modules() / ".bin" / "esbuild"),
            str(source),
            "--bundle",
            "--jsx=automatic",
            "--log-level=warning",
            '--define:process.env.NODE_ENV="production"',
        ],
        env={**os.environ, "NODE_PATH": str(NODE_MODULES)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
