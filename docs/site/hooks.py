"""Makes the site of the documents as they lie in the repository.

A document links to others by their paths in the repository, so that the links lead somewhere in a
repository browser as well. The site therefore knows each file by that path, and only writes those
of `docs/` one folder higher.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]

PAGES = ("*.md", "docs/**/*.md", "bench/*.md", "examples/**/*.md")
"""Where documents lie."""

_LINK = re.compile(r"(!?\[(?:[^\]\[]|\[[^\]]*\])*\])\((?!https?:|mailto:)([^)#\s]+)(#[^)\s]*)?\)")
_DRAWING = re.compile(r'<img alt="([^"]*)" src="[^":]*?([\w-]+\.svg)" ?/?>')
_FENCE = re.compile(r"(```|~~~)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Have headings answer to the names that repository browsers give them."""
    config.mdx_configs["toc"]["slugify"] = slug
    return config


def slug(heading: str, separator: str) -> str:
    """Return what a link ends with that leads to a heading."""
    return re.sub(r"[^\w -]", "", heading).lower().replace(" ", separator)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Return the documents, what they link to or show, and what belongs to the theme."""
    theme = [file for file in files if file.src_dir != config.docs_dir]
    documents = [path for pattern in PAGES for path in ROOT.glob(pattern)]
    shown = {path for document in documents for path in _linked_files(document)}
    looks = [ROOT / "docs" / path for path in config.extra_css]
    ours = sorted({*documents, *shown, *looks})
    return Files([*(_file(path, config) for path in ours), *theme])


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, **_: Any) -> str:
    """Write a document as the site's Markdown wants it, which is an older one."""
    document = ROOT / page.file.src_uri
    lines: list[str] = []
    is_code = False
    for line in markdown.splitlines():
        if not is_code and line.startswith("   "):
            # What belongs to a numbered entry is indented by four there.
            line = f" {line}"
        elif _FENCE.match(line):
            is_code = not is_code
        elif not is_code:
            line = _LINK.sub(lambda found: _without_folder(found, document), line)
        lines.append(line)
    return "\n".join(lines)


def on_page_content(html: str, **_: Any) -> str:
    """Put drawings into the page itself, where they have its colours."""
    return _DRAWING.sub(lambda found: _drawing(found[2], found[1]), html)


def on_post_page(output: str, **_: Any) -> str:
    """Give the search a name for those who do not see it, which the theme forgets."""
    return output.replace('class="md-search" ', 'class="md-search" aria-label="Search" ', 1)


def _drawing(name: str, words: str) -> str:
    svg = (ROOT / "docs/images" / name).read_text()
    svg = svg.replace('role="img"', f'role="img" aria-label="{words}"', 1)
    # On a phone it scrolls, by keyboard too, rather than shrinks until it cannot be read.
    return f'<div class="diagram-frame" tabindex="0">{svg}</div>'


def _linked_files(document: Path) -> set[Path]:
    """Return what a document links to that is no document: programs, settings, pictures."""
    targets = {found[2] for found in _LINK.finditer(document.read_text())}
    # Links in the file system are not followed: only what lies in the repository is meant.
    paths = {Path(posixpath.normpath(document.parent / target)) for target in targets}
    return {path for path in paths if path.is_file() and path.suffix != ".md"}


def _without_folder(link: re.Match[str], document: Path) -> str:
    """Return a link, or only its words if it leads to a folder, of which a site has no page."""
    return link[1][1:-1] if (document.parent / link[2]).is_dir() else link[0]


def _file(path: Path, config: MkDocsConfig) -> File:
    source = path.relative_to(ROOT).as_posix()
    target = source.removeprefix("docs/")
    folder, name = posixpath.split(target)
    if name == "README.md":
        target = posixpath.join(folder, "index.html")
    elif name.endswith(".md"):
        target = target.removesuffix(".md") + ".html"
    if source == "README.md":
        target = "readme.html"
    return File(source, str(ROOT), config.site_dir, use_directory_urls=False, dest_uri=target)
