"""What was recorded of requests."""

from typing import Any

import psycopg

from tests.python.support.asking import rows


def durations(connection: psycopg.Connection[Any]) -> dict[str, list[str]]:
    """Return the statuses of requests, in order, by method and route."""
    found: dict[str, list[str]] = {}
    query = "select * from monitoring.performance_monitoring order by recorded_at"
    for row in rows(connection, query):
        assert (row["metric_type"], row["unit"], row["component"]) == ("timer", "ms", "shop")
        assert row["value"] >= 0
        assert row["metric_name"] == f"{row['tags']['method']} {row['tags']['route']}"
        found.setdefault(row["metric_name"], []).append(row["tags"]["status"])
    return found


def errors(connection: psycopg.Connection[Any]) -> list[tuple[str, str, str]]:
    """Return type, severity and route of errors, in order."""
    query = "select * from monitoring.error_tracking order by occurred_at"
    return [
        (row["error_type"], row["severity"], row["details"]["route"])
        for row in rows(connection, query)
    ]


def longest_ms(connection: psycopg.Connection[Any]) -> float:
    """Return how long the longest request took."""
    query = "select max(value) as value from monitoring.performance_monitoring"
    return float(rows(connection, query)[0]["value"])
