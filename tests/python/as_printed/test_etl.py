"""The calls of the ETL document, in its order and with its arguments, and what comes of them.

Quoted lines are the document's own.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pgvigil import (
    ETLAlertManager,
    ETLLogger,
    ETLMonitor,
    MonitoringClient,
    PerformanceTracker,
)
from pgvigil.client import current_task
from pgvigil.exceptions import MonitoringError
from tests import ROOT
from tests.harness.clients import clean_environment
from tests.python.support.asking import one, rows

NOWHERE = "postgresql://127.0.0.1:1/nothing?connect_timeout=2"
EXECUTION = "etl_20250117_153015_abc123"
FIGURES = (5326, 100, 95, 5, 490, 10)  # of fixtures: total, processed, well, failed; of chunks

Asked = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def monitor(dsn: str) -> Iterator[ETLMonitor]:
    with ETLMonitor(dsn) as opened:
        yield opened


@pytest.fixture
def asked(monitor: ETLMonitor, connection: psycopg.Connection) -> Asked:
    """Ask the database once all that was told is in it."""

    def ask(query: str) -> list[dict[str, Any]]:
        assert monitor.client.flush(10)
        return rows(connection, query)

    return ask


def test_tables_have_the_columns_of_the_document(connection: psycopg.Connection) -> None:
    for table, columns in {
        "etl_logs": "log_id, timestamp, level, component, message, details, execution_id, chunk_id,"
        " fixture_id, duration_ms",
        "etl_metrics": "metric_id, timestamp, execution_id, metric_name, metric_value, metric_unit,"
        " tags",
        "etl_executions": "execution_id, started_at, finished_at, status, total_fixtures,"
        " processed_fixtures, successful_fixtures, failed_fixtures, total_chunks,"
        " processed_chunks, duration_seconds, error_message, config",
    }.items():
        assert rows(connection, f"select {columns} from monitoring.{table}") == []


def test_functions_take_their_arguments_in_the_order_of_the_document(
    connection: psycopg.Connection,
) -> None:
    connection.execute("set search_path = monitoring, public")
    for call in (
        f"start_etl_execution('{EXECUTION}', '{{\"max_chunks\": 10}}')",
        "log_etl_event('INFO', 'CHUNK_PROCESSOR', 'Processando chunk 1/10: 2451_23026',"
        f" '{{\"fixtures\": 5326}}', '{EXECUTION}', '2451_23026', '19134' , 12.5)",
        f"record_etl_metric('{EXECUTION}', 'chunk_duration', 45.67, 's', '{{\"league\": 8}}')",
        f"finish_etl_execution('{EXECUTION}', 'COMPLETED', 5326, 100, 95, 5, 490, 10, null)",
        f"get_etl_execution_summary('{EXECUTION}')",
        "get_etl_health_status()",
    ):
        assert one(connection, f"select {call} as answer")["answer"] is not None
    (execution,) = rows(connection, "select * from etl_executions")
    figures = [value for name, value in execution.items() if name.endswith(("fixtures", "chunks"))]
    assert figures == list(FIGURES)


def test_etl_monitor(monitor: ETLMonitor, asked: Asked) -> None:
    execution_id = monitor.start_execution(EXECUTION, {"max_chunks": 10})
    assert execution_id == EXECUTION
    monitor.log_event(
        "INFO", "CHUNK_PROCESSOR", "Processando chunk 1/10: 2451_23026", {"fixtures": 5326},
        execution_id, "2451_23026", "19134", 12.5,
    )  # fmt: skip
    monitor.record_metric(execution_id, "chunk_duration", 45.67, "s", {"league": 8})
    running = monitor.get_execution_summary(execution_id)
    assert running is not None
    assert running["status"] == "RUNNING"
    monitor.finish_execution(execution_id, "COMPLETED", *FIGURES)
    summary = monitor.get_execution_summary(execution_id)
    assert summary is not None
    assert (summary["status"], summary["success_percent"]) == ("COMPLETED", 95)
    assert summary["statistics"] == {
        "total_fixtures": 5326,
        "processed_fixtures": 100,
        "successful_fixtures": 95,
        "failed_fixtures": 5,
    }
    assert summary["config"] == {"max_chunks": 10}
    health = monitor.get_health_status()
    assert health["executions"]["COMPLETED"] == 1
    assert health["logs"]["INFO"] == 1
    (line,) = asked("select * from monitoring.etl_logs")
    assert (line["execution_id"], line["chunk_id"], line["fixture_id"], line["duration_ms"]) == (
        EXECUTION, "2451_23026", "19134", 12.5,
    )  # fmt: skip
    (metric,) = asked("select * from monitoring.etl_metrics")
    assert (metric["execution_id"], metric["metric_value"], metric["metric_unit"]) == (
        EXECUTION, 45.67, "s",
    )  # fmt: skip
    assert monitor.get_execution_summary("unheard") is None


def test_an_execution_that_failed_says_why(monitor: ETLMonitor, asked: Asked) -> None:
    execution_id = monitor.start_execution()
    monitor.finish_execution(execution_id, "FAILED", error_message="API limit exceeded")
    (execution,) = asked("select status, error_message from monitoring.etl_executions")
    assert tuple(execution.values()) == ("FAILED", "API limit exceeded")
    (error,) = asked("select task_id, message from monitoring.error_tracking")
    assert tuple(error.values()) == (execution_id, "API limit exceeded")


def test_etl_logger_and_its_automatic_context(
    monitor: ETLMonitor, asked: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    logger = ETLLogger(monitor, "CHUNK_PROCESSOR", console=True)
    monitor.start_execution(EXECUTION)
    logger.info("Iniciando processamento de chunks com monitoramento")
    thread = threading.Thread(target=logger.info, args=(f"Execution ID: {EXECUTION}",))
    thread.start()
    thread.join()
    logger.debug("Liga: N/A, Temporada: N/A")
    logger.warning("Fixtures não processadas: 5326, Prioridade: 53270")
    logger.error("Chunk 2451_23026 falhou")
    logger.critical("Processamento interrompido")
    monitor.finish_execution(EXECUTION)
    logger.info("Nenhum alerta encontrado")
    lines = asked("select level, component, execution_id from monitoring.etl_logs order by log_id")
    assert [line["level"] for line in lines] == [
        "INFO", "INFO", "DEBUG", "WARNING", "ERROR", "CRITICAL", "INFO",
    ]  # fmt: skip
    assert {line["component"] for line in lines} == {"CHUNK_PROCESSOR"}
    assert [line["execution_id"] for line in lines] == [EXECUTION] * 6 + [None]
    printed = capsys.readouterr().err.splitlines()
    when, rest = printed[0].split(" - ", 1)
    assert rest == "INFO - CHUNK_PROCESSOR - Iniciando processamento de chunks com monitoramento"
    datetime.strptime(when, "%Y-%m-%d %H:%M:%S")
    assert len(printed) == 7


def test_performance_tracker(monitor: ETLMonitor, asked: Asked) -> None:
    tracker = PerformanceTracker(monitor)
    execution_id = monitor.start_execution(EXECUTION)
    with tracker.track_operation("chunk"):
        pass
    tracker.record_metric("fixtures_per_second", 4.2, "fixtures/s", {"chunk": "2451_23026"})
    tracker.increment_counter("api_calls")
    tracker.increment_counter("api_calls", 2)
    tracker.set_gauge("queue_depth", 490)
    monitor.finish_execution(execution_id)
    found = asked("select * from monitoring.etl_metrics order by metric_id")
    assert [row["metric_name"] for row in found] == [
        "chunk_duration", "fixtures_per_second", "api_calls", "api_calls", "queue_depth",
    ]  # fmt: skip
    assert [row["metric_value"] for row in found[1:]] == [4.2, 1, 3, 490]
    assert {row["execution_id"] for row in found} == {EXECUTION}
    assert found[1]["tags"] == {"chunk": "2451_23026"}


@pytest.mark.parametrize("given", ["address", "client", "monitor"])
def test_etl_alert_manager(dsn: str, monitor: ETLMonitor, given: str) -> None:
    source: Any = {"address": dsn, "client": monitor.client, "monitor": monitor}[given]
    manager = ETLAlertManager(source)
    execution_id = monitor.start_execution(EXECUTION)
    assert manager.check_execution_alerts(execution_id) == []
    # "Taxa de erro: 5%", "Taxa de sucesso mínima: 90%"
    monitor.finish_execution(execution_id, "COMPLETED", 100, 100, 89, 11, 1, 1)
    found = {alert.rule_name: alert.severity for alert in manager.check_execution_alerts(EXECUTION)}
    assert found == {"item_success_rate_low": "high", "item_error_rate_high": "medium"}
    assert {alert.rule_name for alert in manager.check_system_alerts()} >= found.keys()


def test_thresholds_are_configurable(monitor: ETLMonitor, asked: Asked) -> None:
    manager = ETLAlertManager(monitor)
    manager.set_thresholds(
        max_error_percent=15, max_duration_minutes=30, min_success_percent=80,
        consecutive_failures=2,
    )  # fmt: skip
    monitor.start_execution(EXECUTION)
    monitor.finish_execution(EXECUTION, "COMPLETED", 100, 100, 89, 11, 1, 1)
    assert manager.check_execution_alerts(EXECUTION) == []
    for number in range(2):
        monitor.start_execution(f"failing-{number}")
        monitor.finish_execution(f"failing-{number}", "FAILED")
    assert "consecutive_failures" in {alert.rule_name for alert in manager.check_system_alerts()}
    decided = asked("select decided from monitoring.alert_thresholds where decided is not null")
    assert {"medium": 1800} in [
        {key: limit for key, limit in row["decided"].items() if limit is not None}
        for row in decided
    ]


def in_another_order(monitor: Any) -> list[Callable[[], Any]]:
    """Return calls whose arguments have changed places."""
    return [
        lambda: monitor.start_execution({"max_chunks": 10}, EXECUTION),
        lambda: monitor.log_event("chunk read", "CHUNK_PROCESSOR", "INFO"),
        lambda: monitor.record_metric("chunk_duration", 45.67, "s"),
        lambda: monitor.finish_execution("COMPLETED", EXECUTION),
    ]


def test_another_order_is_refused_where_it_would_record_nonsense(
    dsn: str, connection: psycopg.Connection
) -> None:
    with MonitoringClient(dsn, on_error="raise") as client:
        for call in in_another_order(ETLMonitor(client)):
            with pytest.raises((TypeError, MonitoringError)):
                call()
    with ETLMonitor(dsn) as quiet:
        *refused, swapped = in_another_order(quiet)
        for call in refused:
            call()
        assert quiet.client.dropped == 3
        quiet.start_execution(EXECUTION)
        swapped()  # of which it is clear what is meant
        assert current_task() is None
    assert rows(connection, "select execution_id, status from monitoring.etl_executions") == [
        {"execution_id": EXECUTION, "status": "COMPLETED"}
    ]
    assert rows(connection, "select from monitoring.etl_logs") == []
    assert rows(connection, "select from monitoring.etl_metrics") == []


def test_what_cannot_be_known_is_said_to_be_unknown() -> None:
    client = MonitoringClient(NOWHERE, spool=False)
    monitor = ETLMonitor(client)
    monitor.start_execution(EXECUTION)
    client.close(0.1)
    summary = monitor.get_execution_summary(EXECUTION)
    assert summary is not None
    assert summary["status"] == "UNKNOWN"
    assert summary["unknown_because"]
    assert set(monitor.get_health_status()) == {"unknown_because"}
    monitor.finish_execution(EXECUTION)
    client.close(0.1)


@pytest.mark.parametrize("wrong", [7, object(), b"postgresql://"])
def test_what_is_no_client_is_refused(wrong: Any) -> None:
    for kind in (ETLMonitor, ETLLogger, PerformanceTracker, ETLAlertManager):
        with pytest.raises(TypeError, match="connection URI, not"):
            kind(wrong)


def script(dsn: str, directory: Path, name: str, *options: str) -> str:
    ended = subprocess.run(
        [sys.executable, ROOT / "examples" / "etl" / name, *options],
        env=clean_environment() | {"PGVIGIL_DSN": dsn, "XDG_STATE_HOME": str(directory)},
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_the_commands_of_the_document(dsn: str, tmp_path: Path) -> None:
    script(
        dsn, tmp_path, "run_monitored_chunk_processing.py",
        *("--track-performance", "--max-chunks", "10", "--export-metrics", "metrics.json"),
    )  # fmt: skip
    assert json.loads((tmp_path / "metrics.json").read_text())["operations"]["chunk"]["runs"] == 10
    shown = script(dsn, tmp_path, "etl_dashboard.py")
    for part in ("1 completed", "chunk loaded", "chunk_duration", "match-loader"):
        assert part in shown
    alerts = script(dsn, tmp_path, "etl_dashboard.py", "--alerts")
    assert "chunk_duration" not in alerts
    assert script(dsn, tmp_path, "etl_dashboard.py", "--export", "etl_data.json") == ""
    document = json.loads((tmp_path / "etl_data.json").read_text())
    assert {"health", "executions", "logs", "metrics", "alerts"} <= document.keys()
    execution_id = document["executions"][0]["execution_id"]
    one_alone = script(
        dsn, tmp_path, "etl_dashboard.py", "--execution-id", execution_id, "--logs", "--metrics"
    )
    assert "10/10 · 0 running" in one_alone
