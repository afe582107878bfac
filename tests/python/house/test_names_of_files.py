"""Files and functions that documents and comments name are there."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests import ROOT

# Guides to the sources name files by what they are called within these.
BASES = (ROOT, ROOT / "sql", ROOT / "python/pgvigil", ROOT / "tests/python")
GUIDES = ("CONTRIBUTING.md", "internals.md")
_FENCED = re.compile(r"(?ms)^ *```.*?^ *```")
_CODE = re.compile(r"`([^`\n]+)`")
_COMMENT = re.compile(r"(?m)--.*$")
_FILE = re.compile(r"[\w.*/-]+(?:\.(?:sql|psql|py|md|toml|txt)\b|/(?![\w.*-]))")


def _documents() -> Iterator[Path]:
    for pattern in ("*.md", "docs/**/*.md", "bench/*.md", "examples/**/*.md"):
        yield from (path for path in ROOT.glob(pattern) if path.name != "CHANGELOG.md")


def _named_in(document: Path) -> Iterator[str]:
    """Yield the files that a document names; of a page for users, those of this repository."""
    prose = _FENCED.sub("", document.read_text())
    folders = {path.name for path in ROOT.iterdir() if path.is_dir()}
    for code in _CODE.findall(prose):
        for name in _FILE.findall(code) if "<" not in code else ():
            if name.split("/")[0] in folders or document.name in GUIDES:
                yield name


def _is_there(name: str) -> bool:
    return any(any(base.glob(name.rstrip("/"))) for base in BASES) or (
        "/" not in name and any(ROOT.glob(f"[!.]*/**/{name}"))
    )


def test_documents_name_files_that_are_there() -> None:
    named = [(document.name, name) for document in _documents() for name in _named_in(document)]
    assert len(named) > 50
    assert [(document, name) for document, name in named if not _is_there(name)] == []


def test_comments_in_sql_name_files_that_are_there() -> None:
    known = {path.relative_to(ROOT) for path in ROOT.glob("[!.]*/**/*.sql")}
    missing = [
        (path.name, name)
        for path in (ROOT / "sql").rglob("*.sql")
        for comment in _COMMENT.findall(path.read_text())
        for name in _FILE.findall(comment)
        if name.endswith(".sql") and not any(other.match(name) for other in known)
    ]
    assert missing == []


def test_the_guide_names_functions_beside_the_files_that_hold_them() -> None:
    rows = re.findall(r"(?m)^\|.*\.sql`.*$", (ROOT / "docs/contributing/internals.md").read_text())
    assert len(rows) > 10
    for row in rows:
        files = [ROOT / "sql" / name for code in _CODE.findall(row) for name in _FILE.findall(code)]
        texts = [
            file.read_text()
            for place in files
            for file in (place.rglob("*.sql") if place.is_dir() else [place])
        ]
        for name in re.findall(r"`(\w+)\(\)`", row):
            made = re.compile(rf"create or replace (?:function|procedure) monitoring\.{name}\(")
            assert any(made.search(text) for text in texts), (name, row)
