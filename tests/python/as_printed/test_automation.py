"""The automation system's document: what it prints runs in its order, with the results it says."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests

from pgvigil import MonitoringClient
from pgvigil.demo.server import PostgresServer
from tests.harness.clients import dsn_of, run_pgvigil
from tests.python.support.as_printed import assert_is_printed, our_own
from tests.python.support.asking import one, rows, value

QUICK_START = """
from integration_example import MonitoringClient

monitor = MonitoringClient("postgresql://user:pass@host:5432/db")
task_id = monitor.start_task("my_task", input_size=1024)
# ... your processing logic ...
monitor.complete_task(task_id, "completed")
"""
TASKS = """
SELECT start_task_tracking('task-123', 'document_processing', 1024, 'worker-01');
SELECT complete_task_tracking('task-123', 'completed', 2048, '{"step1": 1.2}');
"""
ERROR = """
SELECT record_error('task-123', 'validation_error', 'medium', 'Invalid input', 'processor');
"""
HEALTH = """
SELECT update_system_health('api', 'main_api', 'healthy', 50);
"""
DASHBOARD = """
SELECT get_dashboard_summary();  -- Returns JSON dashboard summary
"""
CHECKS = """
SELECT check_error_rate_alerts();
SELECT check_processing_performance_alerts();
SELECT check_system_health_alerts();
SELECT check_queue_backlog_alerts();
SELECT resolve_resolved_alerts();
SELECT cleanup_old_monitoring_data();
"""
CONFIGURATION = """
{
  "alert_thresholds": {
    "error_rates": {
      "critical": 100,    // errors per hour
      "high": 75,
      "medium": 50,
      "low": 25
    },
    "processing_times": {
      "critical": 900,    // seconds
      "high": 600,
      "medium": 300,
      "low": 180
    },
    "queue_backlog": {
      "critical": 500,    // pending tasks
      "high": 200,
      "medium": 100,
      "low": 50
    }
  }
}
"""
SIMPLE_TASK = """
from monitoring_client import MonitoringClient

monitor = MonitoringClient("postgresql://...")

# Start tracking
task_id = monitor.start_task("document_processing", 1024)

try:
    # Your processing logic
    result = process_document()
    
    # Success
    monitor.complete_task(task_id, "completed", output_size=len(result))
    
except Exception as e:
    # Failure
    monitor.complete_task(task_id, "failed")
    monitor.record_error(task_id, "processing_error", "medium", str(e), "processor")
"""  # noqa: W293 - as it is printed
PERFORMANCE = """
import time
import psutil

start = time.time()
start_mem = psutil.virtual_memory().percent

# ... processing logic ...

duration = time.time() - start
end_mem = psutil.virtual_memory().percent

monitor.record_performance_metric(
    "processing_duration", "response_time", duration, "seconds", "processor"
)
monitor.record_performance_metric(
    "memory_usage", "memory", end_mem, "%", "system"
)
"""
HEALTH_CHECK = """
import requests

try:
    response = requests.get("http://api/health", timeout=5)
    if response.status_code == 200:
        monitor.update_system_health("api", "main_api", "healthy", 
                                   response_time=response.elapsed.total_seconds() * 1000)
except Exception as e:
    monitor.update_system_health("api", "main_api", "unhealthy", 
                               failure_reason=str(e))
"""  # noqa: W291 - as it is printed
AUTOMATION = """
SELECT check_system_health_alerts();
SELECT check_error_rate_alerts();
SELECT check_processing_performance_alerts();
SELECT check_queue_backlog_alerts();
SELECT resolve_resolved_alerts();
"""
INDEXES = """
CREATE INDEX CONCURRENTLY idx_pm_hour ON processing_metrics(DATE_TRUNC('hour', start_time));
CREATE INDEX CONCURRENTLY idx_et_hour ON error_tracking(DATE_TRUNC('hour', occurred_at));
CREATE INDEX CONCURRENTLY idx_pm_task_type ON processing_metrics(task_type);
CREATE INDEX CONCURRENTLY idx_et_component ON error_tracking(component);
"""
CORE_TABLES = (
    "processing_metrics, error_tracking, performance_monitoring, system_health, "
    "queue_monitoring, alerts"
)
VIEWS = (
    "v_realtime_processing_status",
    "v_error_summary",
    "v_system_health_summary",
    "v_queue_performance",
    "v_performance_trends",
    "v_active_alerts",
)


@pytest.fixture
def roles(server: PostgresServer, dsn: str) -> Iterator[dict[str, str]]:
    """How three logins reach the database, each with one role of ours: DSN by role."""
    database = psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]
    names = {role: f"automation_{role}" for role in ("writer", "reader", "operator")}
    with psycopg.connect(dsn, autocommit=True) as connection:
        for role, name in names.items():
            connection.execute(f"create role {name} login in role monitoring_{role}".encode())
            connection.execute(f"alter role {name} set search_path = monitoring, public".encode())
        yield {role: dsn_of(server, str(database), name) for role, name in names.items()}
        for name in names.values():
            connection.execute(f"drop role {name}".encode())


def answers(dsn: str, printed: str) -> list[Any]:
    """Run the statements of a snippet one by one, and return what each says."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        found = []
        for statement in filter(str.strip, printed.split(";")):
            if not statement.strip().startswith("--"):
                row = connection.execute(statement.encode()).fetchone()
                found.append(row and row[0])
        return found


def run(code: str, dsn: str, **names: Any) -> dict[str, Any]:
    """Run printed Python, and return its names once all that it recorded is there."""
    exec(compile(our_own(code, dsn), "as printed", "exec"), names)
    assert names["monitor"].flush()
    return names


def test_all_of_it_is_printed_so() -> None:
    assert_is_printed(
        "002",
        *(QUICK_START, TASKS, ERROR, HEALTH, DASHBOARD, CHECKS, CONFIGURATION),
        *(SIMPLE_TASK, PERFORMANCE, HEALTH_CHECK, AUTOMATION, INDEXES, CORE_TABLES),
        *(f"`{view}`" for view in VIEWS),
    )


def test_the_quick_start_records_a_task(
    roles: dict[str, str], connection: psycopg.Connection
) -> None:
    with run(QUICK_START, roles["writer"])["monitor"]:
        task = one(connection, "select * from monitoring.processing_metrics")
    assert (task["task_type"], task["status"], task["input_size"]) == ("my_task", "completed", 1024)


def test_the_six_tables_and_six_views_are_there(roles: dict[str, str]) -> None:
    with psycopg.connect(roles["reader"]) as reader:
        for name in (*CORE_TABLES.split(", "), *VIEWS):
            assert reader.execute(f"SELECT * FROM {name}".encode()).description, name


def test_the_key_functions_in_sql(roles: dict[str, str], connection: psycopg.Connection) -> None:
    assert answers(roles["writer"], TASKS) == [1, True]
    assert all(number > 0 for number in answers(roles["writer"], ERROR + HEALTH))
    task = one(connection, "select * from monitoring.processing_metrics")
    assert (task["task_id"], task["task_type"], task["status"]) == (
        "task-123",
        "document_processing",
        "completed",
    )
    assert (task["input_size"], task["output_size"]) == (1024, 2048)
    assert (task["worker_id"], task["step_durations"]) == ("worker-01", {"step1": 1.2})
    error = one(connection, "select * from monitoring.error_tracking")
    assert (error["task_id"], error["error_type"], error["severity"]) == (
        "task-123",
        "validation_error",
        "medium",
    )
    assert (error["message"], error["component"]) == ("Invalid input", "processor")
    (summary,) = answers(roles["reader"], DASHBOARD.partition("--")[0])
    assert isinstance(summary, dict)
    checks = answers(roles["operator"], CHECKS)
    assert all(type(number) is int for number in checks[:5])  # alerts that opened, or resolved
    assert checks[5] is None  # nothing is old
    health = one(connection, "select * from monitoring.v_system_health_summary")
    assert (health["component_name"], health["status"]) == ("main_api", "healthy")


def test_the_configuration_is_what_counts_without_it(
    roles: dict[str, str], tmp_path: Path, connection: psycopg.Connection
) -> None:
    names = "('errors_per_hour', 'slow_processing', 'queue_backlog')"
    query = f"select thresholds from monitoring.v_alert_rules where rule_name in {names} order by 1"
    shipped = rows(connection, query)
    file = tmp_path / "monitoring_config.json"
    file.write_text(CONFIGURATION, encoding="utf-8")
    for _ in range(2):
        result = run_pgvigil(roles["operator"], "config", "apply", str(file))
        assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "nothing to change\n"
    assert answers(roles["operator"], f"select apply_config('{CONFIGURATION}')") == [{}]
    counts = json.loads(run_pgvigil(roles["reader"], "config", "show").stdout)["alert_thresholds"]
    assert counts["error_rates"] == {"low": 25, "medium": 50, "high": 75, "critical": 100}
    assert counts["processing_times"] == {"low": 180, "medium": 300, "high": 600, "critical": 900}
    assert counts["queue_backlog"] == {"low": 50, "medium": 100, "high": 200, "critical": 500}
    assert rows(connection, query) == shipped


def test_the_thresholds_raise_alerts_of_their_severities(
    roles: dict[str, str], connection: psycopg.Connection
) -> None:
    with MonitoringClient(roles["writer"]) as monitor:
        for depth in (50, 60, 120, 250, 600):
            monitor.record_queue_metrics(f"queue-{depth}", depth)
        for seconds in (200, 400, 700, 1000):
            end = one(connection, "select now() as at")["at"]
            monitor.record_finished_tasks(
                [
                    {
                        "task_id": f"task-{seconds}",
                        "task_type": f"type-{seconds}",
                        "start_time": end - timedelta(seconds=seconds),
                        "end_time": end,
                    }
                ]
            )
        monitor.record_errors(
            [{"error_type": "e", "severity": "low", "message": "m", "component": "c"}] * 101
        )
    answers(roles["operator"], CHECKS)
    severities = {
        (row["rule_name"], row["what"]): row["severity"]
        for row in rows(
            connection,
            "select rule_name, coalesce(labels ->> 'queue', labels ->> 'task_type', '') as what,"
            " severity from monitoring.v_active_alerts"
            " where rule_name in ('errors_per_hour', 'slow_processing', 'queue_backlog')",
        )
    }
    assert severities == {
        ("queue_backlog", "queue-50"): "low",
        ("queue_backlog", "queue-60"): "low",
        ("queue_backlog", "queue-120"): "medium",
        ("queue_backlog", "queue-250"): "high",
        ("queue_backlog", "queue-600"): "critical",
        ("slow_processing", "type-200"): "low",
        ("slow_processing", "type-400"): "medium",
        ("slow_processing", "type-700"): "high",
        ("slow_processing", "type-1000"): "critical",
        ("errors_per_hour", ""): "critical",
    }


def test_data_is_kept_for_as_long_as_it_says(connection: psycopg.Connection) -> None:
    kept = {
        (row["table_name"], row["category"]): row["keep"]
        for row in rows(connection, "select table_name, category, keep from monitoring.v_retention")
    }
    days = timedelta(days=1)
    assert kept["finished_tasks", ""] == 30 * days
    assert [kept["errors", s] for s in ("low", "critical")] == [30 * days, 90 * days]
    assert kept["metric_samples", ""] == 7 * days
    assert kept["raised_alerts", ""] == 7 * days


@pytest.mark.parametrize("works", [True, False])
def test_simple_task_tracking(
    works: bool, roles: dict[str, str], connection: psycopg.Connection
) -> None:
    def process_document() -> str:
        if not works:
            raise ValueError("no such page")
        return "done"

    run(SIMPLE_TASK, roles["writer"], process_document=process_document)["monitor"].close()
    task = one(connection, "select * from monitoring.processing_metrics")
    assert (task["task_type"], task["input_size"]) == ("document_processing", 1024)
    errors = rows(connection, "select * from monitoring.error_tracking")
    if works:
        assert (task["status"], task["output_size"], errors) == ("completed", 4, [])
        return
    (error,) = errors
    assert (task["status"], error["task_id"]) == ("failed", task["task_id"])
    assert (error["error_type"], error["severity"]) == ("processing_error", "medium")
    assert (error["message"], error["component"]) == ("no such page", "processor")


def test_performance_monitoring(roles: dict[str, str], connection: psycopg.Connection) -> None:
    with MonitoringClient(roles["writer"]) as monitor:
        run(PERFORMANCE, "", monitor=monitor)
    duration, memory = rows(
        connection, "select * from monitoring.performance_monitoring order by sample_id"
    )
    assert (duration["metric_name"], duration["metric_type"], duration["unit"]) == (
        "processing_duration",
        "response_time",
        "seconds",
    )
    assert (duration["component"], 0 <= duration["value"] < 60) == ("processor", True)
    assert (memory["metric_name"], memory["unit"], memory["component"]) == (
        "memory_usage",
        "%",
        "system",
    )
    assert 0 < memory["value"] <= 100


def test_health_checks(
    roles: dict[str, str], connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    healthy = requests.Response()
    healthy.status_code, healthy.elapsed = 200, timedelta(milliseconds=50)

    def unreachable(url: str, **_: Any) -> requests.Response:
        raise requests.ConnectionError(f"{url} does not answer")

    with MonitoringClient(roles["writer"]) as monitor:
        monkeypatch.setattr(requests, "get", lambda url, **_: healthy)
        run(HEALTH_CHECK, "", monitor=monitor)
        assert answers(roles["operator"], "SELECT check_system_health_alerts()") == [0]
        monkeypatch.setattr(requests, "get", unreachable)
        run(HEALTH_CHECK, "", monitor=monitor)
        assert answers(roles["operator"], "SELECT check_system_health_alerts()") == [1]
        monkeypatch.setattr(requests, "get", lambda url, **_: healthy)
        run(HEALTH_CHECK, "", monitor=monitor)
    checks = rows(connection, "select * from monitoring.v_health_history order by checked_at desc")
    assert [(check["status"], check["response_time_ms"]) for check in checks] == [
        ("healthy", 50.0),
        ("unhealthy", None),
        ("healthy", 50.0),
    ]
    assert checks[1]["failure_reason"] == "http://api/health does not answer"
    # Recovery: what was wrong resolves, and uptime is known.
    assert answers(roles["operator"], AUTOMATION) == [0, 0, 0, 0, 1]
    summary = one(connection, "select * from monitoring.v_system_health_summary")
    assert (summary["status"], summary["uptime_percent"] is not None) == ("healthy", True)


def test_the_indexes_are_needless(connection: psycopg.Connection) -> None:
    connection.execute("set search_path = monitoring, public")
    for statement in filter(str.strip, INDEXES.split(";")):
        with pytest.raises(psycopg.errors.WrongObjectType, match="views"):
            connection.execute(statement.encode())
    comments = [
        value(connection, f"select obj_description('{name}'::regclass)")
        for name in ("processing_metrics", "error_tracking")
    ]
    assert all("index" in comment for comment in comments)
    connection.execute(
        """
        select record_finished_tasks(jsonb_agg(jsonb_build_object(
            'task_id', n, 'task_type', 'type-' || n % 5, 'start_time', now() - interval '1 second',
            'end_time', now()
        ))), record_errors(jsonb_agg(jsonb_build_object(
            'error_type', 'e', 'severity', 'low', 'message', 'm', 'component', 'c-' || n % 5
        ))) from generate_series(1, 20000) n"""
    )
    value(connection, "select roll_up()")
    connection.execute("vacuum analyze")
    for as_they_ask, as_we_answer in (
        (
            "select date_trunc('hour', start_time), count(*) from processing_metrics group by 1",
            "select bucket_at, sum(tasks) from v_task_trends where resolution = 'hour'"
            " and bucket_at > now() - interval '1 day' group by 1",
        ),
        (
            "select date_trunc('hour', occurred_at), count(*) from error_tracking group by 1",
            "select bucket_at, sum(occurrences) from v_error_trends where resolution = 'hour'"
            " and bucket_at > now() - interval '1 day' group by 1",
        ),
        (
            "select count(*) from processing_metrics where task_type = 'type-1'",
            "select sum(tasks) from v_task_trends where resolution = 'hour'"
            " and task_type = 'type-1' and bucket_at > now() - interval '1 day'",
        ),
        (
            "select count(*) from error_tracking where component = 'c-1'",
            "select sum(occurrences) from v_error_trends where resolution = 'hour'"
            " and component = 'c-1' and bucket_at > now() - interval '1 day'",
        ),
    ):
        theirs, ours = rows(connection, as_they_ask), rows(connection, as_we_answer)
        assert [row.popitem()[1] for row in theirs] == [row.popitem()[1] for row in ours]
        assert blocks(connection, as_we_answer) < blocks(connection, as_they_ask) / 2


def blocks(connection: psycopg.Connection, query: str) -> int:
    """Return how many blocks a query looks at."""
    ((plan,),) = connection.execute(f"explain (analyze, buffers, format json) {query}".encode())
    top = plan[0]["Plan"]
    return int(top["Shared Hit Blocks"] + top["Shared Read Blocks"])
