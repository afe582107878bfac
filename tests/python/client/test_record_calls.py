"""What `MonitoringClient` tells about business records."""

import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from pgvigil.client import MonitoringClient
from pgvigil.exceptions import MonitoringError
from tests.python.support.asking import one, rows

DAY = date(2026, 1, 12)
NINE = datetime(2026, 1, 12, 9, tzinfo=UTC)


@pytest.fixture
def monitor(dsn: str) -> Iterator[MonitoringClient]:
    """A client that says at once when it is used wrongly."""
    with MonitoringClient(dsn, component="tests", on_error="raise") as client:
        yield client


def invalid(connection: psycopg.Connection) -> dict[str, str]:
    found = rows(connection, "select record_key, status from monitoring.invalid_records")
    return {row["record_key"]: row["status"] for row in found}


def test_invalid_records_are_logged_with_all_that_is_known(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    records: list[str | dict[str, Any]] = [
        {
            "record_key": "1",
            "value": "x",
            "group": "Rio",
            "message": "nul \0",
            "details": {"at": NINE},
        },
        "2",
    ]
    counts = monitor.log_invalid_records(
        "apr", records, "SEUNO", 1, target_date=DAY, task_id="t", detected_at=NINE
    )
    assert counts is not None
    assert counts["opened"] == 2
    row = one(connection, "select * from monitoring.invalid_records where record_key = '1'")
    assert (row["reported_value"], row["group_name"], row["task_id"]) == ("x", "Rio", "t")
    assert row["message"] == "nul \N{REPLACEMENT CHARACTER}"
    assert row["details"] == {"at": "2026-01-12T09:00:00+00:00"}
    assert (row["target_date"], row["opened_at"]) == (DAY, NINE)
    assert row["is_alerted"]
    other = one(connection, "select * from monitoring.invalid_records where record_key = '2'")
    assert not other["is_alerted"]


def test_a_check_of_some_records_resolves_those_that_no_longer_fail(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    monitor.log_invalid_records("apr", ["1", "2", "3"], "SEUNO", target_date=DAY, detected_at=NINE)
    scope = {"keys": ["1", "2"], "target_date": DAY}
    monitor.sync_invalid_records("apr", "SEUNO", scope, ["2"])
    assert invalid(connection) == {"1": "resolved", "2": "open", "3": "open"}


def test_a_complete_run_resolves_what_it_did_not_find_again(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    monitor.log_invalid_records("apr", ["1", "2"], "SEUNO", target_date=DAY, detected_at=NINE)
    later = NINE + timedelta(hours=1)
    monitor.log_invalid_records("apr", ["2"], "SEUNO", target_date=DAY, detected_at=later)
    stats = {"total_records_queried": 5, "valid_records": 4, "invalid_seuno": 1}
    name = monitor.log_program_execution("apr", DAY, stats, 1.5, finished_at=later)
    assert name is not None
    monitor.auto_resolve_invalid_records("apr", DAY)
    assert invalid(connection) == {"1": "resolved", "2": "open"}
    run = one(connection, "select * from monitoring.processing_log")
    assert (run["task_id"], run["run_mode"], run["status"]) == (name, "full", "completed")
    assert (run["execution_seconds"], run["total_records_queried"]) == (1.5, 5)
    summary = monitor.update_daily_summary("apr", DAY)
    assert summary is not None
    assert (summary["records_queried"], summary["invalid_opened"]) == (5, 2)


@pytest.mark.parametrize("length", [2.5, timedelta(seconds=2.5), None])
def test_how_long_a_run_took_may_be_told_in_several_ways(
    length: timedelta | float | None, monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    monitor.log_program_execution("apr", DAY, {}, length, "partial")
    run = one(connection, "select * from monitoring.processing_log")
    assert run["run_mode"] == "partial"
    assert run["execution_seconds"] == (None if length is None else 2.5)


def test_a_run_ends_the_task_that_it_was(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    monitor.start_task("records.apr", task_id="run-1")
    told = monitor.log_program_execution(
        "apr", DAY, {"rows": 1}, task_id="run-1", status="failed", error_message="no network"
    )
    assert told == "run-1"
    run = one(connection, "select * from monitoring.processing_log")
    assert (run["status"], run["error_message"]) == ("failed", "no network")
    assert one(connection, "select status from monitoring.processing_metrics") == {
        "status": "failed"
    }


def test_a_moment_stands_for_its_day(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    monitor.log_program_execution("apr", NINE, {})
    assert one(connection, "select target_date from monitoring.processing_log") == {
        "target_date": DAY
    }


def test_people_resolve_by_decision(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    monitor.log_invalid_records("apr", ["1", "2"], "SEUNO")
    assert monitor.resolve_invalid_records("apr", "12", "gone") == {"resolved": 0}
    monitor.resolve_invalid_records("apr", ["1"], "superseded", "replaced by 7")
    row = one(connection, "select * from monitoring.invalid_records where record_key = '1'")
    assert (row["resolution"], row["resolution_reason"]) == ("superseded", "replaced by 7")
    assert invalid(connection)["2"] == "open"


def test_statuses_are_tracked_as_told_and_from_sources(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    counts = monitor.track_status_changes(
        "apr", [{"record_key": "1", "status": "OPEN", "effective_at": NINE}], "BOT", actor="robot"
    )
    assert counts is not None
    assert counts["new"] == 1
    connection.execute("create table orders as select '1' as id, 'DONE' as state, %s as day", [DAY])
    connection.execute("grant select on orders to monitoring_reader")
    connection.execute(
        """select monitoring.register_record_source('orders', 'apr', 'public.orders',
            '{"record_key": "id", "status": "state", "target_date": "day"}')"""
    )
    would = monitor.track_status_changes("apr", DAY, is_dry_run=True)
    assert would is not None
    assert would["changed"] == 1
    assert len(rows(connection, "select from monitoring.status_history")) == 1
    assert monitor.track_status_changes("apr", DAY + timedelta(days=1)) is not None
    assert len(rows(connection, "select from monitoring.status_history")) == 1
    assert monitor.track_all_status_changes_from_source("orders", DAY, "MONITOR") is not None
    history = rows(
        connection,
        "select from_status, to_status, change_source, actor, source_name"
        " from monitoring.status_history order by change_id",
    )
    assert [tuple(row.values()) for row in history] == [
        (None, "OPEN", "BOT", "robot", None),
        ("OPEN", "DONE", "MONITOR", None, "orders"),
    ]


def test_what_is_old_of_records_is_removed_and_counted(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    old = datetime.now(UTC) - timedelta(days=20)
    for dataset in ("apr", "other"):
        monitor.log_program_execution(dataset, old.date(), {"rows": 1}, finished_at=old)
    nothing = monitor.cleanup_old_monitoring_data()
    assert {"invalid_records", "status_history", "processing_log"} < nothing.keys()
    assert not any(nothing.values())
    would = monitor.cleanup_old_monitoring_data(10, dataset="apr", is_dry_run=True)
    assert (would["processing_log"], sum(would.values())) == (1, 1)
    assert monitor.cleanup_old_monitoring_data(retention_days=10, dataset="apr") == would
    assert rows(connection, "select dataset from monitoring.processing_log") == [
        {"dataset": "other"}
    ]


@pytest.mark.parametrize("days", [0, -1, None, "soon", 1.5, 10**12])
def test_a_number_of_days_that_is_none_removes_nothing(
    days: Any, monitor: MonitoringClient, dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises((MonitoringError, psycopg.Error)):
        monitor.cleanup_old_monitoring_data(days)
    with MonitoringClient(dsn) as quiet:
        assert quiet.cleanup_old_monitoring_data(days) == {}
        assert quiet.dropped == 0
    assert "cleanup_old_monitoring_data" in caplog.text


def test_the_products_of_a_record_become_what_is_told(
    monitor: MonitoringClient, connection: psycopg.Connection
) -> None:
    for products in (["tea", "milk"], ["tea", {"product": "salt", "quantity": 2, "amount": 1.5}]):
        monitor.track_record_products("apr", [{"record_key": "1", "products": products}])
    found = rows(connection, "select product, quantity from monitoring.record_products order by 1")
    assert found == [{"product": "salt", "quantity": 2.0}, {"product": "tea", "quantity": None}]


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("log_invalid_records", ("apr", ["2"], "SEUNO")),
        ("sync_invalid_records", ("apr", "SEUNO", {"all": True}, [])),
        ("resolve_invalid_records", ("apr", ["1"])),
        ("track_status_changes", ("apr", [{"record_key": "1", "status": "OPEN"}])),
        ("track_record_products", ("apr", [{"record_key": "1", "products": ["tea"]}])),
        ("log_program_execution", ("apr", DAY, {"rows": 1}, 2.5)),
        ("update_daily_summary", ("apr", DAY)),
    ],
)
def test_a_dry_run_keeps_nothing(
    method: str,
    arguments: tuple[Any, ...],
    monitor: MonitoringClient,
    connection: psycopg.Connection,
) -> None:
    monitor.log_invalid_records("apr", ["1"], "SEUNO")
    assert getattr(monitor, method)(*arguments, is_dry_run=True) is not None
    assert invalid(connection) == {"1": "open"}
    for view in ("status_history", "record_products", "processing_log", "daily_summary"):
        assert rows(connection, f"select from monitoring.{view}") == []


def test_what_is_wrong_raises_or_is_left_out_and_logged(
    monitor: MonitoringClient, dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(MonitoringError, match="row 2"):
        monitor.log_invalid_records("apr", ["1", ""], "SEUNO")
    with (
        caplog.at_level(logging.WARNING, "pgvigil"),
        MonitoringClient(dsn) as quiet,
    ):
        logged = quiet.log_invalid_records("apr", ["1", ""], "SEUNO")
        assert logged is not None
        assert logged["opened"] == 1
        for length in (float("inf"), float("nan"), -1):
            assert quiet.log_program_execution("apr", DAY, {}, length) is not None
        assert quiet.dropped == 0
    assert 'row 2: record_key is empty: ""; the record is left out' in caplog.text


NO_COLLECTIONS: list[Any] = [None, 7, {"record_key": "1"}, "1"]


def test_any_collection_will_do(monitor: MonitoringClient, connection: psycopg.Connection) -> None:
    assert monitor.log_invalid_records("apr", (key for key in ("1", "2")), "SEUNO") is not None
    assert monitor.resolve_invalid_records("apr", {"1"}) is not None
    assert monitor.record_metrics({"metric_name": "m", "value": n} for n in range(3)) == 3
    assert invalid(connection) == {"1": "resolved", "2": "open"}


@pytest.mark.parametrize("given", NO_COLLECTIONS)
def test_what_is_no_collection_breaks_no_program(dsn: str, given: Any) -> None:
    with MonitoringClient(dsn, component="c") as quiet:
        quiet.log_invalid_records("apr", ["0"], "SEUNO")
        assert (quiet.log_invalid_records("apr", given, "SEUNO") or {})["records"] in (0, 1)
        found = quiet.sync_invalid_records("apr", "SEUNO", {"all": True}, given)
        assert "resolved" not in (found or {})
        quiet.track_status_changes("apr", given)
        assert (quiet.track_record_products("apr", given) or {"added": 0})["added"] == 0
        for record in (quiet.record_metrics, quiet.record_logs, quiet.record_errors):
            record(given)
            record([given])
        quiet.record_finished_tasks(given)
        assert quiet.flush()
        assert quiet.dropped == 0


def test_a_single_key_is_taken_as_one_and_none_breaks_no_program(
    dsn: str, connection: psycopg.Connection
) -> None:
    with MonitoringClient(dsn) as quiet:
        quiet.log_invalid_records("apr", [12, "13"], "SEUNO")  # type: ignore[list-item]
        assert quiet.resolve_invalid_records("apr", 12) is not None  # type: ignore[arg-type]
        assert quiet.resolve_invalid_records("apr", None) is None  # type: ignore[arg-type]
        assert quiet.dropped == 1
    assert invalid(connection) == {"12": "resolved", "13": "open"}
