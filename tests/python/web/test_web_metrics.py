"""Figures for Prometheus: what they are, and that its own tool accepts them."""

import subprocess
from types import ModuleType
from typing import Any

import psycopg
import pytest
from prometheus_client import Metric
from prometheus_client import parser as text
from prometheus_client.openmetrics import parser as openmetrics

from tests.harness.tools import program
from tests.python.support.asking import value
from tests.python.support.web_running import Web

OPENMETRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}


def check(answer: str) -> subprocess.CompletedProcess[str]:
    """Let promtool say what it thinks of figures."""
    return subprocess.run(
        [program("promtool"), "check", "metrics"],
        input=answer,
        capture_output=True,
        text=True,
        check=False,
    )


def families_of(parser: ModuleType, answer: str) -> list[Metric]:
    """Return what Prometheus' own library reads."""
    return list(parser.text_string_to_metric_families(answer))


def figures(web: Web) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Return the value of each series."""
    families = families_of(text, web.client.get("/metrics").text)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def test_promtool_accepts_them(filled_web: Web) -> None:
    answer = filled_web.client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    verdict = check(answer.text)
    assert (verdict.returncode, verdict.stdout, verdict.stderr) == (0, "", "")


def test_promtool_accepts_them_with_nothing_recorded(web: Web) -> None:
    verdict = check(web.client.get("/metrics").text)
    assert (verdict.returncode, verdict.stdout, verdict.stderr) == (0, "", "")


def test_promtool_would_notice() -> None:
    assert check("# TYPE x_total gauge\nx_total 1\n").returncode != 0


def test_they_are_openmetrics_where_that_is_asked_for(filled_web: Web) -> None:
    answer = filled_web.client.get("/metrics", headers=OPENMETRICS)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")
    families = families_of(openmetrics, answer.text)
    assert {family.type for family in families} <= {"gauge", "counter", "histogram"}
    assert all(family.documentation for family in families)
    names = {sample.name for family in families for sample in family.samples}
    assert {"pgvigil_info", "pgvigil_tasks_running", "pgvigil_queue_completed_total"} <= names


def test_however_many_names_there_are_the_answer_is_bounded_and_says_so(
    web: Web, connection: psycopg.Connection[Any]
) -> None:
    connection.execute("select monitoring.set_name_limit('queues', 100000)")
    for prefix in ("long-" + 200 * "x", "a"):
        connection.execute(
            "select monitoring.record_queue_metrics(%s || n, 5) from generate_series(1, 1500) as n",
            [prefix],
        )
    answer = web.client.get("/metrics").text
    told = figures(web)
    pending = [labels for name, labels in told if name == "pgvigil_queue_pending"]
    left_out = told["pgvigil_names_left_out", frozenset({("figure", "pgvigil_queue_pending")})]
    assert len(pending) + left_out == 3000
    assert 500 < len(pending) <= 1000
    assert len(answer) < 1_000_000
    assert check(answer).returncode == 0


def test_each_is_a_figure_of_the_database(
    filled_web: Web, filled_dsn: str, connection: psycopg.Connection[Any]
) -> None:
    told = figures(filled_web)

    def figure(name: str, **labels: str) -> float:
        return told[f"pgvigil_{name}", frozenset(labels.items())]

    assert figure("tasks_running", task_type="load") == 7
    assert figure("queue_pending", queue="mail") == 5
    assert figure("queue_oldest_ready_seconds", queue="mail") == 40
    assert figure("queue_failed_total", queue="mail") == 2
    assert figure("component_up", component_type="service", component="rates") == 0
    assert figure("component_up", component_type="service", component="mail") == 1
    # Milliseconds have become seconds.
    response = figure("component_response_seconds", component_type="service", component="mail")
    assert response == pytest.approx(0.9)
    assert figure("batch_steps", workflow="billing") == 6
    with psycopg.connect(filled_dsn) as opened:
        active = value(opened, "select count(*) from monitoring.v_active_alerts")
    assert active == sum(n for (name, _), n in told.items() if name == "pgvigil_alerts_active")


def test_they_tell_what_is_not_known(web: Web, connection: psycopg.Connection[Any]) -> None:
    alerts = frozenset({("subject", "alerts")})
    unknown = figures(web)
    assert unknown["pgvigil_known", alerts] == 0
    assert ("pgvigil_last_look_age_seconds", alerts) not in unknown
    connection.execute("select monitoring.evaluate_alerts()")
    known = figures(web)
    assert known["pgvigil_known", alerts] == 1
    assert 0 <= known["pgvigil_last_look_age_seconds", alerts] < 60


def test_labels_may_hold_anything(web: Web, connection: psycopg.Connection[Any]) -> None:
    names = ['a"b', "a\\b", "a\nb", "ü{}", "a,b=c"]
    for name in names:
        connection.execute("select monitoring.record_queue_metrics(%s, 1)", [name])
    assert check(web.client.get("/metrics").text).returncode == 0
    told = {dict(labels)["queue"] for name, labels in figures(web) if "queue_pending" in name}
    assert told == {name.replace("\n", " ") for name in names}


def test_what_nobody_knows_is_left_out(web: Web, connection: psycopg.Connection[Any]) -> None:
    connection.execute("select monitoring.record_queue_metrics('q', 1)")
    names = {name for name, _ in figures(web)}
    assert "pgvigil_queue_pending" in names
    assert "pgvigil_queue_oldest_ready_seconds" not in names
