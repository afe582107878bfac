"""The web service in a process of its own, and the page of it in Chromium."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote
from urllib.request import urlopen

from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, expect

from tests.harness.clients import clean_environment
from tests.harness.tools import program
from tests.python.support.page_data import NOW
from tests.python.support.running import wait_until

TOKEN = "a-token-for-the-tests"
DESKTOP = (1440, 900)
PHONE = (375, 812)
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Machines that run tests may have much else to do.
expect.set_options(timeout=20_000)


def launch(playwright: Playwright) -> Browser:
    """Start the distribution's Chromium."""
    return playwright.chromium.launch(executable_path=program("chromium"), args=list(_FLAGS))


class Service:
    """`pgvigil serve` on a port that stays the same when it is started again."""

    def __init__(self, dsn: str, *, now: datetime | None = NOW, token: str = TOKEN) -> None:
        """Start it on a database, whose clock stands still at `now` unless that is None."""
        self._dsn = f"{dsn}?options={quote(f'-c monitoring.now={now.isoformat()}')}" if now else dsn
        self._token = token
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port: int = free.getsockname()[1]
        self.start()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Make sure that it is gone."""
        self.kill()

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self._port}/"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(
            [Path(sys.executable).parent / "pgvigil", "serve", "--port", str(self._port)],
            env={
                **clean_environment(),
                "PGVIGIL_DSN": self._dsn,
                "PGVIGIL_WEB_TOKEN": self._token,
            },
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self._answers, 60)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()

    def _answers(self) -> bool:
        assert self._process.poll() is None, "pgvigil serve has ended"
        try:
            with urlopen(f"{self.url}healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@contextmanager
def opened(
    browser: Browser,
    url: str,
    *,
    size: tuple[int, int] = DESKTOP,
    may_lose_server: bool = False,
    has_own_clock: bool = False,
    script: str | None = None,
    **settings: Any,
) -> Iterator[Page]:
    """Open the page in a fresh profile and wait until it shows something.

    At the end it must not have complained: no exception, nothing that its policy refused, no
    failed request unless the server may be lost.

    Args:
        browser: Chromium.
        url: where the page is.
        size: width and height of the window.
        may_lose_server: whether requests may fail.
        has_own_clock: let the test move the browser's clock, which begins at NOW.
        script: runs before those of the page.
        settings: further ones of the profile.
    """
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        **{"timezone_id": "Europe/Berlin", "locale": "en-GB", **settings},
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: _note(complaints, message, may_lose_server))
    page.on("dialog", lambda dialog: complaints.append(f"dialog {dialog.message}"))
    if script is not None:
        page.add_init_script(script)
    if has_own_clock:
        page.clock.install(time=NOW)
    try:
        page.goto(url)
        page.wait_for_selector("#freshness:has-text('as of')")
        yield page
        assert complaints == []
    finally:
        _keep_picture(page)
        context.close()


def _note(complaints: list[str], message: ConsoleMessage, may_lose_server: bool) -> None:
    if message.type not in ("error", "warning"):
        return
    if may_lose_server and message.text.startswith("Failed to load resource"):
        return
    complaints.append(message.text)


def _keep_picture(page: Page) -> None:
    """Keep what the test saw last, for people who want to look at it."""
    directory = os.environ.get("PGVIGIL_PICTURES")
    if directory:
        test = os.environ.get("PYTEST_CURRENT_TEST", "page").rpartition("::")[2].partition(" ")[0]
        page.screenshot(path=Path(directory) / f"{test}.png", full_page=True)
