"""Reads the navigation of the site in mkdocs.yml, which is the one list of pages."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import yaml

from tests import ROOT

ENTRANCE = ROOT / "docs/README.md"
"""Where the list stands as well: between `<!-- pages: by make docs -->` and `<!-- end -->`."""

_LIST = re.compile(r"(?ms)^<!-- pages: by make docs -->\n.*?^<!-- end -->$")


def navigation() -> dict[str, list[tuple[str, str]]]:
    """Return title and path of each page, by section."""
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]
    return {
        section: [_titled(entry) for entry in entries]
        for part in nav
        for section, entries in part.items()
    }


def with_list_of_pages(document: str) -> str:
    """Return the document in which people enter with its list of pages written anew."""
    lines = ("<!-- pages: by make docs -->", *_lines(), "<!-- end -->")
    return _LIST.sub(lambda _: "\n".join(lines), document)


def _lines() -> Iterator[str]:
    for section, pages in navigation().items():
        links = (f"[{title}]({_from_entrance(path)})" for title, path in pages)
        yield f"- **{section}**: {' · '.join(links)}"


def _titled(entry: Any) -> tuple[str, str]:
    if isinstance(entry, dict):
        ((title, path),) = entry.items()
        return title, path
    heading = re.search(r"^# (.*)$", (ROOT / entry).read_text(), re.MULTILINE)
    assert heading is not None, f"{entry} has no heading"
    return heading[1], entry


def _from_entrance(path: str) -> str:
    place = PurePosixPath(path)
    return place.relative_to("docs").as_posix() if "docs" in place.parts[:1] else f"../{path}"
