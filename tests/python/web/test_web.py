"""What the web service answers: on data, with nothing recorded, page by page, filtered."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from tests.python.support.asking import rows, value
from tests.python.support.web_data import fill
from tests.python.support.web_problems import assert_problem
from tests.python.support.web_running import TOKEN, Web

LISTS = [
    "/api/active-alerts", "/api/batch-timeline", "/api/batch-logs", "/api/batch-health",
    "/api/jobs", "/api/tasks", "/api/errors", "/api/queues", "/api/health",
    "/api/trends?what=tasks", "/api/trends?what=errors", "/api/trends?what=queues",
    "/api/trends?what=durations", "/api/records", "/api/record-issues", "/api/record-changes",
    "/api/releases", "/api/chart-marks",
]  # fmt: skip
PAGED = {
    "/api/active-alerts": "alert_id",
    "/api/batch-logs": "task_id",
    "/api/tasks": "task_id",
    "/api/errors": "fingerprint",
    "/api/jobs": "job_name",
    "/api/records": "record_key",
    "/api/record-changes": "change_id",
    "/api/releases": "release_id",
}
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def stopped_dsn(filled_dsn: str) -> str:
    """The same database, where it remains now."""
    return make_conninfo(filled_dsn, options=f"-c monitoring.now={datetime.now(UTC):%FT%TZ}")


@pytest.fixture(scope="module")
def stopped_web(stopped_dsn: str) -> Iterator[Web]:
    with Web(stopped_dsn) as running:
        yield running


@pytest.fixture(scope="module")
def database(stopped_dsn: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(stopped_dsn, autocommit=True) as opened:
        yield opened


@pytest.mark.parametrize("path", LISTS)
def test_with_nothing_recorded_a_list_is_empty(web: Web, path: str) -> None:
    page = web.get(path)
    assert (page["rows"], page["next"]) == ([], None)
    assert datetime.fromisoformat(page["as_of"]) - datetime.now(UTC) < timedelta(seconds=10)


def test_with_nothing_recorded_there_is_a_summary_all_the_same(web: Web) -> None:
    summary = web.get("/api/summary")
    assert summary["tasks"]["ended"] == 0
    unknown = {"known_at": None, "state": "never", "is_known": False, "seconds_old": None}
    assert summary["freshness"] == {
        "alerts": unknown | {"detail": "no alert rule has ever run"},
        "scheduler": unknown | {"detail": "no job has ever begun"},
        "roll-ups": unknown | {"detail": "nothing was ever rolled up"},
    }
    assert summary["cards"] == {
        "freshness": summary["freshness"],
        "success_percent_7_days": None,
        "ended_7_days": 0,
        "failed_24_hours": 0,
        "records_per_second_today": None,
        "active_alerts": {"critical": 0, "high": 0, "medium": 0, "low": 0},
        "active_alerts_by_kind": {},
        "severities": ["low", "medium", "high", "critical"],
    }


@pytest.mark.parametrize("path", LISTS)
def test_with_data_no_list_is_empty(filled_web: Web, path: str) -> None:
    assert filled_web.rows(path)


def test_the_summary_is_that_of_the_database(
    stopped_web: Web, database: psycopg.Connection[Any]
) -> None:
    told = stopped_web.get("/api/summary")
    known = value(database, "select monitoring.get_dashboard_summary()")
    assert told.keys() == known.keys() | {"cards", "as_of"}
    told["cards"]["freshness"] = freshness_of(told["cards"])
    cards = value(database, "select monitoring.get_dashboard_cards()")
    assert told["cards"] == cards | {"freshness": freshness_of(cards)}
    assert freshness_of(told) == freshness_of(known)
    others = known.keys() - {"generated_at", "freshness"}
    assert {name: told[name] for name in others} == {name: known[name] for name in others}


def freshness_of(document: dict[str, Any]) -> dict[str, Any]:
    """Return how fresh things are, with times that can be compared."""
    return {
        subject: each | {"known_at": each["known_at"] and datetime.fromisoformat(each["known_at"])}
        for subject, each in document["freshness"].items()
    }


@pytest.mark.parametrize(
    ("path", "view", "key"),
    [
        ("/api/active-alerts", "v_active_alerts", "alert_id"),
        ("/api/errors", "error_groups", "fingerprint"),
        ("/api/queues", "v_queue_performance", "queue_name"),
        ("/api/batch-timeline", "v_batch_timeline", "step_name"),
        ("/api/batch-health", "v_batch_health", "workflow_name"),
        ("/api/batch-logs", "batch_execution_logs", "task_id"),
        ("/api/records", "invalid_records", "record_key"),
        ("/api/record-changes", "status_history", "change_id"),
    ],
)
def test_a_list_has_the_columns_and_rows_of_its_view(
    stopped_web: Web, database: psycopg.Connection[Any], path: str, view: str, key: str
) -> None:
    told = {row[key]: row for row in stopped_web.rows(path)}
    known = {row[key]: row for row in rows(database, f"select * from monitoring.{view}")}
    assert told.keys() == known.keys()
    for name, row in told.items():
        assert row.keys() == known[name].keys()
        for column, cell in row.items():
            assert same(cell, known[name][column]), (name, column)


def same(told: Any, known: Any) -> bool:
    if known is None or told is None:
        return told is known
    if isinstance(known, datetime):
        return datetime.fromisoformat(told) == known
    if isinstance(told, float):
        return told == pytest.approx(float(known))
    return bool(told == (known.isoformat() if hasattr(known, "isoformat") else known))


def test_tasks_that_run_come_before_those_that_ended(filled_web: Web) -> None:
    states = [row["status"] == "running" for row in filled_web.rows("/api/tasks", limit=1000)]
    assert states == sorted(states, reverse=True)
    assert any(states)
    assert not all(states)


def test_a_running_task_tells_how_far_it_is(filled_web: Web) -> None:
    (task,) = [r for r in filled_web.rows("/api/tasks") if r["task_id"] == "now-1"]
    assert (task["progress_percent"], task["items_done"], task["items_total"]) == (25.0, 30, 120)
    assert task["running_ms"] > 0
    assert task["end_time"] is None


@pytest.mark.parametrize("path", PAGED)
@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_together_are_the_list(filled_web: Web, path: str, limit: int) -> None:
    key = PAGED[path]
    whole = [row[key] for row in filled_web.rows(path, limit=1000)]
    pages = [row[key] for row in filled_web.all_rows(path, limit=limit)]
    assert pages == whole
    assert len(set(whole)) == len(whole)


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_pages_are_whole_where_all_rows_have_one_time(
    connection: psycopg.Connection[Any], web: Web, limit: int
) -> None:
    connection.execute(
        """
        select monitoring.record_finished_tasks(jsonb_agg(jsonb_build_object(
            'task_id', 't' || n % 6, 'task_type', 'x', 'attempt', n, 'status', 'failed',
            'end_time', date_trunc('minute', now()) - interval '1 minute'
        )))
        from generate_series(1, 12) n
        """
    )
    told = [(r["task_id"], r["attempt"]) for r in web.all_rows("/api/tasks", limit=limit)]
    assert len(told) == 12
    assert len(set(told)) == 12


def test_what_is_recorded_between_two_pages_neither_repeats_nor_hides_anything(
    dsn: str, web: Web
) -> None:
    with psycopg.connect(dsn, autocommit=True) as opened:
        fill(opened)
        first = web.get("/api/errors", limit=5)
        opened.execute("select monitoring.record_error(null, 'Newer', 'low', 'm')")
        rest = web.all_rows("/api/errors", limit=5, after=first["next"])
        told = [row["fingerprint"] for row in first["rows"] + rest]
        known = rows(opened, "select * from monitoring.error_groups where error_type <> 'Newer'")
    assert sorted(told) == sorted(row["fingerprint"] for row in known)


@pytest.mark.parametrize(
    ("path", "filters", "column"),
    [
        ("/api/active-alerts", {"severity": "critical"}, "severity"),
        ("/api/errors", {"severity": "low"}, "severity"),
        ("/api/errors", {"status": "open"}, "status"),
        ("/api/tasks", {"type": "load"}, "task_type"),
        ("/api/tasks", {"status": "failed"}, "status"),
        ("/api/batch-logs", {"step": "CM_BSGGN"}, "step_name"),
        ("/api/batch-logs", {"status": "failed"}, "status"),
        ("/api/batch-logs", {"status": "running"}, "status"),
        ("/api/batch-logs", {"workflow": "billing"}, "workflow_name"),
        ("/api/batch-timeline", {"workflow": "billing"}, "workflow_name"),
        ("/api/records", {"dataset": "orders"}, "dataset"),
        ("/api/records", {"type": "UNKNOWN"}, "validation_type"),
        ("/api/records", {"status": "resolved"}, "status"),
        ("/api/records", {"group": "north"}, "group_name"),
        ("/api/record-changes", {"change_source": "BOT"}, "change_source"),
    ],
)
def test_a_filter_leaves_what_it_says_and_all_of_it(
    filled_web: Web, path: str, filters: dict[str, str], column: str
) -> None:
    (wanted,) = filters.values()
    more = {} if path == "/api/batch-timeline" else {"limit": 1000}
    told = filled_web.rows(path, **filters, **more)
    whole = filled_web.rows(path, **more)
    assert told
    assert len(told) == sum(row[column] == wanted for row in whole)
    assert {row[column] for row in told} == {wanted}


@pytest.mark.parametrize("state", ["running", "ended"])
def test_tasks_of_one_state(filled_web: Web, state: str) -> None:
    told = filled_web.rows("/api/tasks", state=state, limit=1000)
    assert told
    assert {row["status"] == "running" for row in told} == {state == "running"}


def test_names_of_any_kind_find_their_rows(filled_web: Web) -> None:
    for name in ("Überweisung 漢字 🚚", "<script>alert(1)</script>", "a" * 255):
        assert [r["task_id"] for r in filled_web.rows("/api/tasks", type=name)] == [name]


def test_times_limit_tasks_to_those_that_ended_then(
    filled_web: Web, database: psycopg.Connection[Any]
) -> None:
    times = rows(
        database,
        "select end_time from monitoring.processing_metrics where status <> 'running'"
        " and end_time > now() - interval '23 hours' order by 1",
    )
    begin, end = times[5]["end_time"], times[20]["end_time"]
    told = filled_web.rows(
        "/api/tasks", state="ended", from_=begin.isoformat(), to=end.isoformat(), limit=1000
    )
    expected = [t["end_time"] for t in times if begin <= t["end_time"] < end]
    assert [datetime.fromisoformat(row["end_time"]) for row in told] == expected[::-1]
    assert expected


def test_another_business_day_can_be_seen(filled_web: Web) -> None:
    today = filled_web.rows("/api/batch-timeline")[0]["business_date"]
    before = str(datetime.fromisoformat(today).date() - timedelta(days=1))
    told = filled_web.rows("/api/batch-timeline", business_date=before)
    assert {row["business_date"] for row in told} == {before}


def test_the_timeline_says_which_step_comes_after_which(filled_web: Web) -> None:
    plan = filled_web.get("/api/batch-timeline")["plan"]
    after = {step["step_name"]: step["after_steps"] for step in plan}
    assert after["CM_BSGGN"] == ["C1-PPBTR", "F1-FLUSH"]
    assert after["CM-DMRU"] == []


def test_an_alert_comes_with_its_history_and_what_the_rule_saw(
    filled_web: Web, database: psycopg.Connection[Any]
) -> None:
    number = value(
        database,
        "select alert_id from monitoring.v_active_alerts where rule_name = 'component_unhealthy'"
        " order by alert_id limit 1",
    )
    told = filled_web.get(f"/api/alerts/{number}")
    assert told["alert"]["alert_id"] == number
    assert [each["transition"] for each in told["history"]] == ["firing"]
    with database.cursor(row_factory=dict_row) as cursor:
        query = "select * from monitoring.explain_alert(%s)"
        known = cursor.execute(query, [number]).fetchall()
    assert [each["source"] for each in told["explanation"]] == [row["source"] for row in known]


@pytest.mark.parametrize(("key", "kinds"), [("o-1", {"status", "invalid"}), ("o/4 ü", {"invalid"})])
def test_a_record_has_a_timeline(filled_web: Web, key: str, kinds: set[str]) -> None:
    path = f"/api/records/orders/{quote(key)}/timeline"
    told = filled_web.rows(path)
    assert {row["kind"] for row in told} == kinds
    times = [datetime.fromisoformat(row["happened_at"]) for row in told]
    assert times == sorted(times, reverse=True)
    assert len(filled_web.rows(path, limit=1)) == 1


def test_a_record_that_nobody_knows_has_an_empty_one(filled_web: Web) -> None:
    assert filled_web.rows("/api/records/orders/none/timeline") == []


def test_the_figures_at_the_top_are_those_of_the_summary(stopped_web: Web) -> None:
    told = stopped_web.get("/api/summary")
    figures = stopped_web.get("/api/cards")
    assert figures == {"cards": told["cards"], "as_of": told["as_of"]}
    # The page counts from them what fires.
    counts = figures["cards"]["active_alerts"]
    assert counts["critical"] > 0
    assert told["alerts"] == {**counts, "active": sum(counts.values())}


def test_the_list_of_alerts_says_whether_it_is_known(
    web: Web, connection: psycopg.Connection[Any]
) -> None:
    unknown = web.get("/api/active-alerts")
    assert (unknown["rows"], unknown["known"]["is_known"]) == ([], False)
    connection.execute("select monitoring.evaluate_alerts()")
    known = web.get("/api/active-alerts")["known"]
    assert (known["is_known"], known["state"]) == (True, "current")
    (alerts, *_) = web.rows("/api/freshness")
    assert alerts["subject"] == "alerts"
    assert alerts["known_at"] == known["known_at"]


@pytest.mark.parametrize(
    ("hours", "resolution"),
    [(1, "minute"), (3, "minute"), (4, "hour"), (168, "hour"), (169, "day")],
)
def test_trends_are_as_fine_as_a_chart_can_show(
    filled_web: Web, hours: int, resolution: str
) -> None:
    told = filled_web.get("/api/trends", what="tasks", hours=hours)
    assert told["resolution"] == resolution
    begin = datetime.fromisoformat(told["from_at"])
    assert all(datetime.fromisoformat(row["bucket_at"]) > begin for row in told["rows"])


def test_a_chart_can_be_of_any_span_that_has_room_for_its_points(filled_web: Web) -> None:
    day = (datetime.now(UTC) - timedelta(days=1)).date()
    told = filled_web.get("/api/trends", what="tasks", from_=day, to=day)
    begin, end = (datetime.fromisoformat(told[name]) for name in ("from_at", "to_at"))
    assert (begin.date(), end - begin) == (day, timedelta(days=1))
    assert told["resolution"] == "hour"
    for query in (
        f"from={day}T12:00Z&to={day}T11:00Z",
        "from=2001-01-01",
        "to=0001-01-01T00:00Z",
        "hours=9601",
    ):
        assert_problem(filled_web.client.get(f"/api/trends?what=tasks&{query}"), 422)


def test_charts_are_marked_with_the_newest_releases_and_alerts(web: Web, dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        for number in range(25):
            connection.execute(
                "select monitoring.record_release('api', %s, p_released_at => %s)",
                [f"1.{number}", datetime.now(UTC) - timedelta(hours=2, minutes=-number)],
            )
        connection.execute("select monitoring.raise_alert('tests', 'd', 'critical', 'disk full')")
        connection.execute("select monitoring.evaluate_alerts()")
    told = web.get("/api/chart-marks", hours=3)
    releases = [mark["title"] for mark in told["rows"] if mark["kind"] == "release"]
    assert (len(releases), releases[-1], told["has_more"]) == (20, "api 1.24 (before: 1.23)", True)
    assert "disk full" in [mark["title"] for mark in told["rows"] if mark["kind"] == "alert"]
    assert web.rows("/api/chart-marks", component="mail") == []


def test_trends_add_up_to_what_was_recorded(
    filled_web: Web, database: psycopg.Connection[Any]
) -> None:
    told = filled_web.rows("/api/trends", what="errors", hours=24)
    assert sum(row["value"] for row in told) == value(
        database, "select count(*) from monitoring.error_tracking"
    )
    ended = filled_web.rows("/api/trends", what="tasks", hours=24 * 30)
    assert sum(row["value"] for row in ended) == value(
        database, "select count(*) from monitoring.processing_metrics where status <> 'running'"
    )


def test_acknowledging_stays(connection: psycopg.Connection[Any], web: Web) -> None:
    fill(connection)
    (number, *_) = [row["alert_id"] for row in web.rows("/api/active-alerts")]
    answer = web.client.post(
        f"/api/acknowledge-alert/{number}", json={"note": "on it", "by": "ann"}, headers=BEARER
    )
    assert answer.status_code == 200, answer.text
    alert = answer.json()["alert"]
    told = (alert["status"], alert["acknowledged_by"], alert["acknowledged_note"])
    assert told == ("acknowledged", "ann", "on it")
    (seen,) = [r for r in web.rows("/api/active-alerts") if r["alert_id"] == number]
    assert seen["acknowledged_by"] == "ann"
    transitions = [each["transition"] for each in web.get(f"/api/alerts/{number}")["history"]]
    assert transitions == ["firing", "acknowledged"]


def test_acknowledging_needs_no_words(connection: psycopg.Connection[Any], web: Web) -> None:
    fill(connection)
    number = web.rows("/api/active-alerts")[0]["alert_id"]
    answer = web.client.post(f"/api/acknowledge-alert/{number}", headers=BEARER)
    assert answer.status_code == 200, answer.text
    assert answer.json()["alert"]["acknowledged_by"]


def test_what_does_not_fire_cannot_be_acknowledged(
    connection: psycopg.Connection[Any], web: Web
) -> None:
    fill(connection)
    number = web.rows("/api/active-alerts")[0]["alert_id"]
    connection.execute("select monitoring.resolve_alert(%s)", [number])
    answer = web.client.post(f"/api/acknowledge-alert/{number}", headers=BEARER)
    assert answer.status_code == 409
    assert answer.json()["detail"] == f"alert {number} does not fire"
