"""Counters for Prometheus: what they count, that they never go back, and how many there are."""

import json
import re
import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from tests import ROOT
from tests.harness.tools import program
from tests.python.support.web_running import Web
from tests.python.web.test_web_metrics import OPENMETRICS, check, figures

EXAMPLES = ROOT / "examples" / "prometheus"
COUNTERS = re.compile(r"pgvigil_(tasks|items|errors|notifications|task_duration_seconds)_\w+$")
FEWER = """
    delete from monitoring.finished_tasks;
    delete from monitoring.late_finished_tasks;
    delete from monitoring.errors;
    delete from monitoring.late_errors;
    delete from monitoring.rollups;
"""


def counted(web: Web) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Return the value of each series that must not go back."""
    names = ("_total", "_bucket", "_sum", "_count")
    return {
        key: value
        for key, value in figures(web).items()
        if COUNTERS.match(key[0]) and key[0].endswith(names)
    }


def record(connection: psycopg.Connection[Any], step: int) -> None:
    """Record some ends and errors, also late ones, and roll them up."""
    for number in range(4):
        ended_at = datetime.now(UTC) - timedelta(days=step % 5)
        task = {
            "task_id": f"{step}-{number}",
            "task_type": "load",
            "status": ("completed", "failed")[number % 2],
            "start_time": ended_at - timedelta(seconds=10**number / 10),
            "end_time": ended_at,
            "items_done": 7,
        }
        connection.execute(
            "select monitoring.record_finished_tasks(%s)", [json.dumps([task], default=str)]
        )
        connection.execute(
            "select monitoring.record_error(%s, 'E', 'high', 'm', 'api')", [f"{step}-{number}"]
        )
    connection.execute("select monitoring.roll_up()")


def test_they_are_what_was_recorded(web: Web, connection: psycopg.Connection[Any]) -> None:
    record(connection, 0)
    told = counted(web)

    def figure(name: str, **labels: str) -> float:
        return told[f"pgvigil_{name}", frozenset(labels.items())]

    completed = {"task_type": "load", "status": "completed"}
    assert figure("tasks_total", **completed) == 2
    assert figure("items_total", **completed) == 14
    # One took 0.1 seconds, and one 10.
    assert figure("task_duration_seconds_bucket", **completed, le="0.01") == 0
    assert figure("task_duration_seconds_bucket", **completed, le="0.1") == 1
    assert figure("task_duration_seconds_bucket", **completed, le="5.0") == 1
    assert figure("task_duration_seconds_bucket", **completed, le="10.0") == 2
    assert figure("task_duration_seconds_bucket", **completed, le="+Inf") == 2
    assert figure("task_duration_seconds_count", **completed) == 2
    assert figure("task_duration_seconds_sum", **completed) == pytest.approx(10.1)
    assert figure("errors_total", error_type="E", severity="high", component="api") == 4


def test_they_never_go_back_whichever_service_is_asked(
    web: Web, dsn: str, connection: psycopg.Connection[Any]
) -> None:
    before: dict[Any, float] = {}
    for step in range(6):
        record(connection, step)
        if step == 2:
            connection.execute(
                "select monitoring.rebuild_rollups('tasks', 'yesterday', 'tomorrow')"
            )
        if step == 3:
            connection.execute(FEWER.encode())
        if step == 4:
            connection.execute("call monitoring.run_due_jobs()")
        with Web(dsn) as another:
            now = counted(another)
        assert now == counted(web)
        assert all(now[key] >= value for key, value in before.items())
        assert sum(now.values()) > sum(before.values())
        before = now


def test_of_many_names_each_is_counted_as_itself_or_as_other(
    web: Web, connection: psycopg.Connection[Any]
) -> None:
    ends = """
        select monitoring.record_finished_tasks((
            select jsonb_agg(jsonb_build_object(
                'task_id', 'x' || n, 'task_type', %s || n, 'end_time', monitoring.clock()
            ))
            from generate_series(1, 400) as n
        )::text)
    """
    seen: list[set[frozenset[tuple[str, str]]]] = []
    for prefix in ("a", "b", "very long " + 128 * "x"):
        connection.execute(ends, [prefix])
        connection.execute("select monitoring.roll_up()")
        told = counted(web)
        ended = {labels: n for (name, labels), n in told.items() if name == "pgvigil_tasks_total"}
        assert sum(ended.values()) == 400 * (len(seen) + 1)
        seen.append(set(ended))
    assert seen[0] == seen[1] == seen[2]
    assert len({dict(labels)["task_type"] for labels in seen[0]}) == 201
    assert check(web.client.get("/metrics").text).returncode == 0


def test_a_run_that_is_missing_is_told(web: Web, connection: psycopg.Connection[Any]) -> None:
    connection.execute(
        "select monitoring.define_expected_runs('hourly', '1 minute', p_grace => '1 second')"
    )
    told = figures(web)
    missed = "pgvigil_expected_run_missed", frozenset({("task_type", "hourly")})
    assert told[missed] == 0
    due = "pgvigil_expected_run_next_timestamp_seconds", missed[1]
    row = connection.execute("select extract(epoch from monitoring.clock())::float8").fetchone()
    assert row is not None
    assert row[0] - 5 < told[due] < row[0] + 65
    connection.execute(
        "update monitoring.expected_runs"
        " set expected_since_at = expected_since_at - interval '1 hour', changed_at = clock.now"
        " from (select monitoring.clock() as now) as clock"
    )
    assert figures(web)[missed] == 1


def test_openmetrics_has_them_as_well(web: Web, connection: psycopg.Connection[Any]) -> None:
    record(connection, 0)
    answer = web.client.get("/metrics", headers=OPENMETRICS).text
    assert "# TYPE pgvigil_task_duration_seconds histogram" in answer
    assert "# TYPE pgvigil_tasks counter" in answer


def run_promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program("promtool"), *arguments], cwd=EXAMPLES, capture_output=True, text=True
    )


def test_the_rules_do_what_their_tests_say() -> None:
    verdict = run_promtool("check", "rules", "rules.yml")
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr
    verdict = run_promtool("test", "rules", "tests.yml")
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr
    assert "SUCCESS" in verdict.stdout


def test_the_rules_are_about_figures_that_there_are(
    web: Web, connection: psycopg.Connection[Any]
) -> None:
    record(connection, 0)
    connection.execute("select monitoring.define_expected_runs('hourly', '1 hour')")
    connection.execute("select monitoring._count_notifications('mail', 'sent')")
    told = figures(web)
    rules = (EXAMPLES / "rules.yml").read_text()
    expressions = re.sub(r"(?m)^\s*(#|- name:|summary:|description:).*$", "", rules)
    wanted = set(re.findall(r"(?<![:\w])pgvigil_\w+(?![:\w])", expressions))
    assert {"pgvigil_tasks_total", "pgvigil_known"} <= wanted <= {name for name, _ in told}
    bounds = {dict(labels)["le"] for name, labels in told if name.endswith("_bucket")}
    assert set(re.findall(r'le="([^"]+)"', rules)) <= bounds
