"""What the service says of itself holds, whatever it is asked: schemathesis asks at random."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import ROOT
from tests.harness.clients import clean_environment
from tests.python.support.web_data import fill
from tests.python.support.web_problems import KINDS
from tests.python.support.web_running import TOKEN, Web

EXAMPLES = 10


@pytest.fixture
def web(dsn: str) -> Iterator[Web]:
    """A web service whose one token opens everything."""
    with Web(dsn, ping_key=TOKEN) as web:
        yield web


@pytest.fixture
def schema(filled_web: Web) -> dict[str, Any]:
    described: dict[str, Any] = filled_web.get("/openapi.json")
    return described


def test_answers_are_as_described(
    web: Web, connection: psycopg.Connection[Any], tmp_path: Path
) -> None:
    fill(connection)
    arguments = (
        "run", f"{web.server.url}openapi.json",
        "--checks", "all",
        # A place in a list is a word that only we can make; no schema can say which.
        "--exclude-checks", "positive_data_acceptance",
        "--phases", "examples,coverage,fuzzing",
        "--max-examples", str(EXAMPLES),
        "--generation-deterministic",
        "--header", f"Authorization: Bearer {TOKEN}",
        "--no-color",
    )  # fmt: skip
    done = subprocess.run(
        [Path(sys.executable).parent / "st", *arguments],
        cwd=tmp_path, env=clean_environment(), capture_output=True, text=True, check=False,
        timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-1000:]
    paths = web.get("/openapi.json")["paths"]
    assert f"Tested: {len(paths)}" in done.stdout


def test_every_path_says_how_it_refuses(schema: dict[str, Any]) -> None:
    for path, methods in schema["paths"].items():
        for described in methods.values():
            assert {"200", "400", "422", "503"} <= described["responses"].keys(), path
            shape = described["responses"]["503"]["content"]["application/problem+json"]["schema"]
            assert shape == {"$ref": "#/components/schemas/Problem"}
            assert described["description"]


def test_the_types_of_problems_are_in_the_documentation() -> None:
    text = (ROOT / "docs" / "web.md").read_text()
    rows = re.findall(r"^\| (\d+) \| `(urn:pgvigil:[\w-]+)` \| ([^|]+) \|", text, re.MULTILINE)
    described = {kind: (int(status), title) for status, kind, title in rows}
    own = {kind: known for kind, known in KINDS.items() if ":PV" not in kind}
    assert described == own


def test_only_writing_takes_a_token(schema: dict[str, Any]) -> None:
    guarded = {
        (method, path)
        for path, methods in schema["paths"].items()
        for method, described in methods.items()
        if "security" in described
    }
    writing = {(m, p) for p, methods in schema["paths"].items() for m in methods if m != "get"}
    assert guarded == writing
    assert writing == {
        ("post", "/api/acknowledge-alert/{alert_id}"),
        ("post", "/api/unacknowledge-alert/{alert_id}"),
        ("post", "/api/resolve-alert/{alert_id}"),
        ("post", "/api/silence-alert/{alert_id}"),
        ("post", "/api/resolve-error-group/{fingerprint}"),
        ("post", "/api/mute-error-group/{fingerprint}"),
        ("post", "/api/reopen-error-group/{fingerprint}"),
        ("post", "/api/merge-error-group/{fingerprint}"),
        ("post", "/api/split-error-group/{fingerprint}"),
        ("post", "/api/fleet-members/{member}/acknowledge-alert/{alert_id}"),
        *(
            ("post", f"/api/{verb}-rule/{{rule_name}}")
            for verb in ("backtest", "change", "enable", "disable", "reset")
        ),
        ("post", "/api/silence-alerts"),
        ("post", "/api/unsilence-alerts/{silence_id}"),
        ("post", "/in/alertmanager"),
    }


def test_operations_have_names_that_clients_can_call(schema: dict[str, Any]) -> None:
    names = [each["operationId"] for path in schema["paths"].values() for each in path.values()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[a-z]+(_[a-z]+)*", name) for name in names)
    assert {"active_alerts", "jobs", "job", "job_runs", "run", "errors", "error_group"} < {*names}


def test_lists_have_a_form_in_common(schema: dict[str, Any]) -> None:
    models = schema["components"]["schemas"]
    lists = [m for m in models.values() if "rows" in m.get("properties", {})]
    assert len(lists) >= 8
    for model in lists:
        assert {"rows", "next", "as_of"} <= model["properties"].keys()
        row = models[model["properties"]["rows"]["items"]["$ref"].rpartition("/")[2]]
        assert row["properties"]


def test_the_page_is_no_part_of_it(schema: dict[str, Any]) -> None:
    known = ("/api/", "/in/", "/healthz", "/metrics")
    assert all(path.startswith(known) for path in schema["paths"])
