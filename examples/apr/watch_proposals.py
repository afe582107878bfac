"""Watch a few days of proposals, in a PostgreSQL of its own or in a database of yours.

Proposals arrive, some of them wrong; people mend them and decide, a bot approves what is in order,
the system pays; and every hour a monitor validates them and tells pgvigil. The days are long past
and go by in seconds: every program is told what time it is. What there is to see is printed.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import LiteralString

import psycopg
from bot import run_bot
from business import Business
from monitor import ProposalMonitor
from proposals import CLOSES, OPENS, proposals_of
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from rich.console import Console
from rich.table import Table

from pgvigil.demo.server import PostgresServer
from pgvigil.install import migrate

HERE = Path(__file__).parent
FIRST_DAY = date(2026, 1, 12)
DATABASE = "apr"
REPORTS: dict[str, LiteralString] = {
    "Days (apr_daily_summary)": """
        select target_date as day, runs, records_queried as queried, valid_records as valid,
            invalid_opened as opened, invalid_resolved as resolved, invalid_open as open,
            status_changes as changes, products
        from apr.apr_daily_summary order by target_date
    """,
    "What is invalid (v_top_issues)": """
        select validation_type as validation, group_name as branch, open_records as open
        from monitoring.v_top_issues where dataset = 'apr' order by 3 desc, 1, 2 limit 8
    """,
    "How long it takes to resolve (v_resolution_times)": """
        select validation_type as validation, resolution, resolved_records as resolved,
            round((avg_seconds / 3600)::numeric, 1) as mean_hours
        from monitoring.v_resolution_times where dataset = 'apr' and resolution is not null
        order by 1, 2
    """,
    "Who changes statuses (apr_status_history)": """
        select change_source as source, coalesce(from_status, '-') as "from",
            coalesce(to_status, '-') as "to", count(*) as changes
        from apr.apr_status_history group by 1, 2, 3 order by 1, 2, 3
    """,
    "What people were alerted to (alerts)": """
        select worst_severity as severity, rule_name as rule, status,
            to_char(started_at at time zone 'UTC', 'DD HH24:MI') as since, summary
        from monitoring.alerts where labels ->> 'dataset' = 'apr' order by started_at, alert_id
    """,
}


def watch(dsn: str, days: int, proposals_a_day: int, wrong_percent: float, seed: int) -> None:
    """Let days go by, hour by hour, and watch them."""
    dates = [FIRST_DAY + timedelta(days=number) for number in range(days)]
    proposals = [
        proposal
        for day in dates
        for proposal in proposals_of(day, proposals_a_day, wrong_percent, seed)
    ]
    business = Business(dsn, proposals)
    for day in dates:
        for hour in range(OPENS + 1, CLOSES + 1):
            now = datetime.combine(day, time(hour), tzinfo=UTC)
            business.work_until(now)
            run_bot(at_time(dsn, now - timedelta(minutes=2)), now - timedelta(minutes=2))
            look(at_time(dsn, now), day)
        print(f"{day} has gone by", flush=True)
    evening = at_time(dsn, datetime.combine(dates[-1], time(CLOSES, 5), tzinfo=UTC))
    with psycopg.connect(evening, autocommit=True) as connection:
        for day in dates:
            connection.execute("select monitoring.update_daily_summary('apr', %s)", [day])


def look(dsn: str, day: date) -> None:
    """Run the monitor, and have the rules evaluated as the scheduler does every minute."""
    monitor = ProposalMonitor(dsn)
    try:
        monitor.look(day)
    finally:
        monitor.close()
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("select monitoring.evaluate_alerts()")


def at_time(dsn: str, now: datetime) -> str:
    """Return the address of a database whose sessions take another time for the present."""
    given = conninfo_to_dict(dsn).get("options") or ""
    return make_conninfo(dsn, options=f"{given} -c monitoring.now={now:%Y-%m-%dT%H:%M}Z".strip())


def prepare(dsn: str) -> None:
    """Make the tables, the views and the settings.

    Raises:
        SystemExit: the database has a schema ``apr`` already.
    """
    with psycopg.connect(dsn) as connection:
        if connection.execute("select to_regnamespace('apr') is not null").fetchone() == (True,):
            raise SystemExit("The database has a schema apr already: give another one.")
        for name in ("schema.sql", "views.sql", "configure.sql"):
            connection.execute((HERE / name).read_bytes())


def report(dsn: str) -> None:
    """Print what there is to see."""
    console = Console(width=None if sys.stdout.isatty() else 120)
    with psycopg.connect(dsn) as connection:
        for title, query in REPORTS.items():
            cursor = connection.execute(query)
            table = Table(box=None, padding=(0, 2, 0, 0))
            for column in cursor.description or ():
                table.add_column(column.name)
            for row in cursor:
                table.add_row(*("-" if cell is None else str(cell) for cell in row))
            console.print(f"\n[bold]{title}[/bold]")
            console.print(table)


@contextmanager
def own_database(home: Path) -> Iterator[str]:
    """Give a new database in a server that ends with this program."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with PostgresServer(home) as server:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute(f"drop database if exists {DATABASE} with (force)")
            connection.execute(f"create database {DATABASE}")
        dsn = server.dsn(DATABASE)
        migrate(dsn)
        yield dsn


@contextmanager
def given_database(dsn: str) -> Iterator[str]:
    """Give a database that has pgvigil."""
    yield dsn


def main() -> None:
    """Watch, and print what there is to see."""
    options = read_arguments()
    place = given_database(options.dsn) if options.dsn else own_database(options.data_dir)
    with place as dsn:
        prepare(dsn)
        watch(dsn, options.days, options.proposals, options.wrong_percent, options.seed)
        report(dsn)
        if options.stay:
            print(f"\nLook around, then press Enter:\npsql {dsn}")
            input()


def read_arguments() -> argparse.Namespace:
    """Return what was asked for."""
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dsn", help="a database with pgvigil; default: one of its own")
    parser.add_argument(
        "--data-dir", type=Path, default=state / "pgvigil" / "apr", help="where its own one lives"
    )
    parser.add_argument("--days", type=int, default=3, help="how many go by")
    parser.add_argument("--proposals", type=int, default=120, help="how many arrive a day")
    parser.add_argument("--wrong-percent", type=float, default=12, help="how many are wrong")
    parser.add_argument("--seed", type=int, default=1, help="the same makes the same ones")
    parser.add_argument("--stay", action="store_true", help="keep the database until Enter")
    return parser.parse_args()


if __name__ == "__main__":
    main()
