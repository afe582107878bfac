"""Files to backfill from, and what became of them."""

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psycopg

AT = "2024-05-01T12:00:00+00:00"
VIEWS = {
    "tasks": "processing_metrics",
    "errors": "error_tracking",
    "metrics": "performance_monitoring",
    "logs": "v_application_logs",
    "health": "v_health_history",
    "queues": "queue_monitoring",
    "records": "invalid_records",
    "statuses": "status_history",
    "products": "record_products",
    "runs": "processing_log",
    "summaries": "daily_summary",
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "tasks": {
        "task_id": "t1", "task_type": "load", "status": "failed", "attempt": 2,
        "start_time": "2024-05-01T11:59:00+00:00", "end_time": AT, "duration_ms": 60000,
        "input_size": 1, "output_size": 2, "items_done": 3, "items_total": 4, "worker_id": "w",
        "parent_task_id": "p", "step_durations": {"s": 1.5}, "counters": {"c": 1},
        "metadata": {"m": [1, "x"]},
    },
    "errors": {
        "task_id": "t1", "error_type": "E", "severity": "low", "message": "m", "component": "c",
        "stack": "s", "fingerprint": "f", "details": {"d": 1}, "occurred_at": AT, "error_id": -7,
    },
    "metrics": {
        "metric_name": "m", "metric_type": "timer", "value": 1.25, "unit": "s", "component": "c",
        "task_id": "t1", "tags": {"t": "x"}, "recorded_at": AT, "sample_id": -7,
    },
    "logs": {
        "component": "c", "level": "INFO", "message": "m", "task_id": "t1", "duration_ms": 1.5,
        "details": {"d": 1}, "logged_at": AT, "log_id": -7,
    },
    "health": {
        "component_type": "api", "component_name": "shop", "status": "degraded",
        "response_time_ms": 12.5, "failure_reason": "slow", "details": {"d": 1}, "checked_at": AT,
    },
    "queues": {
        "queue_name": "q", "pending": 3, "processing": 2, "completed": 1, "failed": 0,
        "oldest_ready_seconds": 1.5, "recorded_at": AT,
    },
    "records": {
        "dataset": "apr", "record_key": "1", "validation_type": "SEUNO", "group_name": "Rio",
        "reported_value": "x", "message": "m", "details": {"d": 1}, "target_date": "2024-05-01",
        "first_detected_at": AT, "opened_at": "2024-05-02T12:00:00+00:00",
        "last_detected_at": "2024-05-03T12:00:00+00:00", "times_detected": 4, "times_reopened": 1,
        "alerted_at": "2024-05-02T13:00:00+00:00", "task_id": "t1",
        "resolved_at": "2024-05-04T12:00:00+00:00", "resolution": "manual", "resolved_by": "ann",
        "resolution_reason": "r",
    },
    "statuses": {
        "dataset": "apr", "record_key": "1", "from_status": "OPEN", "to_status": "DONE",
        "validation_type": "SEUNO", "change_source": "BOT", "actor": "robot", "source_name": "s",
        "task_id": "t1", "details": {"d": 1}, "effective_at": AT, "change_id": -7,
        "recorded_at": "2024-05-01T12:30:00+00:00", "login_name": "portal",
    },
    "products": {
        "dataset": "apr", "record_key": "1", "product": "A", "quantity": 2, "amount": 12.5,
        "details": {"d": 1}, "first_seen_at": AT, "changed_at": "2024-05-02T12:00:00+00:00",
        "task_id": "t1",
    },
    "runs": {
        "dataset": "apr", "target_date": "2024-05-01", "run_mode": "partial", "status": "failed",
        "started_at": "2024-05-01T11:59:00+00:00", "finished_at": AT, "execution_seconds": 60,
        "statistics": {"valid_records": 7}, "task_id": "r1", "error_message": "no answer",
    },
    "summaries": {
        "dataset": "apr", "target_date": "2024-05-01", "runs": 1, "records_queried": 2,
        "valid_records": 3, "invalid_records": 4, "records_stored": 5, "alerts_sent": 6,
        "invalid_opened": 7, "invalid_resolved": 8, "invalid_open": 9,
        "invalid_by_type": {"SEUNO": 7}, "status_changes": 10,
        "status_changes_by_source": {"BOT": 10}, "products": 11, "updated_at": AT,
    },
}  # fmt: skip


def log(message: str, **more: Any) -> dict[str, Any]:
    """Return a log line."""
    return {"component": "c", "level": "info", "message": message, "logged_at": AT, **more}


def write_jsonl(path: Path, lines: Iterable[dict[str, Any] | str]) -> Path:
    """Write records, and lines as they are, one below the other."""
    texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    path.write_text("".join(f"{text}\n" for text in texts))
    return path


def write_csv(path: Path, records: list[dict[str, Any]]) -> Path:
    """Write records below a header."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, records[0].keys())
        writer.writeheader()
        for record in records:
            writer.writerow(
                {k: json.dumps(v) if isinstance(v, dict) else v for k, v in record.items()}
            )
    return path


def messages(connection: psycopg.Connection) -> list[str]:
    """Return the messages of all log lines, sorted."""
    found = connection.execute("select message from monitoring.v_application_logs order by 1")
    return [row[0] for row in found]


def count_of(connection: psycopg.Connection, view: str) -> int:
    """Return the number of rows of a view."""
    row = connection.execute(f"select count(*) from monitoring.{view}".encode()).fetchone()
    assert row is not None
    return int(row[0])


def without_id(example: dict[str, Any]) -> dict[str, Any]:
    """Return an example without the number that makes it loadable once."""
    return {name: value for name, value in example.items() if value != -7}
