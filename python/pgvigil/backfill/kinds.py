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


def _kind(
    name: str, function: str, time_column: str, id_column: str | None, columns: str, documents: str
) -> Kind:
    return Kind(
        name=name,
        function=function,
        parameter=name,
        time_column=time_column,
        id_column=id_column,
        columns=frozenset([*columns.split(), *documents.split(), time_column])
        | ({id_column} if id_column else frozenset()),
        documents=frozenset(documents.split()),
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
    )
}
