"""A client made from what the service says of itself, as people make one for their language."""

import importlib
import inspect
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.harness.clients import clean_environment
from tests.python.support.web_data import fill
from tests.python.support.web_running import TOKEN, Web

PROGRAMS = Path(sys.executable).parent


@pytest.fixture
def made(
    dsn: str,
    connection: psycopg.Connection[Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[tuple[Any, dict[str, Any]]]:
    """A client made of a filled service, with what calls each operation by its name."""
    fill(connection)
    with Web(dsn) as web:
        described = tmp_path / "openapi.json"
        described.write_text(json.dumps(web.get("/openapi.json")), encoding="utf-8")
        arguments = ("--path", described, "--output-path", tmp_path / "made", "--meta", "none")
        subprocess.run(
            # It tidies up after itself with a program that it looks for on the path.
            [PROGRAMS / "openapi-python-client", "generate", "--fail-on-warning", *arguments],
            env={**clean_environment(), "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"},
            check=True, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        monkeypatch.syspath_prepend(tmp_path)
        client = importlib.import_module("made").AuthenticatedClient(web.server.url, TOKEN)
        operations = {
            path.stem: importlib.import_module(f"made.api.{path.parent.name}.{path.stem}")
            for path in (tmp_path / "made" / "api").glob("*/[a-z]*.py")
        }
        with client:
            yield client, operations
    for name in [name for name in sys.modules if name.partition(".")[0] == "made"]:
        del sys.modules[name]


def test_made_client_reads_pages_refusals_and_acts(made: tuple[Any, dict[str, Any]]) -> None:
    client, operations = made

    first = operations["tasks"].sync(client=client, limit=50)
    rest = operations["tasks"].sync(client=client, limit=50, after=first.next_)
    assert (len(first.rows), rest.next_) == (50, None)
    names = [(row.task_id, row.attempt) for row in (*first.rows, *rest.rows)]
    assert len(names) == len({*names}) > 60
    assert first.rows[0].start_time <= first.as_of

    runs = operations["job_runs"].sync(client=client, job="load", status="failed")
    assert {run.status for run in runs.rows} == {"failed"}

    missing = operations["run"].sync_detailed("nobody's", client=client)
    assert missing.status_code == 404
    assert (missing.parsed.status, missing.parsed.title) == (404, "Not Found")

    alert = operations["active_alerts"].sync(client=client, limit=1).rows[0]
    body = importlib.import_module("made.models").Acknowledgement(by="ann", note="I look")
    operations["acknowledge_alert"].sync(alert.alert_id, client=client, body=body)
    assert operations["alert"].sync(alert.alert_id, client=client).alert.acknowledged_by == "ann"


def test_made_client_can_read_every_answer(made: tuple[Any, dict[str, Any]]) -> None:
    client, operations = made
    read = 0
    for name, operation in operations.items():
        needed = [
            each
            for each in inspect.signature(operation.sync_detailed).parameters.values()
            if each.default is each.empty and each.name != "client"
        ]
        if needed or "get" not in operation._get_kwargs()["method"]:
            continue
        answer = operation.sync_detailed(client=client)
        assert answer.status_code == 200, name
        assert type(answer.parsed).__name__ != "Problem", name
        assert answer.parsed is not None or name == "metrics", name
        read += 1
    assert read >= 15
