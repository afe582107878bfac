"""What can be exported, and where it is read."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A view of which a span of time is exported."""

    query: str
    """Takes ``from`` and ``to`` and returns the rows in the order of time."""
    columns: Mapping[str, int]
    """Columns that fit a page, with the share of its width that each gets; > marks numbers."""


# What runs has no end yet, and counts by its beginning.
KINDS: Mapping[str, Kind] = {
    "tasks": Kind(
        """
        select *
        from monitoring.processing_metrics
        where (end_time >= %(from)s and end_time < %(to)s)
            or (end_time is null and start_time >= %(from)s and start_time < %(to)s)
        order by coalesce(end_time, start_time), task_id, attempt
        """,
        {
            "task_id": 5, "task_type": 4, "attempt>": 2, "status": 3, "start_time": 5,
            "end_time": 5, "duration_ms>": 3, "items_done>": 3, "items_total>": 3, "worker_id": 3,
        },
    ),
    "errors": Kind(
        """
        select *
        from monitoring.error_tracking
        where occurred_at >= %(from)s and occurred_at < %(to)s
        order by occurred_at, error_id
        """,
        {
            "occurred_at": 4, "severity": 2, "error_type": 4, "component": 3, "task_id": 4,
            "message": 12,
        },
    ),
    "metrics": Kind(
        """
        select *
        from monitoring.performance_monitoring
        where recorded_at >= %(from)s and recorded_at < %(to)s
        order by recorded_at, sample_id
        """,
        {
            "recorded_at": 4, "metric_name": 6, "metric_type": 2, "value>": 3, "unit": 2,
            "component": 3, "task_id": 3, "tags": 5,
        },
    ),
    "logs": Kind(
        """
        select *
        from monitoring.v_application_logs
        where logged_at >= %(from)s and logged_at < %(to)s
        order by logged_at, log_id
        """,
        {"logged_at": 4, "level": 2, "component": 3, "task_id": 4, "message": 14},
    ),
    "alerts": Kind(
        """
        select *
        from monitoring.alerts
        where started_at < %(to)s and (resolved_at is null or resolved_at >= %(from)s)
        order by started_at, alert_id
        """,
        {
            "alert_id>": 2, "severity": 2, "status": 3, "rule_name": 4, "summary": 12,
            "started_at": 4, "resolved_at": 4, "acknowledged_by": 3,
        },
    ),
    "batch": Kind(
        """
        select *
        from monitoring.batch_execution_logs
        where (finished_at >= %(from)s and finished_at < %(to)s)
            or (finished_at is null and started_at >= %(from)s and started_at < %(to)s)
        order by coalesce(finished_at, started_at), workflow_name, step_name, task_id, attempt
        """,
        {
            "business_date": 3, "workflow_name": 3, "step_name": 4, "status": 3, "started_at": 4,
            "finished_at": 4, "duration_seconds>": 3, "records_processed>": 3, "error_message": 7,
        },
    ),
    "records": Kind(
        """
        select *
        from monitoring.invalid_records
        where opened_at < %(to)s and (resolved_at is null or resolved_at >= %(from)s)
        order by opened_at, dataset, record_key, validation_type
        """,
        {
            "dataset": 3, "record_key": 5, "validation_type": 3, "status": 2, "group_name": 3,
            "message": 5, "target_date": 3, "opened_at": 4, "resolved_at": 4, "resolution": 3,
        },
    ),
    "statuses": Kind(
        """
        select *
        from monitoring.status_history
        where recorded_at >= %(from)s and recorded_at < %(to)s
        order by recorded_at, change_id
        """,
        {
            "recorded_at": 4, "dataset": 3, "record_key": 5, "validation_type": 3,
            "from_status": 3, "to_status": 3, "change_source": 3, "actor": 3,
        },
    ),
    "health": Kind(
        """
        select *
        from monitoring.v_health_history
        where checked_at >= %(from)s and checked_at < %(to)s
        order by checked_at, component_type, component_name, probe_id
        """,
        {
            "checked_at": 4, "component_type": 3, "component_name": 4, "status": 2,
            "response_time_ms>": 3, "failure_reason": 8,
        },
    ),
    "queues": Kind(
        """
        select *
        from monitoring.queue_monitoring
        where recorded_at >= %(from)s and recorded_at < %(to)s
        order by recorded_at, queue_name, sample_id
        """,
        {
            "recorded_at": 4, "queue_name": 5, "pending>": 2, "processing>": 2, "completed>": 2,
            "failed>": 2, "oldest_ready_seconds>": 3,
        },
    ),
    "products": Kind(
        """
        select *
        from monitoring.record_products
        where changed_at >= %(from)s and changed_at < %(to)s
        order by changed_at, dataset, record_key, product
        """,
        {
            "dataset": 3, "record_key": 5, "product": 4, "quantity>": 2, "amount>": 3,
            "first_seen_at": 4, "changed_at": 4,
        },
    ),
    "runs": Kind(
        """
        select *
        from monitoring.processing_log
        where finished_at >= %(from)s and finished_at < %(to)s
        order by finished_at, dataset, task_id
        """,
        {
            "dataset": 3, "target_date": 3, "run_mode": 2, "status": 2, "finished_at": 4,
            "execution_seconds>": 2, "valid_records>": 2, "invalid_records>": 2,
            "error_message": 6,
        },
    ),
    "summaries": Kind(
        """
        select *
        from monitoring.daily_summary
        where target_date >= %(from)s and target_date < %(to)s
        order by target_date, dataset
        """,
        {
            "dataset": 3, "target_date": 3, "runs>": 2, "valid_records>": 2, "invalid_open>": 2,
            "status_changes>": 2, "alerts_sent>": 2, "updated_at": 4,
        },
    ),
}  # fmt: skip
