"""The forms in which records are written down: columns as kinds have them, or as views show them.

A view of one of the systems shows tasks, metrics or log lines under names of its own; what it
shows is turned back into a record of its kind.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from pgvigil.client.backfill.kinds import KINDS, Kind

Row = dict[str, Any]
Turn = Callable[[Row, Collection[str]], Row]
"""Turns the values of a line that are not null, by their names, into a record; takes the names
of all values that the line has as well."""


@dataclass(frozen=True)
class Form:
    """A form, named as the view that it is of."""

    name: str
    kind: Kind
    columns: frozenset[str]
    required: frozenset[str]
    documents: frozenset[str]
    turn: Turn

    def row(self, values: Row, names: Collection[str]) -> Row:
        """Return what a line says as a record of its kind."""
        return self.turn(
            {name: value for name, value in values.items() if value is not None}, names
        )


def _plain(kind: Kind) -> Form:
    def turn(values: Row, names: Collection[str]) -> Row:
        return {name: value for name, value in values.items() if name not in kind.derived}

    return Form(kind.view, kind, kind.all_columns, kind.required, kind.documents, turn)


def _form(name: str, kind: str, required: str, columns: str, documents: str, turn: Turn) -> Form:
    needed, read = frozenset(required.split()), frozenset(documents.split())
    return Form(name, KINDS[kind], needed | read | frozenset(columns.split()), needed, read, turn)


def _renamed(values: Row, **names: str) -> Row:
    """Return values under other names, those that are there."""
    return {new: values[old] for new, old in names.items() if old in values}


def _picked(values: Row, *names: str) -> Row:
    return {name: values[name] for name in names if name in values}


_FIGURES = (
    "total_fixtures", "processed_fixtures", "successful_fixtures", "failed_fixtures",
    "total_chunks", "processed_chunks",
)  # fmt: skip


def _execution(values: Row, names: Collection[str]) -> Row:
    row = _renamed(
        values, task_id="execution_id", start_time="started_at", end_time="finished_at",
        status="status", items_total="total_fixtures", items_done="processed_fixtures",
    ) | {"task_type": "etl"}  # fmt: skip
    if "status" in row:
        row["status"] = str(row["status"]).lower()
    if "start_time" not in row and "duration_seconds" in values:
        row["duration_ms"] = float(values["duration_seconds"]) * 1000
    row["counters"] = {name: _number(value) for name, value in _picked(values, *_FIGURES).items()}
    row["metadata"] = _picked(values, "config", "error_message")
    return {name: value for name, value in row.items() if value != {}}


def _number(value: Any) -> Any:
    """Return a number that CSV has as a text."""
    return int(value) if isinstance(value, str) else value


def _etl_log(values: Row, names: Collection[str]) -> Row:
    row = _picked(values, "log_id", "level", "component", "message", "duration_ms")
    row |= _renamed(values, logged_at="timestamp", task_id="execution_id")
    details = values.get("details", {})
    if not isinstance(details, dict):
        details = {"details": details}
    about = {"execution_id": values.get("execution_id")} | _picked(values, "chunk_id", "fixture_id")
    return row | {"details": details | _as_texts(about)}


def _as_texts(values: Row) -> Row:
    return {name: None if value is None else str(value) for name, value in values.items()}


def _etl_metric(values: Row, names: Collection[str]) -> Row:
    row = _renamed(
        values, sample_id="metric_id", recorded_at="timestamp", task_id="execution_id",
        metric_name="metric_name", value="metric_value", unit="metric_unit",
    )  # fmt: skip
    about = _as_texts({"execution_id": values.get("execution_id")})
    return row | {"tags": values.get("tags", {}) | about}


def _batch_run(values: Row, names: Collection[str]) -> Row:
    row = _picked(values, "task_id", "attempt", "status", "worker_id", "counters", "metadata")
    row |= _renamed(
        values, task_type="step_name", start_time="started_at", end_time="finished_at",
        items_done="records_processed", items_total="records_total",
    )  # fmt: skip
    if "start_time" not in row and "duration_seconds" in values:
        row["duration_ms"] = float(values["duration_seconds"]) * 1000
    # What a view shows beside its documents, it shows from them.
    metadata = _picked(values, "error_message")
    if "metadata" not in names:
        metadata |= _as_texts(_picked(values, "business_date")) | _picked(values, "threads")
    if metadata:
        row["metadata"] = row.get("metadata", {}) | metadata
    if "counters" not in names and "records_remaining" in values:
        row["counters"] = {"remaining": _number(values["records_remaining"])}
    return row


_STATISTICS = (
    "total_records_queried", "valid_records", "invalid_records", "records_stored", "alerts_sent",
)  # fmt: skip


def _program_run(values: Row, names: Collection[str]) -> Row:
    row = {name: value for name, value in values.items() if name in KINDS["runs"].columns}
    counts = {name: _number(value) for name, value in _picked(values, *_STATISTICS).items()}
    if "statistics" not in names and counts:
        row["statistics"] = counts
    return row


def _present_health(values: Row, names: Collection[str]) -> Row:
    row = dict(values)
    row["checked_at"] = row.pop("last_check_at", None)
    return {name: value for name, value in row.items() if value is not None}


FORMS: tuple[Form, ...] = (
    *(_plain(kind) for name, kind in KINDS.items() if name != "runs"),
    _form(
        "processing_log",
        "runs",
        "dataset finished_at",
        "target_date run_mode status started_at execution_seconds task_id error_message "
        + " ".join(_STATISTICS),
        "statistics",
        _program_run,
    ),
    _form(
        "system_health",
        "health",
        "component_type component_name status last_check_at",
        "response_time_ms failure_reason",
        "details",
        _present_health,
    ),
    _form(
        "etl_executions",
        "tasks",
        "execution_id finished_at",
        "started_at status duration_seconds error_message " + " ".join(_FIGURES),
        "config",
        _execution,
    ),
    _form(
        "etl_logs",
        "logs",
        "timestamp level component",
        "log_id message execution_id chunk_id fixture_id duration_ms",
        "details",
        _etl_log,
    ),
    _form(
        "etl_metrics",
        "metrics",
        "timestamp metric_name metric_value",
        "metric_id execution_id metric_unit",
        "tags",
        _etl_metric,
    ),
    _form(
        "batch_execution_logs",
        "tasks",
        "step_name task_id finished_at",
        "workflow_name business_date attempt status started_at duration_seconds "
        "records_processed records_total records_remaining threads records_per_second "
        "error_message worker_id created_at",
        "counters metadata",
        _batch_run,
    ),
)

_WITH_THEIR_RULES = (
    "alerts belong to the rules of the database that they were raised in; once their history is "
    "loaded, backtest_alert_rule() tells what rules find in it. Keep the file"
)
NOT_LOADED: dict[str, str] = {
    "alerts": _WITH_THEIR_RULES,
    "alert_history": _WITH_THEIR_RULES,
    "batch_monitoring_alerts": _WITH_THEIR_RULES,
    "batch_performance_summary": "it is computed from the runs: load batch_execution_logs",
    "v_record_status": "it is computed from the changes: load status_history",
    "error_groups": "they are computed from the errors: load error_tracking",
}
"""Views whose rows cannot be loaded, and why."""

NAMES: dict[str, tuple[Form, ...]] = (
    {form.name: (form,) for form in FORMS}
    | {name: tuple(form for form in FORMS if form.kind is kind) for name, kind in KINDS.items()}
    | {"batch": tuple(form for form in FORMS if form.name == "batch_execution_logs")}
)
"""Forms by what people call them: a view has one, a kind as many as there are views of it."""
