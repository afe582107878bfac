"""``python -m bench.retention``: what it costs to remove a day of a million rows."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import click
import psycopg
from rich.console import Console
from rich.table import Table

from bench.scratch import scratch_server
from pgvigil.demo.server_binaries import find_binaries, major_version
from tests.python.support.recording_load import recording_load

RECORDING = [
    f"select monitoring.record_performance_metric('now-{number}', 'gauge', 1)" for number in (1, 2)
]
CLEAN_UP = "select * from monitoring.cleanup_old_monitoring_data()"
LONG_AGO = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=30)


@click.command(help=__doc__)
@click.option("--pg", type=int, default=None, help="Major version; the newest by default.")
@click.option("--rows", default=1_000_000, show_default=True, help="Rows of the day.")
def main(pg: int | None, rows: int) -> None:
    """Fill days, remove one by DELETE and one by cleaning up, and print the ratios."""
    console = Console(width=100)
    binaries = find_binaries(pg)
    with scratch_server(binaries) as server:
        dsn = server.dsn("bench")
        console.print(f"PostgreSQL {major_version(binaries)}, a day of {rows:,} metrics")
        with psycopg.connect(dsn, autocommit=True) as connection:
            console.print(_measure_removal(connection, rows))
            console.print(_measure_waits(dsn, connection, rows))


def _measure_removal(connection: psycopg.Connection[Any], rows: int) -> Table:
    """Compare cleaning up with deleting the same rows, beside nobody."""
    size = _fill(connection, LONG_AGO, rows)
    deleting = _cost(connection, _delete_statements(LONG_AGO))
    connection.execute(f"drop table {_partition(LONG_AGO)}".encode())
    _fill(connection, LONG_AGO, rows)
    ways = {
        "delete, an hour at a time": deleting,
        "clean up, first call: empties the day": _cost(connection, [CLEAN_UP]),
        "clean up, second call: drops it": _cost(connection, [CLEAN_UP]),
        "clean up, nothing to do": _cost(connection, [CLEAN_UP]),
    }
    table = Table("way", "seconds", "WAL", "WAL of delete")
    for name, (seconds, wal) in ways.items():
        table.add_row(name, f"{seconds:.3f}", f"{wal / 1e6:,.2f} MB", f"{wal / deleting[1]:.2%}")
    table.caption = f"the day takes {size / 1e6:,.0f} MB"
    return table


def _measure_waits(dsn: str, connection: psycopg.Connection[Any], rows: int) -> Table:
    """Watch two programs that record while days are emptied, dropped and made."""

    def clean_up() -> None:
        connection.execute(CLEAN_UP.encode())

    def clean_up_beside_a_long_query() -> None:
        with psycopg.connect(dsn) as reader:
            reader.execute("select count(*) from monitoring.performance_monitoring")
            clean_up()

    def make_days() -> None:
        connection.execute("select monitoring.ensure_partitions(40)")

    phases: dict[str, Callable[[], None]] = {
        "nothing else is done": lambda: time.sleep(2),
        "a day is emptied": clean_up,
        "it cannot be dropped, beside a long query": clean_up_beside_a_long_query,
        "it is dropped": clean_up,
        "partitions are made": make_days,
    }
    _fill(connection, LONG_AGO, rows)
    table = Table("while two programs record", "longest lock wait", "longest call")
    for name, phase in phases.items():
        with recording_load(dsn, RECORDING) as load:
            time.sleep(0.5)
            phase()
            time.sleep(0.5)
        table.add_row(
            name, f"{load.longest_wait * 1e3:.0f} ms", f"{load.longest_call * 1e3:.0f} ms"
        )
    return table


def _cost(connection: psycopg.Connection[Any], statements: list[str]) -> tuple[float, int]:
    """Run statements; return the seconds and the bytes of WAL."""
    connection.execute("checkpoint")
    before = _written(connection)
    began = time.perf_counter()
    for statement in statements:
        connection.execute(statement.encode())
    return time.perf_counter() - began, _written(connection) - before


def _delete_statements(day: datetime) -> list[str]:
    hours = [day + timedelta(hours=hour) for hour in range(25)]
    return [
        "delete from monitoring.metric_samples"
        f" where recorded_at >= '{start}' and recorded_at < '{end}'"
        for start, end in pairwise(hours)
    ]


def _fill(connection: psycopg.Connection[Any], day: datetime, rows: int) -> int:
    """Put so many rows into a day of their own; return the bytes it takes."""
    with connection.transaction():
        connection.execute("set local role monitoring_admin")
        connection.execute(
            "select monitoring._make_partition('metric_samples', (%s at time zone 'UTC')::date)",
            [day],
        )
        connection.execute(
            "insert into monitoring.metric_samples"
            " (metric_name, recorded_at, metric_type, value, unit, component, tags)"
            " select 'metric-' || n %% 20, %(day)s + n * interval '1 day' / %(rows)s, 'gauge', n,"
            " 'rows/s', 'loader', '{\"region\": \"north\"}'"
            " from generate_series(0, %(rows)s - 1) n",
            {"day": day, "rows": rows},
        )
    connection.execute("select monitoring.roll_up()")
    connection.execute(f"vacuum analyze {_partition(day)}".encode())
    row = connection.execute("select pg_total_relation_size(%s)", [_partition(day)]).fetchone()
    assert row is not None
    return int(row[0])


def _partition(day: datetime) -> str:
    return f"monitoring.metric_samples_{day:%Y%m%d}"


def _written(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute("select pg_current_wal_insert_lsn() - '0/0'::pg_lsn").fetchone()
    assert row is not None
    return int(row[0])


if __name__ == "__main__":
    main()
