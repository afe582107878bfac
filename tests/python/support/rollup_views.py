"""What the reading views must show, counted from the rows themselves, in Python alone."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import psycopg

from tests.python.support.asking import rows
from tests.python.support.rollup_oracle import (
    Key,
    Raw,
    Row,
    Sample,
    bucket,
    component_states,
    uptime,
)

RESOLUTIONS = ("minute", "hour", "day", "week", "month")
ERROR_BOUND = 0.025


def percentile(values: Iterable[float], fraction: float) -> float:
    """Return the smallest value that so much of all do not exceed, as percentile_disc has it."""
    ordered = sorted(values)
    return ordered[max(math.ceil(fraction * len(ordered)), 1) - 1]


def is_near(found: float | None, exact: float | None, bound: float = ERROR_BOUND) -> bool:
    """Whether a figure is within the bound of the exact one; None is near None alone."""
    if found is None or exact is None:
        return found is exact
    return abs(found - exact) <= bound * abs(exact) + 1e-9


def assert_views(connection: psycopg.Connection[Any], raw: Raw, now: datetime) -> None:
    """Compare every view that reads roll-ups with what the rows give.

    Args:
        connection: sees the very rows that ``raw`` holds.
        raw: all rows.
        now: the time that views go by.
    """
    samples = list(raw.samples())
    _assert_task_trends(connection, samples, now)
    _assert_error_trends(connection, samples, now)
    _assert_performance_trends(connection, samples, now)
    _assert_queue_trends(connection, samples, now)
    _assert_health_trends(connection, raw, samples, now)
    _assert_error_groups(connection, raw)
    _assert_states(connection, raw)
    _assert_last_day(connection, samples, now)
    for hours_from, hours_to in ((400, -1), (170.5, 3.2), (75, 51), (30, 29), (5, 4.9)):
        span = now - timedelta(hours=hours_from), now - timedelta(hours=hours_to)
        _assert_statistics(connection, samples, *span)


def _by(
    samples: Iterable[Sample],
    source: str,
    now: datetime,
    names: Callable[[Sample], Sequence[str | None]],
) -> dict[Key, list[Sample]]:
    """Group by resolution, bucket and names; minutes are kept for two days."""
    groups: dict[Key, list[Sample]] = defaultdict(list)
    for s in samples:
        if s.source == source:
            for resolution in RESOLUTIONS:
                at = bucket(resolution, s.at)
                if resolution != "minute" or at >= now - timedelta(days=2):
                    groups[resolution, at, *names(s)].append(s)
    return groups


def _values(samples: Iterable[Sample]) -> list[float]:
    return [float(s.value) for s in samples if s.value is not None]


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _compare(
    what: str,
    found: Iterable[Row],
    key: Sequence[str],
    expected: Mapping[Key, Mapping[str, Any]],
    near: Sequence[str] = (),
) -> None:
    by_key = {tuple(row[column] for column in key): row for row in found}
    assert by_key.keys() == expected.keys(), (what, by_key.keys() ^ expected.keys())
    for group, wanted in expected.items():
        for column, exact in wanted.items():
            shown = by_key[group][column]
            if isinstance(exact, float) or exact is None:
                bound = ERROR_BOUND if column in near else 1e-9
                assert is_near(shown, exact, bound), (what, group, column, shown, exact)
            else:
                assert shown == exact, (what, group, column, shown, exact)


def _duration_figures(samples: Sequence[Sample]) -> dict[str, Any]:
    values = _values(samples)
    return {
        "tasks": len(samples),
        "avg_duration_ms": _mean(values),
        "min_duration_ms": min(values, default=None),
        "max_duration_ms": max(values, default=None),
        "p50_duration_ms": percentile(values, 0.5) if values else None,
        "p95_duration_ms": percentile(values, 0.95) if values else None,
        "p99_duration_ms": percentile(values, 0.99) if values else None,
    }


NEAR_DURATIONS = ("p50_duration_ms", "p95_duration_ms", "p99_duration_ms")


def _assert_task_trends(
    connection: psycopg.Connection[Any], samples: Iterable[Sample], now: datetime
) -> None:
    groups = _by(samples, "tasks", now, lambda s: [s.name])
    expected = {
        group: _duration_figures(found)
        | {
            "completed": sum(s.label == "completed" for s in found),
            "failed": sum(s.label in ("failed", "timeout", "lost") for s in found),
        }
        for group, found in groups.items()
    }
    shown = rows(connection, "select * from monitoring.v_task_trends")
    _compare(
        "v_task_trends", shown, ("resolution", "bucket_at", "task_type"), expected, NEAR_DURATIONS
    )


def _assert_error_trends(
    connection: psycopg.Connection[Any], samples: Iterable[Sample], now: datetime
) -> None:
    groups = _by(samples, "errors", now, lambda s: [s.name, s.label, s.component or None])
    _compare(
        "v_error_trends",
        rows(connection, "select * from monitoring.v_error_trends"),
        ("resolution", "bucket_at", "error_type", "severity", "component"),
        {group: {"occurrences": len(found)} for group, found in groups.items()},
    )


def _assert_performance_trends(
    connection: psycopg.Connection[Any], samples: Iterable[Sample], now: datetime
) -> None:
    groups = _by(samples, "metrics", now, lambda s: [s.name, s.component or None, s.label or None])
    expected = {}
    for group, found in groups.items():
        values = _values(found)
        expected[group] = {
            "samples": len(values),
            "avg_value": _mean(values),
            "min_value": min(values),
            "max_value": max(values),
            "p50_value": percentile(values, 0.5),
            "p95_value": percentile(values, 0.95),
        }
    _compare(
        "v_performance_trends",
        rows(connection, "select * from monitoring.v_performance_trends"),
        ("resolution", "bucket_at", "metric_name", "component", "unit"),
        expected,
        ("p50_value", "p95_value"),
    )


def _assert_queue_trends(
    connection: psycopg.Connection[Any], samples: Iterable[Sample], now: datetime
) -> None:
    groups = _by(samples, "queues", now, lambda s: [s.name])
    expected = {}
    for group, found in groups.items():
        pending = _values(s for s in found if s.label == "pending")
        ages = _values(s for s in found if s.label == "oldest_ready_seconds")
        expected[group] = {
            "samples": len(pending),
            "avg_pending": _mean(pending),
            "max_pending": max(pending),
            "p95_pending": percentile(pending, 0.95),
            "avg_processing": _mean(_values(s for s in found if s.label == "processing")),
            "max_oldest_ready_seconds": max(ages, default=None),
        }
    shown = rows(connection, "select * from monitoring.v_queue_trends")
    key = ("resolution", "bucket_at", "queue_name")
    _compare("v_queue_trends", shown, key, expected, ("p95_pending",))


def _assert_health_trends(
    connection: psycopg.Connection[Any], raw: Raw, samples: Iterable[Sample], now: datetime
) -> None:
    seconds = uptime(raw, ("hour", "day", "week", "month"))
    groups = _by(samples, "health", now, lambda s: [s.component, s.name])
    expected = {}
    for group in groups.keys() | {key[:4] for key in seconds}:
        found = groups.get(group, [])
        of = {status: seconds.get((*group, status), 0.0) for status in ("healthy", "degraded")}
        expected[group] = {
            "checks": len(found),
            "unhealthy_checks": sum(s.label == "unhealthy" for s in found),
            "up_seconds": sum(of.values()),
            "known_seconds": sum(of.values()) + seconds.get((*group, "unhealthy"), 0.0),
            "avg_response_time_ms": _mean(_values(found)),
        }
    shown = rows(connection, "select * from monitoring.v_health_trends")
    # What was taken back leaves a row that says so.
    empty = [row for row in shown if not row["checks"] and not row["known_seconds"]]
    _compare(
        "v_health_trends",
        [row for row in shown if row not in empty or _health_key(row) in expected],
        ("resolution", "bucket_at", "component_type", "component_name"),
        expected,
    )


def _health_key(row: Row) -> Key:
    return row["resolution"], row["bucket_at"], row["component_type"], row["component_name"]


def _assert_error_groups(connection: psycopg.Connection[Any], raw: Raw) -> None:
    groups: dict[Key, list[Row]] = defaultdict(list)
    for row in raw.tables["errors"]:
        groups[(row["fingerprint"],)].append(row)
    expected = {}
    for group, found in groups.items():
        newest = max(found, key=lambda row: (row["occurred_at"], row["error_id"]))
        components = sorted({row["component"] for row in found if row["component"]})
        expected[group] = {
            "occurrences": len(found),
            "first_seen_at": min(row["occurred_at"] for row in found),
            "last_seen_at": newest["occurred_at"],
            "example": newest["message"],
            "error_type": newest["error_type"],
            "severity": newest["severity"],
            "components": components or None,
        }
    shown = rows(connection, "select * from monitoring.error_groups")
    _compare("error_groups", shown, ("fingerprint",), expected)


def _assert_states(connection: psycopg.Connection[Any], raw: Raw) -> None:
    states = component_states(raw)
    expected = {
        component: {"last_check_at": at, "status": status, "response_time_ms": milliseconds}
        for component, (at, _, status, milliseconds, *_) in states.items()
    }
    key = ("component_type", "component_name")
    shown = rows(connection, "select * from monitoring.system_health")
    _compare("system_health", shown, key, expected)
    summary = {
        component: {"last_status": state[2], "last_unhealthy_at": state[-1]}
        for component, state in states.items()
    }
    shown = rows(connection, "select * from monitoring.v_system_health_summary")
    _compare("v_system_health_summary", shown, key, summary)


def _assert_last_day(
    connection: psycopg.Connection[Any], samples: Iterable[Sample], now: datetime
) -> None:
    since = bucket("hour", now) - timedelta(hours=23)
    tasks: dict[Key, list[Sample]] = defaultdict(list)
    errors: dict[Key, int] = defaultdict(int)
    for s in samples:
        if s.at >= since and s.source == "tasks":
            tasks[(s.name,)].append(s)
        if s.at >= since and s.source == "errors":
            errors[s.name, s.label, s.component or None] += 1
    durations = {
        group: {
            column: figure
            for column, figure in _duration_figures(found).items()
            if column in ("tasks", "avg_duration_ms", "p50_duration_ms", "p95_duration_ms")
        }
        for group, found in tasks.items()
    }
    shown = rows(connection, "select * from monitoring.v_task_statistics")
    _compare("v_task_statistics", shown, ("task_type",), durations, NEAR_DURATIONS)
    _compare(
        "v_error_summary",
        rows(connection, "select * from monitoring.v_error_summary"),
        ("error_type", "severity", "component"),
        {group: {"occurrences": count} for group, count in errors.items()},
    )


def _assert_statistics(
    connection: psycopg.Connection[Any],
    samples: Iterable[Sample],
    from_at: datetime,
    to_at: datetime,
) -> None:
    first = bucket("hour", from_at)
    end = bucket("hour", to_at + timedelta(hours=1) - timedelta(microseconds=1))
    groups: dict[Key, list[Sample]] = defaultdict(list)
    for s in samples:
        if s.source == "tasks" and first <= s.at < end:
            groups[s.name, s.label].append(s)
    expected = {group: _duration_figures(found) for group, found in groups.items()}
    shown = rows(
        connection,
        f"select * from monitoring.get_task_statistics('{from_at}', '{to_at}')",
    )
    _compare("get_task_statistics", shown, ("task_type", "status"), expected, NEAR_DURATIONS)
