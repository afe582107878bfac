"""The benchmark of the page asks for what the page asks for."""

import re

from bench.page.requests import PATHS
from tests import ROOT

LOADING = ROOT / "python" / "pgvigil" / "faces" / "web" / "page" / "loading.js"


def test_it_asks_for_all_that_the_page_does_when_it_is_opened() -> None:
    questions = re.search(
        r"^(?:export )?function questions\(\) \{$(.+?)^\}$", LOADING.read_text(), re.M | re.S
    )
    assert questions is not None
    # What is asked for once somebody has chosen a severity comes later.
    asked = re.findall(r"^    \w+: \(\) => get\(\"([^\"]+)\"", questions[1], re.M)
    assert sorted(path.partition("?")[0] for path in PATHS) == sorted(asked)
