"""One document that is nested too deep breaks no list."""

import json
from typing import Any

import psycopg
import pytest

from pgvigil.database.documents import loads
from tests.harness.clients import run_pgvigil
from tests.python.support.web_running import Web


@pytest.mark.parametrize("depth", [99, 100, 101, 500, 5000])
def test_what_is_nested_too_deep_becomes_its_text(depth: int) -> None:
    text = "[" * depth + "]" * depth
    if depth <= 100:
        assert loads(text) == json.loads(text)
    else:
        assert loads(text) == {"nested too deep": text[:1000]}


def test_brackets_in_texts_are_no_nesting() -> None:
    document = {"message": '\\"' + "[{" * 500, "rows": [[1]] * 300}
    assert loads(json.dumps(document)) == document
    assert loads(json.dumps(document).encode()) == document


@pytest.mark.parametrize("depth", [2000])
def test_faces_show_the_rows_of_deep_documents(
    depth: int, web: Web, dsn: str, connection: psycopg.Connection[Any]
) -> None:
    deep = '{"a":' * depth + "1" + "}" * depth
    connection.execute(
        "select monitoring.start_task_tracking('t', 'load', p_metadata => %s::jsonb)", [deep]
    )
    connection.execute(
        "select monitoring.record_error('t', 'E', 'high', 'm', 'c', p_details => %s::jsonb)", [deep]
    )
    connection.execute(
        "select monitoring.update_system_health('service', 'api', 'healthy',"
        " p_details => %s::jsonb)",
        [deep],
    )
    connection.execute("select monitoring.evaluate_alerts()")
    for path, described in web.get("/openapi.json")["paths"].items():
        if "get" in described and "{" not in path:
            needed = [p for p in described["get"].get("parameters", []) if p.get("required")]
            values = {p["name"]: p["schema"].get("enum", ["x"])[0] for p in needed}
            assert web.client.get(path, params=values).status_code in (200, 404), path
    (number, *_) = [row["alert_id"] for row in web.rows("/api/active-alerts")]
    assert web.client.get(f"/api/alerts/{number}").status_code == 200
    assert run_pgvigil(dsn, "alerts", "show", str(number)).returncode == 0
    for kind in ("tasks", "errors"):
        assert run_pgvigil(dsn, "export", kind, "--format", "json").returncode == 0
