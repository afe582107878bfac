"""What a Python program tells of its ETL, and that it never breaks because of that."""

import contextlib
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from pgvigil import MonitoringClient
from pgvigil.etl import (
    ETLAlertManager,
    ETLLogger,
    ETLLogHandler,
    ETLMonitor,
    PerformanceTracker,
    Place,
    carried,
    current_place,
)

NOWHERE = "postgresql://127.0.0.1:1/nothing?connect_timeout=2"


def rows(connection: psycopg.Connection, query: str) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode()).fetchall()


def one(connection: psycopg.Connection, query: str) -> dict[str, Any]:
    (row,) = rows(connection, query)
    return row


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


def test_lines_know_where_they_are_said(
    client: MonitoringClient, connection: psycopg.Connection
) -> None:
    logger = ETLLogger(client, "loader", level="info")
    logger.debug("not heard")
    logger.info("before", {"n": 1})
    with ETLMonitor(client).execution("e") as execution, execution.chunk("c") as chunk:
        with chunk.fixture("f"):
            logger.warning("inside")
        with logger.timed("slow part"):
            logger.error("bad")
    logger.critical("after")
    query = """select level, component, message, details, execution_id, chunk_id, fixture_id
        from monitoring.etl_logs order by log_id"""
    assert [tuple(row.values()) for row in rows(connection, query)] == [
        ("INFO", "loader", "before", {"n": 1}, None, None, None),
        ("WARNING", "loader", "inside", None, "e", "c", "f"),
        ("ERROR", "loader", "bad", None, "e", "c", None),
        ("INFO", "loader", "slow part", None, "e", "c", None),
        ("CRITICAL", "loader", "after", None, None, None, None),
    ]
    timed = "select duration_ms from monitoring.etl_logs where message = 'slow part'"
    assert one(connection, timed)["duration_ms"] > 0
    severities = rows(connection, "select severity from monitoring.error_tracking order by 1")
    assert [row["severity"] for row in severities] == ["critical", "high"]


def test_a_logger_knows_its_levels(client: MonitoringClient) -> None:
    with pytest.raises(ValueError, match="LOUD"):
        ETLLogger(client, level="LOUD")


def test_each_thread_has_a_place_of_its_own(client: MonitoringClient) -> None:
    seen: dict[str, Place] = {}

    def look(name: str) -> None:
        seen[name] = current_place()

    def start(name: str, target: Any) -> None:
        thread = threading.Thread(target=target, args=(name,))
        thread.start()
        thread.join()

    monitor = ETLMonitor(client)
    with monitor.execution("e") as execution, execution.chunk("c"):
        start("plain", look)
        start("carried", carried(look))
        with monitor.execution("other"):
            start("ambiguous", look)
            assert current_place() == Place("other")
        assert current_place() == Place("e", "c")
    look("outside")
    assert seen == {
        "plain": Place("e"),
        "carried": Place("e", "c"),
        "ambiguous": Place(),
        "outside": Place(),
    }


def test_what_is_carried_may_run_in_many_threads_at_once(client: MonitoringClient) -> None:
    gate = threading.Barrier(4, timeout=10)

    def look(_: int) -> Place:
        gate.wait()
        return current_place()

    with (
        ETLMonitor(client).execution("e") as execution,
        execution.chunk("c"),
        ThreadPoolExecutor(4) as pool,
    ):
        assert list(pool.map(carried(look), range(4))) == [Place("e", "c")] * 4


def test_a_handler_takes_what_logging_says_along(
    client: MonitoringClient, connection: psycopg.Connection
) -> None:
    source = logging.getLogger("tests.etl")
    handler = ETLLogHandler(client)
    source.addHandler(handler)
    source.setLevel(logging.DEBUG)
    try:
        with ETLMonitor(client).execution("e"):
            source.debug("too low")
            source.info("%s rows", 12, extra={"details": {"file": "a.csv"}})
            source.log(35, "between levels")
            try:
                raise ValueError("broken")
            except ValueError:
                source.exception("cannot parse")
        logging.getLogger("pgvigil").addHandler(handler)
        logging.getLogger("pgvigil").warning("of the client itself")
    finally:
        logging.getLogger("pgvigil").removeHandler(handler)
        source.removeHandler(handler)
    lines = rows(connection, "select * from monitoring.etl_logs order by log_id")
    assert [(line["level"], line["message"], line["execution_id"]) for line in lines] == [
        ("INFO", "12 rows", "e"),
        ("WARNING", "between levels", "e"),
        ("ERROR", "cannot parse", "e"),
    ]
    assert lines[0]["component"] == "tests.etl"
    assert lines[0]["details"] == {"file": "a.csv"}
    assert lines[2]["details"]["exception"] == "ValueError"
    assert "raise ValueError" in lines[2]["details"]["stack"]


def test_a_line_that_cannot_be_formatted_breaks_nothing(
    client: MonitoringClient, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    source = logging.getLogger("tests.etl.broken")
    handler = ETLLogHandler(client)
    source.addHandler(handler)
    source.propagate = False
    try:
        source.error("%d rows", "twelve")
        source.error("fine")
    finally:
        source.removeHandler(handler)
    assert one(connection, "select message from monitoring.etl_logs") == {"message": "fine"}


def test_a_tracker_adds_up_and_sends_metrics_of_its_execution(
    client: MonitoringClient, connection: psycopg.Connection
) -> None:
    tracker = PerformanceTracker(client, "loader")
    assert tracker.flush() == 0
    with ETLMonitor(client).execution("e"):
        for items in (10, 30):
            with tracker.track_operation("parse", items):
                pass
        with contextlib.suppress(ValueError), tracker.track_operation("parse") as operation:
            operation.items = 5
            raise ValueError
        tracker.increment("rejected", 2)
        tracker.increment("rejected")
        tracker.gauge("depth", 4, "files")
        tracker.gauge("depth", 3, "files")
        assert tracker.flush() == 7
    parse = tracker.statistics()["operations"]["parse"]
    assert (parse["runs"], parse["failures"], parse["items"]) == (3, 1, 45)
    assert parse["min_seconds"] <= parse["mean_seconds"] <= parse["max_seconds"]
    found = rows(connection, "select * from monitoring.etl_metrics order by metric_name")
    assert {row["execution_id"] for row in found} == {"e"}
    values = {row["metric_name"]: (row["metric_value"], row["metric_unit"]) for row in found}
    assert values["rejected"] == (3, None)
    assert values["depth"] == (3, "files")
    assert values["operation.runs"] == (3, "runs")
    tags = {row["metric_name"]: row["tags"] for row in found}
    assert tags["operation.runs"] == {"operation": "parse"}


def test_a_tracker_holds_a_bounded_number_of_names(client: MonitoringClient) -> None:
    tracker = PerformanceTracker(client)
    for number in range(1005):
        tracker.increment(f"counter {number}")
    assert len(tracker.statistics()["counters"]) == 1000
    assert tracker.ignored == 5


def test_alerts_of_an_execution_are_those_of_the_rules(dsn: str, client: MonitoringClient) -> None:
    with ETLMonitor(client).execution("bad") as execution:
        execution.count_fixtures(successful=80, failed=20)
    with ETLMonitor(client).execution("good") as execution:
        execution.count_fixtures(successful=100)
    client.record_queue_metrics("mail", 1000)
    client.fail_task("unheard", "ImportFailed")
    client.start_task("import", "other")
    client.complete_task("import", "failed")
    manager = ETLAlertManager(dsn)
    alerts = manager.check_execution_alerts("bad")
    assert [(alert.rule_name, alert.severity) for alert in alerts] == [
        ("item_success_rate_low", "high"),
        ("item_error_rate_high", "medium"),
    ]
    assert alerts[0].value == 80
    assert alerts[0].threshold == 90
    assert manager.check_execution_alerts("good") == []
    of_system = {alert.rule_name for alert in manager.check_system_alerts()}
    assert {"item_success_rate_low", "queue_backlog"} <= of_system
    assert "task_failed" not in of_system


def test_who_may_only_read_sees_the_alerts_of_the_last_evaluation(
    dsn: str, client: MonitoringClient
) -> None:
    with ETLMonitor(client).execution("bad") as execution:
        execution.count_fixtures(successful=80, failed=20)
    reader = ETLAlertManager(make_conninfo(dsn, options="-c role=monitoring_reader"))
    assert reader.check_execution_alerts("bad") == []
    ETLAlertManager(dsn).check_execution_alerts("bad")
    assert len(reader.check_execution_alerts("bad")) == 2


def test_nothing_breaks_where_there_is_no_database(caplog: pytest.LogCaptureFixture) -> None:
    client = MonitoringClient(NOWHERE)
    logger, tracker = ETLLogger(client), PerformanceTracker(client)
    done = []
    with ETLMonitor(client).execution("e", total_chunks=1) as execution:
        with execution.chunk(1) as chunk, chunk.fixture("f"):
            logger.error("heard by nobody")
            tracker.increment("rows")
            done.append(1)
        assert tracker.flush() is None
    assert done == [1]
    assert client.dropped > 0
    assert ETLAlertManager(NOWHERE).check_execution_alerts("e") == []
    assert "cannot check alerts" in caplog.text


def test_an_execution_that_began_without_its_database_is_recorded_at_its_end(
    client: MonitoringClient, connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as away:
        away.setattr(client, "start_task", lambda *_, **__: None)
        execution = ETLMonitor(client).execution("e", config={"a": 1}, total_fixtures=2)
        execution.__enter__()
    execution.count_fixtures(successful=2)
    execution.__exit__(None, None, None)
    found = one(connection, "select * from monitoring.etl_executions")
    assert found["status"] == "COMPLETED"
    assert found["config"] == {"a": 1}
    assert found["successful_fixtures"] == found["total_fixtures"] == 2
    assert found["duration_seconds"] is not None


def test_the_client_tells_of_an_execution_call_by_call(
    client: MonitoringClient, connection: psycopg.Connection
) -> None:
    assert client.start_etl_execution("e", {"a": 1}, total_fixtures=3, total_chunks=1) == 1
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
