"""``python -m bench.page``: what the first load of the page costs with a long history."""

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import psycopg
from rich.console import Console
from rich.table import Table

from bench.large.history import NOW, SETTINGS, Size, add_day, make_database
from bench.page.requests import PATHS, Cost, Page, measure, measure_together, serving
from pgvigil.demo.server import PostgresServer
from pgvigil.demo.server_binaries import find_binaries, major_version

MOMENT = Path(__file__).parent / "moment.sql"
WORKFLOW = Path(__file__).parents[2] / "examples" / "batch" / "billing.json"
_LAST_MINUTE = """
select
    bench.add_tasks(c.now - interval '1 minute', c.now, 700, 70001),
    bench.add_errors(c.now - interval '1 minute', c.now, 70, 70002)
from monitoring.clock() c (now)
"""
TARGET_MS = 100
DATABASE = "bench"


@click.command(help=__doc__)
@click.option("--pg", type=int, default=None, help="Major version; the newest by default.")
@click.option("--days", default=30, show_default=True, help="Days of history.")
@click.option("--rows-per-day", default=1_000_000, show_default=True, help="Tasks a day.")
@click.option("--sessions", default=5, show_default=True, help="Fresh sessions for each request.")
@click.option("--rounds", default=15, show_default=True, help="Repetitions in one session.")
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory to keep the server in, and to take it from when it is there: with its history.",
)
def main(
    pg: int | None, days: int, rows_per_day: int, sessions: int, rounds: int, home: Path | None
) -> None:
    """Fill unless that is done, serve, measure, print."""
    console = Console(width=100)
    binaries = find_binaries(pg)
    with ExitStack() as stack:
        place = home or Path(stack.enter_context(TemporaryDirectory(prefix="pgvigil-bench-")))
        server = stack.enter_context(PostgresServer(place, binaries=binaries, settings=SETTINGS))
        if not _has_history(server):
            _fill(server, Size(days, rows_per_day, rows_per_day // 10))
        dsn = server.dsn(DATABASE, via_socket=True)
        console.print(f"PostgreSQL {major_version(binaries)}, about {_tasks(dsn):,} ended tasks")
        page = stack.enter_context(serving(dsn))
        console.print(_measure(page, rounds, sessions))


def _has_history(server: PostgresServer) -> bool:
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        found = connection.execute(
            "select from pg_database where datname = %s", [DATABASE]
        ).fetchone()
    return found is not None


def _fill(server: PostgresServer, size: Size) -> None:
    dsn = make_database(server, size)
    for day in range(1, size.days + 1):
        add_day(dsn, size, day)
    with psycopg.connect(dsn, autocommit=True) as connection:
        # The clock of all sessions, the web service's among them.
        connection.execute(f"alter database {DATABASE} set monitoring.now = '{NOW.isoformat()}'")
    add_moment(dsn)


def add_moment(dsn: str) -> None:
    """Add to the history what is going on at its end."""
    document = WORKFLOW.read_text()
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("select monitoring.apply_workflow(%s)", [document])
        connection.execute(MOMENT.read_bytes())
        # Each in a transaction of its own: a roll-up leaves alone what is not committed yet.
        connection.execute("select monitoring.roll_up()")
        connection.execute("select monitoring.evaluate_alerts()")
        connection.execute(_LAST_MINUTE)
        connection.execute("vacuum analyze")


def _tasks(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            "select sum(reltuples)::bigint from pg_class"
            " where relname ~ '^finished_tasks_[0-9]+$' and relkind = 'r'"
        ).fetchone()
    assert row is not None
    return int(row[0])


def _measure(page: Page, rounds: int, sessions: int) -> Table:
    table = Table("request", "new session: CPU ms", "wall ms", "kept session: CPU ms", "wall ms")
    fresh, warm = measure(page, rounds, sessions)
    for path in PATHS:
        table.add_row(path, *_cells(fresh[path]), *_cells(warm[path]))
    cpu = sum(cost.cpu for cost in warm.values())
    wall = sum(cost.wall for cost in warm.values())
    table.add_row("all, one after the other", "", "", f"{cpu:.1f}", f"{wall:.1f}")
    together = measure_together(page, rounds, sessions)
    table.add_row("all at once, as a browser", *_cells(together[0]), *_cells(together[1]))
    table.add_row(
        "the same, CPU of the service",
        f"{together[0].service:.1f}",
        "",
        f"{together[1].service:.1f}",
        "",
    )
    table.caption = f"target: {TARGET_MS} ms of CPU in kept sessions, " + (
        "met" if cpu <= TARGET_MS else "missed"
    )
    return table


def _cells(cost: Cost) -> tuple[str, str]:
    return f"{cost.cpu:.1f}", f"{cost.wall:.1f}"


if __name__ == "__main__":
    main()
