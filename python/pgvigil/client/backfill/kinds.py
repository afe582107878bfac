"""The kinds of records that a file can hold, and what their columns are called."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of record: the function that takes it, and its columns."""

    name: str
    function: str
    """Bulk function of schema monitoring."""
    parameter: str
    """Its parameter, without the ``p_``."""
    time_column: str
    """When it happened; every line must say so, or loading it again would double it."""
    id_column: str | None
    """Number that makes a line loadable once; None where other columns do that."""
    columns: frozenset[str]
    documents: frozenset[str]
    """Those of the columns that hold JSON."""
    can_repeat: bool = True
    """Whether lines with an id_column that are alike are as many occurrences."""


def _kind(
    name: str,
    function: str,
    time_column: str,
    id_column: str | None,
    columns: str,
    documents: str,
    parameter: str | None = None,
    can_repeat: bool = True,
) -> Kind:
    return Kind(
        name=name,
        function=function,
        parameter=parameter or name,
        time_column=time_column,
        id_column=id_column,
        columns=frozenset([*columns.split(), *documents.split(), time_column])
        | ({id_column} if id_column else frozenset()),
        documents=frozenset(documents.split()),
        can_repeat=can_repeat,
    )


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        _kind(
            "tasks",
            "record_finished_tasks",
            "end_time",
            None,  # task_id, attempt and end_time say which one it is
            "task_id task_type status start_time duration_ms attempt input_size output_size "
            "items_done items_total worker_id parent_task_id",
            "step_durations counters metadata",
        ),
        _kind(
            "errors",
            "record_errors",
            "occurred_at",
            "error_id",
            "task_id error_type severity message component stack fingerprint",
            "details",
        ),
        _kind(
            "metrics",
            "record_metrics",
            "recorded_at",
            "sample_id",
            "metric_name metric_type value unit component task_id",
            "tags",
        ),
        _kind(
            "logs",
            "record_logs",
            "logged_at",
            "log_id",
            "component level message task_id duration_ms",
            "details",
        ),
        _kind(
            "records",
            "load_invalid_records",
            "first_detected_at",
            None,  # dataset, record_key, validation_type and the time say which one it is
            "dataset record_key validation_type group_name reported_value message target_date "
            "opened_at last_detected_at times_detected times_reopened alerted_at task_id "
            "resolved_at resolution resolved_by resolution_reason",
            "details",
        ),
        _kind(
            "statuses",
            "load_status_changes",
            "effective_at",
            "change_id",
            "dataset record_key from_status to_status validation_type change_source actor "
            "source_name task_id",
            "details",
            parameter="changes",
            can_repeat=False,
        ),
    )
}
