"""``python -m bench.trends``: reading trends of tasks, settled and merged from roll-ups."""

from datetime import datetime, timedelta
from tempfile import TemporaryDirectory

import click
import psycopg
from rich.console import Console
from rich.table import Table

from bench.large.calls import connect, time_calls
from bench.large.history import NOW, SETTINGS, Size, add_day, make_database
from pgvigil.demo.server import PostgresServer
from pgvigil.demo.server_binaries import find_binaries, major_version

# A day was recorded and rolled up; its roll-ups are repeated for all the others. Hours of all eight
# types in three statuses; days of 67 types, so that there are some 200 groups.
REPEAT_HOURS = """
    insert into monitoring.rollups
    select r.source, r.name, r.label, r.component, r.resolution,
        r.bucket_at - d.n * interval '1 day', r.row_count, r.value_count, r.value_sum,
        r.value_sum_squares, r.value_min, r.value_max, r.histogram
    from monitoring.rollups r
    cross join generate_series(1, 89) d (n)
    where r.source = 'tasks' and r.resolution = 'hour'
    on conflict do nothing
"""
REPEAT_DAYS = """
    insert into monitoring.rollups
    select r.source, r.name || ' ' || k.n, r.label, r.component, r.resolution,
        date_trunc('day', %(now)s::timestamptz, 'UTC') - d.n * interval '1 day', r.row_count,
        r.value_count, r.value_sum, r.value_sum_squares, r.value_min, r.value_max, r.histogram
    from monitoring.rollups r
    cross join generate_series(1, %(days)s) d (n)
    cross join generate_series(0, 8) k (n)
    where r.source = 'tasks' and r.resolution = 'day'
        and r.bucket_at = date_trunc('day', %(now)s::timestamptz - interval '1 day', 'UTC')
        and (r.name <> 'type-7' or k.n < 4)
    on conflict do nothing
"""
MERGED = """
    select t.resolution, t.bucket_at, t.name, sum(t.row_count), min(t.value_min), max(t.value_max),
        monitoring._clamped_percentiles(
            monitoring.merge_histograms(t.histogram), min(t.value_min), max(t.value_max)
        )
    from monitoring._trends_of('tasks') t
    where t.resolution = '{resolution}' and t.bucket_at >= '{since}'
    group by t.resolution, t.bucket_at, t.name
"""
SETTLED = """
    select * from monitoring.v_task_trends
    where resolution = '{resolution}' and bucket_at >= '{since}'
"""
ASKED = (
    ("30 days by hour, 24 groups", "hour", 30, 60),
    ("a year by day, 200 groups", "day", 365, 150),
    ("two years by day, 200 groups", "day", 730, None),
    ("two years by week, 200 groups", "week", 730, None),
    ("two years by month, 200 groups", "month", 730, None),
)


@click.command(help=__doc__)
@click.option("--pg", type=int, default=None, help="Major version; the newest by default.")
@click.option("--rows", default=1_000_000, show_default=True, help="Tasks of the day recorded.")
@click.option("--days", default=730, show_default=True, help="Days of roll-ups.")
@click.option("--sessions", default=5, show_default=True, help="Fresh sessions for each question.")
def main(pg: int | None, rows: int, days: int, sessions: int) -> None:
    """Fill, settle, measure, print."""
    console = Console(width=110)
    binaries = find_binaries(pg)
    with (
        TemporaryDirectory(prefix="pgvigil-bench-") as home,
        PostgresServer(home, binaries=binaries, settings=SETTINGS) as server,
    ):
        size = Size(1, rows, rows // 10)
        dsn = make_database(server, size)
        add_day(dsn, size, 1)
        with connect(dsn, NOW.isoformat()) as connection:
            _repeat(connection, days)
            runs = _settle(connection)
        console.print(f"PostgreSQL {major_version(binaries)}, settled by {runs} roll-ups")
        console.print(_measure(dsn, sessions))


def _repeat(connection: psycopg.Connection, days: int) -> None:
    connection.execute(REPEAT_HOURS)
    connection.execute(REPEAT_DAYS, {"now": NOW, "days": days})
    connection.execute("vacuum analyze monitoring.rollups")
    # What was settled before does not know of them.
    connection.execute("update monitoring.trend_progress set settled_to_at = '-infinity'")
    connection.execute("truncate monitoring.task_trends")


def _settle(connection: psycopg.Connection) -> int:
    """Roll up until nothing is left to be settled; returns how often."""
    runs, before = 0, None
    now: list[tuple[str, datetime]] = []
    while before != now:
        before = now
        connection.execute("select monitoring.roll_up()")
        now = connection.execute(
            "select resolution, settled_to_at from monitoring.trend_progress order by 1"
        ).fetchall()
        runs += 1
    connection.execute("vacuum analyze monitoring.task_trends")
    return runs - 1


def _measure(dsn: str, sessions: int) -> Table:
    table = Table("v_task_trends", "first ms", "repeated ms", "CPU ms", "merged: CPU ms", "target")
    for name, resolution, days, target in ASKED:
        span = {"resolution": resolution, "since": (NOW - timedelta(days=days)).isoformat()}
        settled = time_calls(dsn, NOW.isoformat(), SETTLED.format(**span), sessions, 5)
        merged = time_calls(dsn, NOW.isoformat(), MERGED.format(**span), 1, 3)
        table.add_row(
            name, f"{settled.first_ms:,.0f}", f"{settled.repeated_ms:,.0f}",
            f"{settled.cpu_ms:,.0f}", f"{merged.cpu_ms:,.0f}",
            f"≤ {target} CPU" if target else "",
        )  # fmt: skip
    return table


if __name__ == "__main__":
    main()
