"""What a Python program tells of its ETL, and that it never breaks because of that."""

import contextlib
import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pgvigil import MonitoringClient
from pgvigil.client.etl import (
    ETLAlertManager,
    ETLLogger,
    ETLMonitor,
    PerformanceTracker,
    Place,
    current_place,
)
from pgvigil.exceptions import AlertsUnknownError, NumberOutOfRangeError
from tests import ROOT
from tests.harness.clients import run_pgvigil
from tests.python.support.asking import one, rows

NOWHERE = "postgresql://127.0.0.1:1/nothing?connect_timeout=2"


@pytest.fixture
def client(dsn: str) -> Iterator[MonitoringClient]:
    with MonitoringClient(dsn, on_error="raise") as opened:
        yield opened


def test_an_execution_is_recorded_with_its_chunks_and_fixtures(
    client: MonitoringClient, connection: psycopg.Connection
) -> None:
    config = {"source": "feed"}
    monitor = ETLMonitor(client)
    with monitor.execution("e", config=config, total_fixtures=6, total_chunks=2) as execution:
        running = one(connection, "select * from monitoring.etl_executions")
        for number in (1, 2):
            with execution.chunk(number, total_fixtures=3) as chunk:
                for fixture in (1, 2, 3):
                    with contextlib.suppress(ValueError), chunk.fixture(fixture):
                        if fixture == number:
                            raise ValueError("broken")
    ended = one(connection, "select * from monitoring.etl_executions")
    names = ("status", "total_fixtures", "total_chunks", "config")
    assert [running[name] for name in names] == ["RUNNING", 6, 2, config]
    counts = ("processed_fixtures", "successful_fixtures", "failed_fixtures", "processed_chunks")
    assert [ended[name] for name in counts] == [6, 4, 2, 2]
    assert ended["status"] == "COMPLETED"
    assert ended["error_message"] is None
    chunks = "select task_id, status, parent_task_id, items_done from monitoring.processing_metrics"
    assert rows(connection, f"{chunks} where task_type = 'etl.chunk' order by 1") == [
        {"task_id": f"e/{n}", "status": "completed", "parent_task_id": "e", "items_done": 3}
        for n in (1, 2)
    ]
    errors = rows(connection, "select task_id, severity, details from monitoring.error_tracking")
    assert sorted(errors, key=lambda row: str(row["task_id"])) == [
        {
            "task_id": f"e/{n}",
            "severity": "medium",
            "details": {"execution_id": "e", "chunk_id": str(n), "fixture_id": str(n)},
        }
        for n in (1, 2)
    ]


def test_an_exception_ends_chunk_and_execution_and_is_one_error(
    client: MonitoringClient, connection: psycopg.Connection
) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        ETLMonitor(client).execution("e") as execution,
        execution.chunk("c") as chunk,
        chunk.fixture("f"),
    ):
        1 / 0  # noqa: B018
    execution_row = one(connection, "select * from monitoring.etl_executions")
    assert execution_row["status"] == "FAILED"
    assert execution_row["error_message"] == "division by zero"
    assert execution_row["failed_fixtures"] == 1
    error = one(connection, "select * from monitoring.error_tracking")
    assert (error["task_id"], error["error_type"]) == ("e/c", "ZeroDivisionError")
    assert "1 / 0" in error["stack"]


def test_an_error_outside_of_chunks_is_one_of_the_execution(
    client: MonitoringClient, connection: psycopg.Connection
) -> None:
    with pytest.raises(KeyError), ETLMonitor(client).execution("e"):
        raise KeyError("gone")
    assert one(connection, "select task_id from monitoring.error_tracking") == {"task_id": "e"}


def test_ctrl_c_cancels_an_execution(
    client: MonitoringClient, connection: psycopg.Connection
) -> None:
    with pytest.raises(KeyboardInterrupt), ETLMonitor(client).execution("e"):
        raise KeyboardInterrupt
    found = one(connection, "select status, error_message from monitoring.etl_executions")
    assert found == {"status": "CANCELLED", "error_message": "KeyboardInterrupt"}
    assert rows(connection, "select from monitoring.error_tracking") == []


def test_an_execution_that_is_refused_leaves_nothing_open(
    client: MonitoringClient, connection: psycopg.Connection
) -> None:
    with pytest.raises(NumberOutOfRangeError), ETLMonitor(client).execution("e", total_chunks=-1):
        pytest.fail("it has begun")
    assert current_place() == Place()
    assert rows(connection, "select from monitoring.etl_executions") == []


def test_a_monitor_closes_what_it_opened_and_nothing_else(
    dsn: str, client: MonitoringClient, connection: psycopg.Connection
) -> None:
    with ETLMonitor(dsn) as own, own.execution("own"):
        pass
    with ETLMonitor(client) as shared, shared.execution("shared"):
        pass
    sessions = """select count(*)::integer as open from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()"""
    for _ in range(500):  # the server takes a moment to see it closed
        if one(connection, sessions)["open"] == 1:
            break
        time.sleep(0.01)
    assert one(connection, sessions) == {"open": 1}
    executions = rows(connection, "select execution_id from monitoring.etl_executions order by 1")
    assert [row["execution_id"] for row in executions] == ["own", "shared"]


def test_an_execution_without_a_name_gets_one_of_its_own(client: MonitoringClient) -> None:
    names = {ETLMonitor(client).execution().execution_id for _ in range(3)}
    assert len(names) == 3


def test_threads_count_without_losing_any(
    client: MonitoringClient, connection: psycopg.Connection
) -> None:
    with ETLMonitor(client).execution("e") as execution:

        def work(number: int) -> None:
            with execution.chunk(number) as chunk:
                for _ in range(200):
                    chunk.count_fixtures(successful=1)
                    chunk.count_fixtures(failed=1)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(8)))
    ended = one(connection, "select * from monitoring.etl_executions")
    assert ended["processed_fixtures"] == 8 * 400
    assert ended["successful_fixtures"] == ended["failed_fixtures"] == 8 * 200
    assert ended["processed_chunks"] == 8


def test_a_tracker_records_what_it_measures(
    client: MonitoringClient, connection: psycopg.Connection
) -> None:
    tracker = PerformanceTracker(client, "loader")
    with ETLMonitor(client).execution("e"):
        for items in (10, 30):
            with tracker.track_operation("parse", items):
                pass
        with contextlib.suppress(ValueError), tracker.track_operation("parse") as operation:
            operation.items = 5
            raise ValueError
        tracker.increment_counter("rejected", 2)
        tracker.increment_counter("rejected")
        tracker.set_gauge("depth", 4, "files")
        tracker.set_gauge("depth", 3, "files")
        tracker.record_metric("size", 17.5, "MB", {"file": "a.csv"})
    parse = tracker.statistics()["operations"]["parse"]
    assert (parse["runs"], parse["failures"], parse["items"]) == (3, 1, 45)
    assert parse["min_seconds"] <= parse["mean_seconds"] <= parse["max_seconds"]
    assert tracker.statistics()["counters"] == {"rejected": 3}
    assert tracker.statistics()["gauges"] == {"depth": 3}
    found = rows(connection, "select * from monitoring.etl_metrics order by metric_id")
    assert {row["execution_id"] for row in found} == {"e"}
    values: dict[str, list[Any]] = {}
    for row in found:
        values.setdefault(row["metric_name"], []).append((row["metric_value"], row["metric_unit"]))
    assert values["rejected"] == [(2, None), (3, None)]
    assert values["depth"] == [(4, "files"), (3, "files")]
    assert [unit for _, unit in values["parse_duration"]] == ["s"] * 3
    assert [unit for _, unit in values["parse_rate"]] == ["items/s"] * 3
    assert values["parse_failures"] == [(1, None)]
    assert (found[-1]["metric_name"], found[-1]["tags"]) == ("size", {"file": "a.csv"})
    components = "select distinct component from monitoring.performance_monitoring"
    assert one(connection, components) == {"component": "loader"}


def test_a_tracker_holds_a_bounded_number_of_names(dsn: str) -> None:
    tracker = PerformanceTracker(MonitoringClient(NOWHERE, spool=False))
    for number in range(1005):
        tracker.increment_counter(f"counter {number}")
    assert len(tracker.statistics()["counters"]) == 1000
    assert tracker.ignored == 5


def test_alerts_of_an_execution_are_those_of_the_rules(dsn: str, client: MonitoringClient) -> None:
    with ETLMonitor(client).execution("bad") as execution:
        execution.count_fixtures(successful=80, failed=20)
    with ETLMonitor(client).execution("good") as execution:
        execution.count_fixtures(successful=100)
    client.record_queue_metrics("mail", 1000)
    client.fail_task("unheard", "ImportFailed")
    client.start_task("other", task_id="import")
    client.complete_task("import", "failed")
    manager = ETLAlertManager(dsn)
    alerts = manager.check_execution_alerts("bad")
    assert [(alert.rule_name, alert.severity) for alert in alerts] == [
        ("item_success_rate_low", "high"),
        ("item_error_rate_high", "medium"),
    ]
    assert alerts[0].value == 80
    assert alerts[0].threshold == 90
    good = manager.check_execution_alerts("good")
    assert (good, good.is_known, good.unknown_because) == ([], True, None)
    of_system = {alert.rule_name for alert in manager.check_system_alerts()}
    assert {"item_success_rate_low", "queue_backlog"} <= of_system
    assert "task_failed" not in of_system


def test_who_may_only_read_sees_the_alerts_of_the_last_evaluation(
    dsn: str, client: MonitoringClient
) -> None:
    with ETLMonitor(client).execution("bad") as execution:
        execution.count_fixtures(successful=80, failed=20)
    reader = ETLAlertManager(make_conninfo(dsn, options="-c role=monitoring_reader"))
    (unknown,) = reader.check_execution_alerts("bad")
    assert (unknown.rule_name, unknown.status) == ("alerts_unknown", "unknown")
    assert unknown.summary.endswith("no alert rule has ever run")
    ETLAlertManager(dsn).check_system_alerts()
    found = reader.check_execution_alerts("bad")
    assert (len(found), found.is_known) == (2, True)


def test_alerts_of_an_evaluation_long_ago_are_returned_as_not_known(
    dsn: str, client: MonitoringClient, connection: psycopg.Connection
) -> None:
    with ETLMonitor(client).execution("bad") as execution:
        execution.count_fixtures(successful=80, failed=20)
    ETLAlertManager(dsn).check_system_alerts()
    connection.execute(
        "update monitoring.alert_rule_states set evaluated_at = evaluated_at - interval '3 hours'"
    )
    reader = ETLAlertManager(make_conninfo(dsn, options="-c role=monitoring_reader"))
    unknown, *others = found = reader.check_execution_alerts("bad")
    assert not found.is_known
    assert (unknown.alert_id, unknown.severity) == (None, "high")
    assert unknown.summary.endswith("alert rules ran 3 h ago")
    assert len(others) == 2
    # Whoever may have them evaluated does not depend on that.
    assert ETLAlertManager(dsn).check_execution_alerts("bad").is_known


def test_nothing_breaks_where_there_is_no_database(caplog: pytest.LogCaptureFixture) -> None:
    client = MonitoringClient(NOWHERE)
    logger, tracker = ETLLogger(client), PerformanceTracker(client)
    done = []
    with (
        ETLMonitor(client).execution("e", total_chunks=1) as execution,
        execution.chunk(1) as chunk,
        chunk.fixture("f"),
    ):
        logger.error("heard by nobody")
        tracker.increment_counter("rows")
        done.append(1)
    client.close()
    assert done == [1]
    for found in (
        ETLAlertManager(NOWHERE).check_execution_alerts("e"),
        ETLAlertManager(NOWHERE).check_system_alerts(),
    ):
        assert found
        assert not found.is_known
        assert (found[0].severity, found[0].status) == ("high", "unknown")
        assert "not known which alerts are open" in found[0].summary
        assert "refused" in str(found.unknown_because)
    assert "cannot check alerts" in caplog.text


def test_who_would_rather_have_an_exception_gets_one() -> None:
    manager = ETLAlertManager(NOWHERE, on_error="raise")
    with pytest.raises(AlertsUnknownError, match="refused"):
        manager.check_system_alerts()


def test_rows_that_name_an_execution_belong_to_it_however_they_come(
    dsn: str, client: MonitoringClient, connection: psycopg.Connection, tmp_path: Path
) -> None:
    log = {"component": "c", "level": "INFO", "message": "m", "details": {"execution_id": "e"}}
    metric = {"metric_name": "m", "value": 1, "tags": {"execution_id": "e", "stage": "parse"}}
    client.record_logs([log])
    client.record_metrics([metric])
    file = tmp_path / "history.jsonl"
    lines = [
        {"kind": "logs", "logged_at": "2024-05-01T12:00:00Z", **log},
        {"kind": "metrics", "recorded_at": "2024-05-01T12:00:00Z", **metric},
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    ended = run_pgvigil(dsn, "backfill", str(file))
    assert ended.returncode == 0, ended.stderr
    of_logs = rows(connection, "select execution_id, details from monitoring.etl_logs")
    assert of_logs == [{"execution_id": "e", "details": None}] * 2
    of_metrics = rows(connection, "select execution_id, tags from monitoring.etl_metrics")
    assert of_metrics == [{"execution_id": "e", "tags": {"stage": "parse"}}] * 2


def test_the_client_tells_of_an_execution_call_by_call(
    client: MonitoringClient, connection: psycopg.Connection
) -> None:
    assert client.start_etl_execution("e", {"a": 1}, total_fixtures=3, total_chunks=1).attempt == 1
    client.record_etl_metric("e", "rows", 3, "rows", tags={"stage": "parse"})
    assert client.finish_etl_execution(
        "e",
        "failed",
        processed_fixtures=3,
        successful_fixtures=2,
        failed_fixtures=1,
        processed_chunks=1,
        error_message="gave up",
    )
    found = one(connection, "select * from monitoring.etl_executions")
    counts = [value for name, value in found.items() if name.endswith(("fixtures", "chunks"))]
    assert counts == [3, 3, 2, 1, 1, 1]
    assert found["error_message"] == "gave up"
    assert one(connection, "select metric_value from monitoring.etl_metrics") == {"metric_value": 3}
    assert one(connection, "select message from monitoring.error_tracking")["message"] == "gave up"
    summary = one(connection, "select monitoring.get_etl_execution_summary('e') as it")["it"]
    assert (summary["status"], summary["errors"]) == ("FAILED", 1)


def test_the_programs_that_the_document_shows_run(
    dsn: str, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = ROOT / "docs" / "etl.md"
    program, calls = re.findall(r"```python\n(.*?)```", document.read_text(), re.DOTALL)
    monkeypatch.setenv("PGVIGIL_DSN", dsn)
    names: dict[str, Any] = {
        "chunks": [[1, 2, 3], [4, 5]],
        "parse": lambda rows: (
            [row for row in rows if row != 2],
            [row for row in rows if row == 2],
        ),
    }
    exec(program, names)
    names["client"].close()
    found = one(connection, "select * from monitoring.etl_executions")
    counts = [value for name, value in found.items() if name.endswith(("fixtures", "chunks"))]
    assert counts == [None, 5, 4, 1, 2, 2]
    assert one(connection, "select count(*) from monitoring.etl_logs") == {"count": 2}
    exec(calls, names)
    names["monitor"].client.close()
    assert names["summary"]["success_percent"] == 99
    assert names["health"]["executions"]["RUNNING"] == 0
