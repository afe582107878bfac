"""Code as the documents of the five systems print it, run with our import and a database."""

import re
from pathlib import Path

import pytest

from tests import ROOT

_SEEDS = ROOT.parent / "shared" / "seeds"
_IMPORT = re.compile(r"^from (?:integration_example|monitoring_client) import", re.MULTILINE)
_DSN = re.compile(r"postgresql://(?:user:pass@host:5432/db|\.\.\.)")


def our_own(code: str, dsn: str) -> str:
    """Return printed Python with the two things changed that a team changes: import and DSN."""
    return _DSN.sub(lambda _: dsn, _IMPORT.sub("from pgvigil import", code))


def assert_is_printed(document: str, *snippets: str) -> None:
    """Look whether a document has snippets word for word; skips where the documents are not."""
    found = sorted(_SEEDS.glob(f"{document}_*.txt"))
    if not found:
        pytest.skip(f"the documents of the five systems are not in {_SEEDS}")
    printed = _squeezed(found[0])
    for snippet in snippets:
        assert " ".join(snippet.split()) in printed


def _squeezed(document: Path) -> str:
    return " ".join(document.read_text(encoding="utf-8").split())
