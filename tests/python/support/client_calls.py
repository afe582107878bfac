"""Each call of the client that records something, with arguments that work."""

import inspect
import re
from datetime import UTC, date, datetime
from typing import Any

import psycopg

from pgvigil.client.recording.tracking import TrackingCalls
from tests.python.support.asking import OwnError, value

DAY = date(2024, 5, 1)
AT = datetime(2024, 5, 1, 12, tzinfo=UTC)
# Each call with arguments, in an order in which each finds what it needs.
CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("start_task", ("load", 5), {"task_id": "t", "started_at": AT}),
    ("update_task", ("t",), {"items_done": 4, "at": AT}),
    ("heartbeat", ("t",), {}),
    ("record_error", ("t", "Kind", "low", "what"), {"occurred_at": AT}),
    ("record_exception", (OwnError("own"),), {"stack": "stack", "occurred_at": AT}),
    ("record_performance_metric", ("rows", "counter", 7), {"recorded_at": AT}),
    ("record_log", ("info", "here"), {"logged_at": AT}),
    ("update_system_health", ("db", "main", "healthy"), {"checked_at": AT}),
    ("record_queue_metrics", ("q", 1), {"recorded_at": AT}),
    ("record_release", ("1.4",), {"released_at": AT}),
    ("record_finished_tasks", ([{"task_id": "f", "task_type": "x", "end_time": AT}],), {}),
    ("record_errors", ([{"error_type": "E", "severity": "low", "message": "m"}],), {}),
    ("record_metrics", ([{"metric_name": "m", "value": 1, "recorded_at": AT}],), {}),
    ("record_logs", ([{"level": "info", "message": "m", "logged_at": AT}],), {}),
    ("complete_task", ("t",), {"finished_at": AT}),
    ("start_task", ("load",), {"task_id": "bad", "started_at": AT}),
    ("fail_task", ("bad", "Kind", "it failed"), {"occurred_at": AT}),
    ("start_etl_execution", ("e",), {"started_at": AT}),
    ("log_etl_event", ("info", "loader", "here"), {"execution_id": "e", "logged_at": AT}),
    ("record_etl_metric", ("e", "rows", 3), {"recorded_at": AT}),
    ("finish_etl_execution", ("e",), {"finished_at": AT}),
    ("log_invalid_records", ("orders", ["1", "2"], "NUMBER"), {"target_date": DAY}),
    ("sync_invalid_records", ("orders", "NUMBER", {"keys": ["1", "2"]}, ["1"]), {}),
    ("track_status_changes", ("orders", [{"record_key": "1", "status": "PAID"}]), {}),
    ("track_all_status_changes_from_source", ("nowhere",), {}),
    ("sync_record_source", ("nowhere",), {}),
    ("track_record_products", ("orders", [{"record_key": "1", "products": ["tea"]}]), {}),
    ("log_program_execution", ("orders", DAY, {"valid_records": 1}), {"task_id": "run"}),
    ("auto_resolve_invalid_records", ("orders", DAY), {}),
    ("resolve_invalid_records", ("orders", ["1"]), {}),
    ("update_daily_summary", ("orders", DAY), {}),
    ("cleanup_old_monitoring_data", (3000,), {}),
]
_VIEWS = (
    "processing_metrics", "error_tracking", "performance_monitoring", "v_application_logs",
    "system_health", "queue_monitoring", "invalid_records", "status_history", "record_products",
    "processing_log", "daily_summary", "v_releases",
)  # fmt: skip


def calls_of(client: type[TrackingCalls]) -> set[str]:
    """Return the names of the calls that record something."""
    return {
        name
        for name, method in inspect.getmembers(client, inspect.isfunction)
        if not name.startswith("_") and name not in ("task", "tracked", "never_raising")
    }


def counts(dsn: str) -> dict[str, int]:
    """Return how much of each kind there is."""
    with psycopg.connect(dsn) as connection:
        return {
            view: value(connection, f"select count(*) from monitoring.{view}") for view in _VIEWS
        }


def timeless(answers: list[Any]) -> list[str]:
    """Return answers as texts, without the times of now in them."""
    return [re.sub(r"'20\d\d-\S+T\S+'", "(now)", str(answer)) for answer in answers]
