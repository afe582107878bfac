"""Days where times are meant, and the paths under which others know the API."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from pgvigil.database.queries.alerts import KINDS, SEVERITIES
from pgvigil.faces.web.other_paths import PathError
from tests.python.support.web_data import fill
from tests.python.support.web_problems import assert_problem
from tests.python.support.web_running import TOKEN, Web

OTHER = "/api/ami-operational"
TODAY = datetime.now(UTC).date()


@pytest.fixture
def workflow(connection: psycopg.Connection[Any]) -> None:
    """A step of a day that begins at 5 o'clock in Dhaka, with a run of three business days each."""
    connection.execute(
        """select monitoring.apply_workflow('{"workflow": "w", "time_zone": "Asia/Dhaka",
            "cutover": "05:00", "steps": [{"step": "s"}]}')"""
    )
    for task_id, began in (
        ("first", f"{day(1)} 04:59+06"),  # of the business day before
        ("second", f"{day(1)} 05:00+06"),
        ("third", f"{day(2)} 04:59+06"),
        ("fourth", f"{day(2)} 05:00+06"),
    ):
        record(connection, task_id, began)
    record(connection, "made up", f"{day(4)} 12:00+06", business_date=day(1))


def record(connection: psycopg.Connection[Any], task_id: str, began: str, **said: str) -> None:
    """Record a run of the step, which took an hour."""
    connection.execute(
        "select monitoring.record_finished_tasks(jsonb_build_array(jsonb_build_object("
        "'task_id', %s::text, 'task_type', 's', 'start_time', %s::timestamptz,"
        " 'end_time', %s::timestamptz + interval '1 hour', 'metadata', %s::jsonb)))",
        [task_id, began, began, json.dumps(said)],
    )


def day(number: int) -> str:
    """Return one of the days on which there were runs."""
    return str(TODAY + timedelta(days=number - 10))


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ({"from": day(1), "to": day(1)}, ["made up", "third", "second"]),
        ({"from": day(0), "to": day(0)}, ["first"]),
        ({"from": day(1), "to": day(2)}, ["made up", "fourth", "third", "second"]),
        ({"from": day(3), "to": day(20)}, []),
        ({"from": day(-20), "to": f"{day(1)}T01:00:00Z"}, ["second", "first"]),
        ({"from": day(-20), "to": f"{day(1)}T07:00:00 06:00"}, ["second", "first"]),
        ({"from": day(2), "to": day(1)}, []),
        ({"from": "0001-01-01", "to": "0001-01-01"}, None),
        ({"from": "9999-12-31", "to": "9999-12-31"}, None),
    ],
)
def test_runs_of_a_day_are_those_of_the_business_day(
    web: Web, workflow: None, span: dict[str, str], expected: list[str] | None
) -> None:
    answer = web.client.get("/api/batch-logs", params=span)
    if expected is None:
        assert_problem(answer, 400)
    else:
        assert [run["task_id"] for run in answer.json()["rows"]] == expected


def test_a_run_that_goes_on_is_one_of_its_business_day(
    web: Web, connection: psycopg.Connection[Any], workflow: None
) -> None:
    connection.execute(
        "select monitoring.start_task_tracking('runs', 's', p_metadata => %s)",
        [json.dumps({"business_date": str(TODAY)})],
    )
    running = web.rows("/api/batch-logs", from_=str(TODAY), to=str(TODAY))
    assert [run["task_id"] for run in running] == ["runs"]
    for other in (TODAY - timedelta(days=1), TODAY + timedelta(days=1)):
        assert web.rows("/api/batch-logs", from_=str(other), to=str(other)) == []


def test_pages_of_days_are_the_list(web: Web, workflow: None) -> None:
    span = {"from_": day(0), "to": day(2)}
    whole = web.rows("/api/batch-logs", **span)
    assert len(whole) == 5
    assert web.all_rows("/api/batch-logs", **span, limit=2) == whole


@pytest.mark.parametrize("path", ["/api/tasks", "/api/record-changes", "/api/export/tasks"])
def test_a_day_is_a_whole_day_in_utc_elsewhere(filled_web: Web, path: str) -> None:
    today = datetime.now(UTC).date()
    days = {"from": str(today - timedelta(days=1)), "to": str(today)}
    times = {"from": f"{days['from']}T00:00:00Z", "to": f"{today + timedelta(days=1)}T00:00:00Z"}
    by_day, by_time = (filled_web.client.get(path, params=span) for span in (days, times))
    assert by_day.status_code == by_time.status_code == 200
    if path.startswith("/api/export"):
        assert by_day.text == by_time.text
    else:
        first, second = (names(answer.json()["rows"]) for answer in (by_day, by_time))
        assert first == second != []


def names(rows: list[dict[str, Any]]) -> list[Any]:
    """Return what rows are called, rather than what changes from one moment to the next."""
    called = ("alert_id", "task_id", "change_id", "step_name", "workflow_name")
    return [[row.get(name) for name in called] for row in rows]


@pytest.mark.parametrize(
    ("day", "why"),
    [
        ("2026-02-30", ""),
        ("2026-1-1", ""),
        ("yesterday", "write it as 2026-11-22"),
        ("2026-01-01T05:00", "write it with its offset, as 2026-11-22T09:30:00Z"),
        ("2026-01-01 05:00", "write it with its offset"),
        ("2026-W01-1", ""),
    ],
)
def test_what_is_neither_day_nor_time_is_refused(filled_web: Web, day: str, why: str) -> None:
    for path in ("/api/batch-logs", "/api/tasks"):
        problem = assert_problem(filled_web.client.get(path, params={"from": day}), 422)
        assert {each["where"].split(".")[1] for each in problem["errors"]} == {"from"}
        assert any(why in each["detail"] for each in problem["errors"])


# Other paths


def test_the_api_is_found_under_another_path_as_well(
    dsn: str, connection: psycopg.Connection[Any]
) -> None:
    fill(connection)
    with Web(dsn, api_paths=(OTHER,)) as web:
        for name in ("active-alerts", "batch-logs", "batch-timeline", "batch-health"):
            own = web.get(f"/api/{name}", **({"limit": 3} if name == "batch-logs" else {}))
            other = web.get(f"{OTHER}/{name}", **({"limit": 3} if name == "batch-logs" else {}))
            assert other.keys() == own.keys()
            assert names(other["rows"]) == names(own["rows"]) != []
        number = web.rows(f"{OTHER}/active-alerts")[0]["alert_id"]
        answer = web.client.post(
            f"{OTHER}/acknowledge-alert/{number}", headers={"Authorization": f"Bearer {TOKEN}"}
        )
        assert answer.json()["alert"]["status"] == "acknowledged"
        assert web.client.get(f"{OTHER}/").status_code == 404
        assert web.client.get("/api/ami-operationally/queues").status_code == 404
        described = web.get("/openapi.json")
        assert not any("ami-operational" in path for path in described["paths"])


def test_there_is_no_other_path_that_nobody_asked_for(filled_web: Web) -> None:
    assert_problem(filled_web.client.get(f"{OTHER}/active-alerts"), 404)


@pytest.mark.parametrize(
    "path", ["", "/", "ami", "/ami/", "/a b", "/api", "/api/alerts", "/healthz", "/a//b", "/ü"]
)
def test_a_path_that_is_none_or_ours_is_refused(dsn: str, path: str) -> None:
    with pytest.raises(PathError):
        Web(dsn, api_paths=(path,))


# Counts


def test_alerts_are_counted_by_severity_and_kind(
    dsn: str, connection: psycopg.Connection[Any], web: Web
) -> None:
    fill(connection)
    connection.execute("select monitoring.start_task_tracking('b', 'load')")
    connection.execute("select monitoring.complete_task_tracking('b', 'failed')")
    connection.execute("select monitoring.evaluate_alerts()")
    found = web.get("/api/active-alerts", limit=1)
    counts, rows = found["counts"], web.rows("/api/active-alerts", limit=1000)
    assert counts["active"] == counts["unacknowledged"] == len(rows) > 1
    for name, words in (("severity", SEVERITIES), ("kind", KINDS)):
        assert counts[f"by_{name}"] == {
            each: sum(row[name] == each for row in rows) for each in words
        }
    failed = web.rows("/api/active-alerts", kind="failed")
    assert failed == [row for row in rows if row["kind"] == "failed"] != []
    connection.execute(
        "select monitoring.acknowledge_alert(%s, 'seen', 'ann')", [failed[0]["alert_id"]]
    )
    counts = web.get("/api/active-alerts")["counts"]
    assert counts["unacknowledged"] == counts["active"] - 1
    unseen = web.rows("/api/active-alerts", status="firing", limit=1000)
    assert failed[0]["alert_id"] not in {row["alert_id"] for row in unseen}
    assert len(unseen) == counts["unacknowledged"]
