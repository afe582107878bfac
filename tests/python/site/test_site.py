"""The site of the documents is whole, and asks nobody else for anything."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests import ROOT

_LONGEST_BYTES = 150_000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make site` does it."""
    directory = tmp_path_factory.mktemp("site")
    result = _build(directory)
    assert result.returncode == 0, result.stderr
    return directory


class _Links(HTMLParser):
    """What a page leads to, what it loads, and what may be led to in it."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.leads_to: set[str] = set()
        self.loads: set[str] = set()
        self.anchors: set[str] = set()
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value for name, value in attrs if value is not None}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if "src" in values:
            self.loads.add(values["src"])
        if "href" in values:
            place = self.leads_to if tag == "a" else self.loads
            place.add(values["href"])


def test_every_link_anchor_and_picture_of_the_site_is_there(site: Path) -> None:
    pages = {page: _Links(page) for page in _pages(site)}
    assert len(pages) > 40
    dead = [
        f"{page.relative_to(site)}: {link}"
        for page, links in pages.items()
        for link in links.leads_to | links.loads
        if not _is_elsewhere(link)
        for target, anchor in [_split(page, link)]
        if not target.is_file() or (anchor and anchor not in pages[target].anchors)
    ]
    assert dead == []


def test_every_page_is_reached_from_the_first_one(site: Path) -> None:
    reached: set[Path] = set()
    waiting = [site / "index.html"]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        links = (link for link in _Links(page).leads_to if not _is_elsewhere(link))
        targets = (_split(page, link)[0] for link in links)
        waiting += [target for target in targets if target.suffix == ".html"]
    assert set(_pages(site)) == reached


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    pages = list(_pages(site))
    loaded = {link for page in pages for link in _Links(page).loads}
    assert len(loaded) > 5
    assert [link for link in loaded if _is_elsewhere(link) and not link.startswith("data:")] == []
    sheets = "".join(sheet.read_text() for sheet in site.rglob("*.css"))
    assert re.findall(r"""url\(["']?https?:[^)]*\)|@import [^;]*http[^;]*""", sheets) == []
    # The theme would fetch the program that draws these.
    assert not any('class="mermaid"' in page.read_text() for page in pages)


def test_drawings_are_in_the_page_and_have_words(site: Path) -> None:
    concepts = (site / "concepts.html").read_text()
    drawings = re.findall(r'class="diagram" role="img" aria-label="([^"]+)"', concepts)
    assert len(drawings) == 5
    assert all(len(words.split()) > 5 for words in drawings)
    assert ".svg" not in concepts


def test_the_search_has_a_name(site: Path) -> None:
    assert all('aria-label="Search"' in page.read_text() for page in _pages(site))


def test_each_picture_is_shown_and_all_of_them_are_small() -> None:
    pictures = [*(ROOT / "docs/images").iterdir()]
    text = "".join(page.read_text() for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")])
    assert [picture.name for picture in pictures if f"images/{picture.name})" not in text] == []
    assert sum(picture.stat().st_size for picture in pictures) < 1_000_000


def test_no_page_but_the_reference_is_a_book(site: Path) -> None:
    reference = {"sql-api.html", "decisions.html", "CHANGELOG.html"}
    lengths = {page.name: len(page.read_bytes()) for page in _pages(site)}
    assert {
        name for name, size in lengths.items() if size > _LONGEST_BYTES and name not in reference
    } == set()


def test_what_leads_nowhere_is_refused(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    shutil.copytree(ROOT / "docs", checkout / "docs")
    for path in ROOT.iterdir():
        if path.name not in ("docs", "site"):
            (checkout / path.name).symlink_to(path)
    (checkout / "docs/forgotten.md").write_text("# Forgotten\n")
    with (checkout / "docs/words.md").open("a") as words:
        words.write("\n[page](nowhere.md) [heading](install.md#nothing) ![picture](none.png)\n")
    result = _build(tmp_path / "built", checkout)
    assert result.returncode != 0, result.stderr
    named = ("docs/forgotten.md", "'nowhere.md'", "'#nothing'", "'none.png'")
    assert [name for name in named if name not in result.stderr] == [], result.stderr


def _build(into: Path, checkout: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", into],
        cwd=checkout,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )


def _pages(site: Path) -> Iterator[Path]:
    # Shown in place of any page, its links begin at the root of the server.
    return (page for page in sorted(site.rglob("*.html")) if page.name != "404.html")


def _is_elsewhere(link: str) -> bool:
    return re.match(r"[a-z]+:|//", link) is not None


def _split(page: Path, link: str) -> tuple[Path, str]:
    path, _, anchor = link.partition("#")
    target = (page.parent / unquote(path)).resolve() if path else page
    return (target / "index.html" if target.is_dir() else target), unquote(anchor)
