"""Timing statements: the first of a session apart from those that follow it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import psycopg

from bench.pgbench import cpu_seconds

Prepare = Callable[[psycopg.Connection], None]


@dataclass(frozen=True)
class Times:
    """Medians in milliseconds, and the mean CPU of the server's process for a repeated call."""

    first_ms: float
    repeated_ms: float
    cpu_ms: float


def connect(dsn: str, now: str) -> psycopg.Connection:
    """Open a session that takes the given time for now."""
    # Statements that the client library prepares by itself would be planned but once.
    connection = psycopg.connect(dsn, autocommit=True, prepare_threshold=None)
    connection.execute("select set_config('monitoring.now', %s, false)", (now,))
    return connection


def time_calls(
    dsn: str, now: str, statement: str, sessions: int, calls: int, before: Prepare | None = None
) -> Times:
    """Time a statement in fresh sessions, once and then several times in each.

    ``before`` is done ahead of each call, in a session of its own and untimed.
    """
    first: list[float] = []
    repeated: list[float] = []
    cpu = 0.0
    with connect(dsn, now) as other:
        for _ in range(sessions):
            with connect(dsn, now) as connection:
                for call in range(calls + 1):
                    if before is not None:
                        before(other)
                    used = cpu_seconds(connection.info.backend_pid)
                    took = _milliseconds(connection, statement)
                    (repeated if call else first).append(took)
                    if call:
                        cpu += cpu_seconds(connection.info.backend_pid) - used
    return Times(median(first), median(repeated), cpu * 1000 / len(repeated))


def time_once(dsn: str, now: str, statement: str) -> float:
    """Milliseconds of one call in a session that has planned nothing yet."""
    with connect(dsn, now) as connection:
        return _milliseconds(connection, statement)


def _milliseconds(connection: psycopg.Connection, statement: str) -> float:
    began = time.perf_counter()
    connection.execute(statement.encode()).fetchall()
    return (time.perf_counter() - began) * 1000
