"""Counters and histograms for Prometheus: the totals that the database keeps.

Nothing is counted here: each answer of each service is what the database says at that moment, so
neither a restart nor a second service makes a counter go back. How many names there are is bounded
where they are counted.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from pgvigil.database.queries import totals
from pgvigil.faces.web.database import Reader

_OF_TASKS = ("task_type", "status")
_OF_ERRORS = ("error_type", "severity", "component")


async def read_counters(reader: Reader) -> list[Metric]:
    """Return what has been counted up to now."""
    tasks = await reader.rows(totals.TASKS)
    errors = await reader.rows(totals.ERRORS)
    notifications = await reader.rows(totals.NOTIFICATIONS)
    told = [{**row, "channel": row["channel_name"]} for row in notifications]
    return [
        _counter("tasks", "Tasks that have ended, by how they did.", _OF_TASKS, tasks),
        _counter("items", "Items that tasks had done when they ended.", _OF_TASKS, tasks),
        _durations(tasks),
        _counter("errors", "Errors recorded.", _OF_ERRORS, errors),
        _counter(
            "notifications",
            "Notifications sent, failed (an attempt that is made again) or given up (dead).",
            ("channel", "result"),
            told,
        ),
    ]


def _counter(
    noun: str, text: str, labels: tuple[str, ...], rows: Iterable[Mapping[str, Any]]
) -> CounterMetricFamily:
    metric = CounterMetricFamily(f"pgvigil_{noun}", text, labels=labels)
    for row in rows:
        metric.add_metric([row[label] for label in labels], float(row[noun]))
    return metric


def _durations(rows: Iterable[Mapping[str, Any]]) -> HistogramMetricFamily:
    """Return the distribution of durations; what has none yet is left out."""
    metric = HistogramMetricFamily(
        "pgvigil_task_duration_seconds",
        "Seconds from start to end of tasks that have ended.",
        labels=_OF_TASKS,
    )
    for row in rows:
        if row["durations"] > 0:
            bounds = zip(row["bucket_seconds"], row["bucket_counts"], strict=True)
            buckets = [(str(float(bound)), count) for bound, count in bounds]
            metric.add_metric(
                [row[label] for label in _OF_TASKS],
                [*buckets, ("+Inf", row["durations"])],
                row["duration_seconds"],
            )
    return metric
