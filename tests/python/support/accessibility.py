"""What keeps people from reading or working the page that Chromium shows."""

from pathlib import Path

from playwright.sync_api import Page

from tests.harness.tools import node_modules

# Texts in pictures and above several grounds at once are where axe cannot tell.
_FAINT_TEXTS = Path(__file__).with_name("page_contrast.js").read_text(encoding="utf-8")
_AXE = """
async () => (await axe.run(document, { resultTypes: ["violations"] })).violations
  .flatMap(({ id, help, nodes }) => nodes.map(({ target }) => [id, help, target].join(": ")))
"""


def barriers(page: Page) -> list[str]:
    """Return what axe finds wrong, and the texts that do not stand out from their ground."""
    if not page.evaluate("'axe' in window"):
        page.evaluate((node_modules() / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
    return [*page.evaluate(_AXE), *page.evaluate(_FAINT_TEXTS)]
