"""``pgvigil dbt``."""

import sys
from contextlib import ExitStack
from pathlib import Path

import click

from pgvigil.commands.options import dsn_option
from pgvigil.database.connections import connect
from pgvigil.database.words import count_of
from pgvigil.integrations.dbt import Loaded, load, read_run

_SOME_UNKNOWN = 3
_COUNTS = ("opened", "reopened", "touched", "late", "accepted", "resolved")


@click.command()
@click.argument("target", type=click.Path(exists=True, path_type=Path), default="target")
@click.option(
    "--tables-dsn",
    metavar="DSN",
    help="Database in which dbt makes its tables, when it is not that of --dsn.",
)
@click.option(
    "--max-rows",
    type=click.IntRange(min=1),
    default=10_000,
    show_default=True,
    help="How many failing rows of a test are read. Where there are more, none is resolved.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be recorded, and keep nothing.")
@dsn_option
def command(target: Path, tables_dsn: str | None, max_rows: int, dry_run: bool, dsn: str) -> None:
    """Record the last run of dbt: models and tests as tasks, failing rows as invalid records.

    TARGET is the directory that dbt writes to (default: target), or run_results.json in it;
    manifest.json is read from beside it. Rows come from the tables that store_failures makes, and
    those that no longer fail are resolved. Recording a run again adds nothing. Takes the role
    monitoring_writer, and the right to read those tables.

    The exit code is 0 when all is recorded, 3 when the failing rows of some tests are not known,
    and 1 when nothing is recorded.
    """
    run = read_run(target)
    with ExitStack() as opened:
        connection = opened.enter_context(connect(dsn, _say, "pgvigil dbt"))
        tables = opened.enter_context(
            connect(dsn if tables_dsn is None else tables_dsn, _say, "pgvigil dbt")
        )
        loaded = load(connection, run, tables=tables, most_rows=max_rows, dry_run=dry_run, say=_say)
    click.echo(_summary(loaded) + (". Nothing was written." if dry_run else "."))
    if loaded.unknown:
        sys.exit(_SOME_UNKNOWN)


def _say(line: str) -> None:
    click.echo(line, err=True)


def _summary(loaded: Loaded) -> str:
    records = [f"{loaded.records[name]:,} {name}" for name in _COUNTS if loaded.records[name]]
    return (
        f"{count_of(loaded.tasks, 'new task')}, {count_of(loaded.errors, 'new error')}, "
        f"invalid records: {', '.join(records) or 'none'}"
    )
