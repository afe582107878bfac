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

# Of several things to choose one of, arrows lead from the first to the others.
_MARK_STOPS = """
() => {
  document.activeElement.blur();
  const able = "a[href], button, input, select, textarea, summary, [tabindex='0'], [data-action]";
  for (const each of document.querySelectorAll(able)) {
    const isUsed = each.checkVisibility({ visibilityProperty: true }) && !each.disabled;
    if (isUsed && each.type !== "radio") each.dataset.stop = "";
  }
}
"""
_MARK_FOCUS = """
() => {
  const { activeElement: each } = document;
  const { outlineStyle, boxShadow } = getComputedStyle(each);
  if (outlineStyle !== "none" || boxShadow !== "none") delete each.dataset.stop;
}
"""
_STOPS_LEFT = "[...document.querySelectorAll('[data-stop]')].map(each => each.outerHTML)"


def barriers(page: Page) -> list[str]:
    """Return what axe finds wrong, and the texts that do not stand out from their ground."""
    if not page.evaluate("'axe' in window"):
        page.evaluate((node_modules() / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
    return [*page.evaluate(_AXE), *page.evaluate(_FAINT_TEXTS)]


def unreachable(page: Page) -> list[str]:
    """Return what can be worked by a pointer and not by Tab, or does not show that it has focus."""
    # What refreshes meanwhile would be made anew.
    page.keyboard.press("p")
    page.evaluate(_MARK_STOPS)
    stops = page.evaluate("document.querySelectorAll('[data-stop]').length")
    for _ in range(stops + 1):
        page.keyboard.press("Tab")
        page.evaluate(_MARK_FOCUS)
    left: list[str] = page.evaluate(_STOPS_LEFT)
    return left
