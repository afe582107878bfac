"""The kinds of records that a file can hold, and what their columns are called."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of record, and its columns."""

    name: str
    """The kind as ``load_history()`` calls it."""
    view: str
    """View of schema monitoring that shows such records."""
    time_column: str
    """When it happened; every line must say so, or loading it again would double it."""
    id_column: str | None
    """Number that makes a line loadable once; None where other columns do that."""
    columns: frozenset[str]
    documents: frozenset[str]
    """Those of the columns that hold JSON."""
    required: frozenset[str]
    """Those that every line has."""
    derived: frozenset[str] = frozenset()
    """Further columns of the view, which are passed over: they follow from others."""
    can_repeat: bool = True
    """Whether lines with an id_column that are alike are as many occurrences."""

    @property
    def all_columns(self) -> frozenset[str]:
        """All that a line may have."""
        return self.columns | self.derived


TEXTS = frozenset(
    ("message", "stack", "reported_value", "failure_reason", "resolution_reason", "error_message")
)
"""Columns in which an empty text is another thing than nothing."""


def _kind(
    name: str,
    view: str,
    time_column: str,
    id_column: str | None,
    required: str,
    columns: str,
    documents: str = "",
    *,
    derived: str = "",
    can_repeat: bool = True,
) -> Kind:
    needed = frozenset([*required.split(), time_column])
    numbers = frozenset([id_column] if id_column else [])
    return Kind(
        name=name,
        view=view,
        time_column=time_column,
        id_column=id_column,
        columns=needed | numbers | frozenset([*columns.split(), *documents.split()]),
        documents=frozenset(documents.split()),
        required=needed,
        derived=frozenset(derived.split()),
        can_repeat=can_repeat,
    )


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        _kind(
            "tasks",
            "processing_metrics",
            "end_time",
            None,  # task_id, attempt and end_time say which one it is
            "task_id task_type",
            "status start_time duration_ms attempt input_size output_size items_done items_total "
            "worker_id parent_task_id",
            "step_durations counters metadata",
            derived="heartbeat_at progress_at backend_pid",
        ),
        _kind(
            "errors",
            "error_tracking",
            "occurred_at",
            "error_id",
            "error_type severity",
            "message task_id component stack fingerprint",
            "details",
            derived="error_group",
        ),
        _kind(
            "metrics",
            "performance_monitoring",
            "recorded_at",
            "sample_id",
            "metric_name value",
            "metric_type unit component task_id",
            "tags",
        ),
        _kind(
            "logs",
            "v_application_logs",
            "logged_at",
            "log_id",
            "component level",
            "message task_id duration_ms",
            "details",
        ),
        _kind(
            "health",
            "v_health_history",
            "checked_at",
            None,  # what was seen of a component at a time is told once
            "component_type component_name status",
            "response_time_ms failure_reason",
            "details",
            derived="probe_id",
        ),
        _kind(
            "queues",
            "queue_monitoring",
            "recorded_at",
            None,  # what was seen of a queue at a time is told once
            "queue_name pending",
            "processing completed failed oldest_ready_seconds",
            derived="sample_id",
        ),
        _kind(
            "records",
            "invalid_records",
            "first_detected_at",
            None,  # dataset, record_key, validation_type and the time say which one it is
            "dataset record_key validation_type",
            "group_name reported_value message target_date opened_at last_detected_at "
            "times_detected times_reopened alerted_at task_id resolved_at resolution resolved_by "
            "resolution_reason",
            "details",
            derived="status is_alerted seconds_open",
        ),
        _kind(
            "statuses",
            "status_history",
            "effective_at",
            "change_id",
            "dataset record_key to_status",
            "from_status validation_type change_source actor source_name task_id recorded_at "
            "login_name",
            "details",
            can_repeat=False,
        ),
        _kind(
            "products",
            "record_products",
            "changed_at",
            None,  # dataset, record_key and product say which one it is
            "dataset record_key product",
            "quantity amount first_seen_at task_id",
            "details",
        ),
        _kind(
            "runs",
            "processing_log",
            "finished_at",
            None,  # dataset, target_date, task_id and the time say which one it is
            "dataset",
            "target_date run_mode status started_at execution_seconds task_id error_message",
            "statistics",
        ),
        _kind(
            "summaries",
            "daily_summary",
            "target_date",
            None,  # dataset and target_date say which one it is
            "dataset",
            "runs records_queried valid_records invalid_records records_stored alerts_sent "
            "invalid_opened invalid_resolved invalid_open status_changes products updated_at",
            "invalid_by_type status_changes_by_source",
        ),
    )
}
