"""Figures for Prometheus: each a column of a view, with other columns for labels."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from pgvigil import __version__
from pgvigil.database.queries import alerts, batch, expected_runs, jobs, state, tasks
from pgvigil.faces.web.counters import read_counters
from pgvigil.faces.web.database import Reader


@dataclass(frozen=True)
class Figure:
    """One metric."""

    name: str
    """Without its prefix; a running total ends in _total."""
    column: str
    help: str
    factor: float = 1.0
    """Makes a base unit of the column's."""


@dataclass(frozen=True)
class Source:
    """A query, and what its rows hold."""

    query: str
    labels: Mapping[str, str]
    """Columns by name of the label."""
    figures: Sequence[Figure]


# However many names programs send, an answer stays one that Prometheus takes: so many rows of each
# query, and so many bytes of them.
_MOST_ROWS = 1000
_MOST_BYTES = 300_000
_BESIDE_LABELS = 60
_PER_MILLISECOND = 0.001
_PER_PERCENT = 0.01

SOURCES = (
    Source(
        tasks.RUNNING_BY_TYPE,
        {"task_type": "task_type"},
        (
            Figure("tasks_running", "running", "Tasks that run."),
            Figure(
                "task_longest_running_seconds",
                "longest_ms",
                "How long the longest running task has been running.",
                _PER_MILLISECOND,
            ),
        ),
    ),
    Source(
        tasks.STATISTICS,
        {"task_type": "task_type"},
        (
            Figure("tasks_last_day", "tasks", "Tasks that ended in this hour and the 23 before."),
            Figure("tasks_completed_last_day", "completed", "Those of them that completed."),
            Figure(
                "tasks_failed_last_day",
                "failed",
                "Those of them that failed, timed out or got lost.",
            ),
            Figure(
                "tasks_ended_otherwise_last_day",
                "ended_otherwise",
                "Those of them that were cancelled.",
            ),
            Figure(
                "task_duration_p50_seconds",
                "p50_duration_ms",
                "Median of their durations.",
                _PER_MILLISECOND,
            ),
            Figure(
                "task_duration_p95_seconds",
                "p95_duration_ms",
                "95 % of them took no longer.",
                _PER_MILLISECOND,
            ),
            Figure(
                "task_duration_p99_seconds",
                "p99_duration_ms",
                "99 % of them took no longer.",
                _PER_MILLISECOND,
            ),
        ),
    ),
    Source(
        state.ERRORS,
        {"error_type": "error_type", "severity": "severity", "component": "component"},
        (
            Figure(
                "errors_last_day",
                "occurrences",
                "Errors recorded in this hour and the 23 before.",
            ),
        ),
    ),
    Source(
        state.QUEUES,
        {"queue": "queue_name"},
        (
            Figure("queue_pending", "pending", "Items waiting."),
            Figure("queue_processing", "processing", "Items being worked on."),
            Figure("queue_completed_total", "completed", "Items done, as the queue counts them."),
            Figure("queue_failed_total", "failed", "Items failed, as the queue counts them."),
            Figure(
                "queue_oldest_ready_seconds",
                "oldest_ready_seconds",
                "How long the oldest waiting item has been ready.",
            ),
        ),
    ),
    Source(
        state.HEALTH_AS_FIGURES,
        {"component_type": "component_type", "component": "component_name"},
        (
            Figure(
                "component_up",
                "is_up",
                "1 when the component is healthy or degraded; left out while that is not known.",
            ),
            Figure(
                "component_uptime_ratio",
                "uptime_percent",
                "Share of the last day in which it was up.",
                _PER_PERCENT,
            ),
            Figure(
                "component_response_seconds",
                "response_time_ms",
                "Time until it answered its newest check.",
                _PER_MILLISECOND,
            ),
            Figure(
                "component_seconds_since_check",
                "seconds_since_check",
                "Time since its newest check.",
            ),
        ),
    ),
    Source(
        alerts.ACTIVE_BY_RULE,
        {"rule": "rule_name", "severity": "severity", "status": "status"},
        (Figure("alerts_active", "alerts", "Alerts that fire, acknowledged or not."),),
    ),
    Source(
        batch.HEALTH,
        {"workflow": "workflow_name"},
        (
            Figure("batch_steps", "steps", "Steps of the business day."),
            Figure("batch_steps_complete", "complete", "Steps that are complete."),
            Figure("batch_steps_running", "running", "Steps that run."),
            Figure("batch_steps_late", "late", "Steps that are late."),
            Figure("batch_steps_failed", "failed", "Steps that have failed."),
            Figure(
                "batch_success_ratio",
                "success_percent",
                "Completed of all runs of the last week.",
                _PER_PERCENT,
            ),
            Figure("batch_records_per_second", "records_per_second", "Mean rate of the day."),
        ),
    ),
    Source(
        expected_runs.AS_FIGURES,
        {"task_type": "task_type"},
        (
            Figure(
                "expected_run_missed",
                "missed",
                "1 while a run that is expected by the clock has not come, its grace being over.",
            ),
            Figure(
                "expected_run_next_timestamp_seconds",
                "next_due_seconds",
                "When the next run is due, in seconds since 1970.",
            ),
        ),
    ),
    Source(
        jobs.JOBS,
        {"job": "job_name"},
        (
            Figure("job_runs_total", "runs", "Runs of the job."),
            Figure("job_failures_total", "failures", "Runs that did not complete."),
            Figure("job_late_seconds", "seconds_late", "How late the job is."),
        ),
    ),
    Source(
        alerts.ENABLED_RULES,
        {"rule": "rule_name"},
        (
            Figure("alert_rule_evaluations_total", "evaluations", "Evaluations of the rule."),
            Figure("alert_rule_failures_total", "failures", "Evaluations that failed."),
            Figure(
                "alert_rule_duration_seconds",
                "duration_ms",
                "How long the last evaluation took.",
                _PER_MILLISECOND,
            ),
        ),
    ),
    Source(
        state.FRESHNESS_AS_FIGURES,
        {"subject": "subject"},
        (
            Figure(
                "known",
                "known",
                "1 while it is known; 0 while nothing has looked lately, so that having no alert "
                "means nothing.",
            ),
            Figure("last_look_age_seconds", "seconds_old", "Time since it was last looked at."),
        ),
    ),
    Source(
        state.CHANNELS,
        {"channel": "channel_name"},
        (
            Figure("notifications_waiting", "waiting", "Notifications to be sent."),
            Figure("notifications_dead", "dead", "Notifications that were given up."),
        ),
    ),
)


class Snapshot(Collector):
    """Metrics that have been read already."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        """Keep them."""
        self._metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        """Return them."""
        return self._metrics


async def read_metrics(reader: Reader) -> list[Metric]:
    """Return all metrics as they are now; a figure that is null is left out."""
    version = GaugeMetricFamily(
        "pgvigil_info", "1, with the version of pgvigil.", labels=["version"]
    )
    version.add_metric([__version__], 1)
    left_out = GaugeMetricFamily(
        "pgvigil_names_left_out",
        "Names left out of this answer, by the first metric that they lack.",
        labels=["figure"],
    )
    metrics: list[Metric] = [version, left_out]
    for source in SOURCES:
        found = await reader.rows(_bounded(source))
        rows = _first(source, found)
        all_rows = found[0]["all_rows"] if found else 0
        left_out.add_metric([f"pgvigil_{source.figures[0].name}"], all_rows - len(rows))
        metrics += [_metric(figure, source.labels, rows) for figure in source.figures]
    return metrics + await read_counters(reader)


def _bounded(source: Source) -> str:
    """Return the query for the first rows in the order of their labels, and how many there are.

    What is no figure is left out: to read the other columns took most of the time.
    """
    order = ", ".join(f"s.{column}" for column in source.labels.values())
    figures = ", ".join(f"s.{figure.column}" for figure in source.figures)
    return (
        f"select {order}, {figures}, count(*) over () as all_rows from ({source.query}) as s"
        f" order by {order} limit {_MOST_ROWS}"
    )


def _first(source: Source, rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Return as many rows as their series have room for."""
    room = _MOST_BYTES
    for place, row in enumerate(rows):
        names = sum(len(str(row[column]).encode()) for column in source.labels.values())
        room -= (names + _BESIDE_LABELS) * len(source.figures)
        if room < 0:
            return rows[:place]
    return rows


def _metric(
    figure: Figure, labels: Mapping[str, str], rows: Sequence[Mapping[str, Any]]
) -> GaugeMetricFamily | CounterMetricFamily:
    kind = CounterMetricFamily if figure.name.endswith("_total") else GaugeMetricFamily
    metric = kind(f"pgvigil_{figure.name}", figure.help, labels=list(labels))
    for row in rows:
        value = row[figure.column]
        if value is not None:
            names = [str(row[column] or "") for column in labels.values()]
            metric.add_metric(names, float(value) * figure.factor)
    return metric
