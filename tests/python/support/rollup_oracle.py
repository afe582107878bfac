"""What roll-ups must hold, counted from the rows themselves, in Python alone."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from typing import Any

import psycopg

from tests.python.support.asking import rows

Row = dict[str, Any]
Key = tuple[Any, ...]

HISTOGRAM_BASE = 0.048790164169432
WIDTHS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
DURATION_BOUNDS = (
    0.01, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 21600, 86400,
)  # fmt: skip
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

TABLES: dict[str, tuple[str, ...]] = {
    "finished_tasks": ("task_id", "finished_at", "attempt"),
    "errors": ("error_id",),
    "metric_samples": ("sample_id", "recorded_at"),
    "queue_samples": ("sample_id",),
    "health_probes": ("probe_id",),
}
"""The tables that are rolled up, each with the columns that tell its rows apart here."""


@dataclass(frozen=True)
class Sample:
    """A row as roll-ups see it."""

    source: str
    name: str
    label: str
    component: str
    at: datetime
    value: float | None


class Raw:
    """The rows of all tables, or some of them."""

    def __init__(self, tables: Mapping[str, list[Row]]) -> None:
        """Take the rows of each table."""
        self.tables = dict(tables)

    def keys(self, table: str) -> set[Key]:
        """Return what tells the rows of a table apart."""
        return {_key(table, row) for row in self.tables[table]}

    def only(self, keys: Mapping[str, set[Key]]) -> "Raw":
        """Return the rows of given keys."""
        return Raw(
            {
                table: [row for row in found if _key(table, row) in keys[table]]
                for table, found in self.tables.items()
            }
        )

    def samples(self) -> Iterator[Sample]:
        """Yield the rows as roll-ups see them."""
        for t in self.tables["finished_tasks"]:
            at, ms = t["finished_at"], t["duration_ms"]
            yield Sample("tasks", t["task_type"], t["status"], "", at, ms)
        for e in self.tables["errors"]:
            component = e["component"] or ""
            yield Sample(
                "errors", e["error_type"], e["severity"], component, e["occurred_at"], None
            )
        for m in self.tables["metric_samples"]:
            component, unit = m["component"] or "", m["unit"] or ""
            yield Sample("metrics", m["metric_name"], unit, component, m["recorded_at"], m["value"])
        for q in self.tables["queue_samples"]:
            for figure in ("pending", "processing", "completed", "failed", "oldest_ready_seconds"):
                yield Sample("queues", q["queue_name"], figure, "", q["recorded_at"], q[figure])
        for p in self.tables["health_probes"]:
            yield Sample(
                "health",
                p["component_name"],
                p["status"],
                p["component_type"],
                p["checked_at"],
                p["response_time_ms"],
            )

    def checks(self) -> dict[tuple[str, str], list[Row]]:
        """Return the checks of each component (type, name) in order."""

        def component(row: Row) -> tuple[str, str]:
            return row["component_type"], row["component_name"]

        ordered = sorted(
            self.tables["health_probes"],
            key=lambda p: (*component(p), p["checked_at"], p["probe_id"]),
        )
        return {name: list(checks) for name, checks in groupby(ordered, component)}


def read_raw(connection: psycopg.Connection[Any]) -> Raw:
    """Read all rows that the connection sees."""
    return Raw(
        {table: rows(connection, f"select * from monitoring._all_{table}") for table in TABLES}
    )


def bucket(resolution: str, at: datetime) -> datetime:
    """Return the beginning of the span that a time lies in, in UTC."""
    at = at.astimezone(UTC)
    if resolution == "month":
        return datetime(at.year, at.month, 1, tzinfo=UTC)
    if resolution == "week":
        return bucket("day", at) - timedelta(days=at.weekday())
    return at - (at - EPOCH) % WIDTHS[resolution]


def cell(value: float) -> int:
    """Return the number of a value's cell."""
    if value == 0:
        return 0
    number = 10000 + math.ceil(math.log(abs(value)) / HISTOGRAM_BASE)
    return number if value > 0 else -number


def figures(values: Iterable[float | None]) -> tuple[Any, ...]:
    """Return what a bucket keeps: rows, values, sum, sum of squares, min, max, histogram."""
    told = list(values)
    known = [float(value) for value in told if value is not None]
    cells: dict[int, int] = defaultdict(int)
    for value in known:
        cells[cell(value)] += 1
    return (
        len(told),
        len(known),
        sum(known),
        sum(value * value for value in known),
        min(known, default=None),
        max(known, default=None),
        sorted(cells.items()),
    )


def spells(raw: Raw) -> Iterator[tuple[tuple[str, str], str, datetime, datetime]]:
    """Yield component, status, beginning and end of each time between two checks."""
    for component, checks in raw.checks().items():
        for check, following in pairwise(checks):
            yield component, check["status"], check["checked_at"], following["checked_at"]


def uptime(raw: Raw, resolutions: Iterable[str] = ("hour", "day")) -> dict[Key, float]:
    """Return seconds by resolution, bucket, component type, component name and status."""
    seconds: dict[Key, float] = defaultdict(float)
    for component, status, begins_at, ends_at in spells(raw):
        for at, until in _days_and_hours(begins_at, ends_at):
            for resolution in resolutions:
                key = (resolution, bucket(resolution, at), *component, status)
                seconds[key] += (until - at).total_seconds()
    return {key: total for key, total in seconds.items() if total > 1e-7}


def error_totals(raw: Raw) -> dict[Key, Key]:
    """Return what is kept of each error group, by type, severity and component."""
    groups: dict[Key, list[Row]] = defaultdict(list)
    for row in raw.tables["errors"]:
        group = (row["fingerprint"], row["error_type"], row["severity"], row["component"] or "")
        groups[group].append(row)
    return {group: _error_total(found) for group, found in groups.items()}


def component_states(raw: Raw) -> dict[Key, Key]:
    """Return the newest check of each component, and when it was last unhealthy."""
    states: dict[Key, Key] = {}
    for component, checks in raw.checks().items():
        newest = checks[-1]
        unhealthy = [check["checked_at"] for check in checks if check["status"] == "unhealthy"]
        states[component] = (
            newest["checked_at"],
            newest["probe_id"],
            newest["status"],
            newest["response_time_ms"],
            newest["failure_reason"],
            max(unhealthy, default=None),
        )
    return states


def assert_stored(connection: psycopg.Connection[Any], raw: Raw, minutes_since: datetime) -> None:
    """Compare what is stored, and not the views, with what the rows give."""
    grouped: dict[Key, list[float | None]] = defaultdict(list)
    for s in raw.samples():
        for resolution in WIDTHS:
            at = bucket(resolution, s.at)
            if resolution != "minute" or at >= minutes_since:
                grouped[s.source, resolution, at, s.name, s.label, s.component].append(s.value)
    expected = {key: figures(values) for key, values in grouped.items()}
    _assert_same("roll-ups", _stored_rollups(connection), expected)
    _assert_uptime(_stored_uptime(connection), uptime(raw))
    _assert_same("error groups", _stored_totals(connection), error_totals(raw))
    _assert_same("component states", _stored_states(connection), component_states(raw))


def assert_running_totals(connection: psycopg.Connection[Any], raw: Raw) -> None:
    """Compare what has been counted with the rows, none of which has been taken back."""
    ends: dict[Key, list[Row]] = defaultdict(list)
    for row in raw.tables["finished_tasks"]:
        ends[row["task_type"], row["status"]].append(row)
    _assert_same(
        "tasks counted", _stored_ends(connection), {k: _counted(r) for k, r in ends.items()}
    )
    errors: dict[Key, int] = defaultdict(int)
    for row in raw.tables["errors"]:
        errors[row["error_type"], row["severity"], row["component"] or ""] += 1
    found = connection.execute(
        "select error_type, severity, component, errors from monitoring.v_error_totals"
    )
    stored = {row[:3]: row[3:] for row in found if row[3] > 0}
    _assert_same("errors counted", stored, {key: (n,) for key, n in errors.items()})


def _counted(ends: list[Row]) -> Key:
    """Return how many, their items, how many have a duration, and how many are in each bucket."""
    seconds = [row["duration_ms"] / 1000 for row in ends if row["duration_ms"] is not None]
    within = [sum(1 for each in seconds if each <= bound) for bound in DURATION_BOUNDS]
    items = sum(max(row["items_done"] or 0, 0) for row in ends)
    return len(ends), items, len(seconds), within if seconds else None


def _stored_ends(connection: psycopg.Connection[Any]) -> dict[Key, Key]:
    found = connection.execute(
        "select task_type, status, tasks, items, durations, bucket_counts"
        " from monitoring.v_task_totals where tasks > 0"
    )
    return {row[:2]: row[2:] for row in found}


def _key(table: str, row: Row) -> Key:
    return tuple(row[column] for column in TABLES[table])


def _error_total(found: list[Row]) -> Key:
    newest = max(found, key=lambda row: (row["occurred_at"], row["error_id"]))
    first_at = min(row["occurred_at"] for row in found)
    return len(found), first_at, newest["occurred_at"], newest["error_id"], newest["message"]


def _days_and_hours(begins_at: datetime, ends_at: datetime) -> Iterator[tuple[datetime, datetime]]:
    at = begins_at
    while at < ends_at:
        until = min(bucket("hour", at) + WIDTHS["hour"], ends_at)
        yield at, until
        at = until


def _assert_same(what: str, found: Mapping[Key, Key], expected: Mapping[Key, Key]) -> None:
    different = [
        (key, found.get(key, "missing"), expected.get(key, "too much"))
        for key in found.keys() | expected.keys()
        if found.get(key) != expected.get(key)
    ]
    assert not different, f"{what}: {len(different)} differ, such as {different[0]}"


def _assert_uptime(found: Mapping[Key, float], expected: Mapping[Key, float]) -> None:
    for key in found.keys() | expected.keys():
        difference = found.get(key, 0.0) - expected.get(key, 0.0)
        assert abs(difference) < 1e-6, (key, found.get(key), expected.get(key))


def _stored_rollups(connection: psycopg.Connection[Any]) -> dict[Key, Key]:
    found = connection.execute(
        "select source, resolution, bucket_at, name, label, component, row_count, value_count,"
        " value_sum, value_sum_squares, value_min, value_max, (histogram).cells,"
        " (histogram).counts from monitoring.rollups where source <> 'uptime'"
    )
    return {
        row[:6]: (*row[6:12], list(zip(row[12] or [], row[13] or [], strict=True))) for row in found
    }


def _stored_uptime(connection: psycopg.Connection[Any]) -> dict[Key, float]:
    found = connection.execute(
        "select resolution, bucket_at, component, name, label, value_sum"
        " from monitoring.rollups where source = 'uptime'"
    )
    return {row[:5]: row[5] for row in found}


def _stored_totals(connection: psycopg.Connection[Any]) -> dict[Key, Key]:
    found = connection.execute(
        "select fingerprint, error_type, severity, component, occurrences, first_seen_at,"
        " last_seen_at, last_error_id, example from monitoring.error_group_totals"
    )
    return {row[:4]: row[4:] for row in found}


def _stored_states(connection: psycopg.Connection[Any]) -> dict[Key, Key]:
    found = connection.execute(
        "select component_type, component_name, checked_at, probe_id, status, response_time_ms,"
        " failure_reason, last_unhealthy_at from monitoring.component_states"
    )
    return {row[:2]: row[2:] for row in found}
