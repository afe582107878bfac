"""Filling a database with a history, rolled up day by day as a scheduler would have done."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from bench.large.calls import connect
from bench.pgbench import cpu_seconds
from pgvigil.demo.server import PostgresServer
from pgvigil.install import migrate

# PostgreSQL's defaults, but that filling, which is not what is measured, need not be safe.
SETTINGS = {"fsync": "off", "max_wal_size": "4GB"}
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
FILL = Path(__file__).parent / "fill.sql"
# Each of twenty components is checked every 80 seconds, each of ten queues looked at every 40.
SAMPLES_PER_DAY = 21_600


@dataclass(frozen=True)
class Size:
    """How many rows a day, and for how many days."""

    days: int
    tasks_per_day: int
    errors_per_day: int

    @property
    def samples_per_day(self) -> int:
        """Health checks, and as many queue samples; fewer than tasks in a small run."""
        return min(SAMPLES_PER_DAY, self.tasks_per_day // 10)


def make_database(server: PostgresServer, size: Size) -> str:
    """Make an empty database, with the functions that fill it; returns its DSN."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("create database bench")
        # Partitions are to be made for the days of the history, not for those around today.
        connection.execute(
            f"alter database bench set monitoring.now = '{end_of_day(size, 0).isoformat()}'"
        )
    dsn = server.dsn("bench", via_socket=True)
    migrate(dsn)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(FILL.read_bytes())
    return dsn


def end_of_day(size: Size, day: int) -> datetime:
    """Return what is taken for now when a day of the history, from 1, is over."""
    return NOW - timedelta(days=size.days - day)


def add_day(dsn: str, size: Size, day: int) -> float:
    """Record one day and roll it up; returns the seconds of server CPU that the tasks took."""
    to_at = end_of_day(size, day)
    from_at = to_at - timedelta(days=1)
    span = {"from_at": from_at, "to_at": to_at, "seed": day}
    with connect(dsn, to_at.isoformat()) as connection:
        connection.execute("select monitoring.ensure_partitions()")
        _add(connection, "add_tasks", span | {"rows": size.tasks_per_day})
        _vacuum(connection, from_at, to_at)
        used = _roll_up(dsn, to_at)
        _add(connection, "add_errors", span | {"rows": size.errors_per_day})
        _add(connection, "add_samples", span | {"rows": size.samples_per_day})
        _roll_up(dsn, to_at)
        connection.execute("select bench.forget_old_minutes(%s)", (to_at,))
        _vacuum(connection, from_at, to_at)
        connection.execute("vacuum analyze monitoring.rollups, monitoring.rollup_progress")
        connection.execute("vacuum analyze monitoring.error_group_totals")
        # The job that makes partitions runs every hour, so now as well.
        connection.execute("select monitoring.ensure_partitions()")
    return used


def _add(connection: psycopg.Connection, function: str, arguments: Mapping[str, object]) -> None:
    connection.execute(
        f"select bench.{function}(%(from_at)s, %(to_at)s, %(rows)s, %(seed)s)".encode(), arguments
    )


def _roll_up(dsn: str, now: datetime) -> float:
    with connect(dsn, now.isoformat()) as connection:
        before = cpu_seconds(connection.info.backend_pid)
        connection.execute("select monitoring.roll_up()")
        return cpu_seconds(connection.info.backend_pid) - before


def _vacuum(connection: psycopg.Connection, from_at: datetime, to_at: datetime) -> None:
    """Do what autovacuum would have done in a day that took seconds here."""
    for table in ("finished_tasks", "errors", "health_probes", "queue_samples"):
        for at in (from_at, to_at):
            connection.execute(f"vacuum analyze monitoring.{table}_{at:%Y%m%d}".encode())
