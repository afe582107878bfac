"""Rows a second, client included, by the ways that rows can be sent."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from statistics import median
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb
from rich.table import Table

ROWS: list[dict[str, Any]] = [
    {
        "metric_name": "rows_per_second",
        "metric_type": "gauge",
        "value": 12.5 + number,
        "unit": "rows/s",
        "component": "loader",
        "tags": {"region": "north"},
    }
    for number in range(1000)
]
SINGLES = 100

RECORD_ONE = """
    select monitoring.record_performance_metric(
        p_metric_name => %(metric_name)s, p_metric_type => %(metric_type)s, p_value => %(value)s,
        p_unit => %(unit)s, p_component => %(component)s, p_tags => %(tags)s
    )
"""


def measure_bulk(dsn: str, rounds: int) -> Table:
    """Compare one call of 1,000 rows with COPY into a bare table and with single calls."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        ways: dict[str, tuple[int, Callable[[], None]]] = {
            "COPY into a bare table": (1000, lambda: _copy(connection, "bare", "metrics")),
            "COPY into metric_samples": (
                1000,
                lambda: _copy(connection, "monitoring", "metric_samples"),
            ),
            "record_metrics of 1,000": (1000, lambda: _record_many(connection)),
            "single calls": (SINGLES, lambda: _record_singly(connection)),
        }
        seen: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, (rows, send) in ways.items():
                began = time.perf_counter()
                send()
                seen[name].append(rows / (time.perf_counter() - began))
    speeds = {name: median(values) for name, values in seen.items()}
    floor, *_, single = speeds.values()
    table = Table("way", "rows/s", "of COPY", "times single calls")
    for name, speed in speeds.items():
        table.add_row(name, f"{speed:,.0f}", f"{speed / floor:.2f}", f"{speed / single:.1f}")
    return table


def _copy(connection: psycopg.Connection, schema: str, table: str) -> None:
    statement = sql.SQL(
        "copy {} (metric_name, recorded_at, metric_type, value, unit, component, tags) from stdin"
    ).format(sql.Identifier(schema, table))
    now = datetime.now(UTC)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in ROWS:
            name, kind, *rest, tags = row.values()
            copy.write_row((name, now, kind, *rest, json.dumps(tags)))


def _record_many(connection: psycopg.Connection) -> None:
    connection.execute(
        "select monitoring.record_metrics(p_metrics => %(metrics)s)", {"metrics": Jsonb(ROWS)}
    )


def _record_singly(connection: psycopg.Connection) -> None:
    for row in ROWS[:SINGLES]:
        connection.execute(RECORD_ONE, row | {"tags": Jsonb(row["tags"])})
