"""``pgvigil sync``."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from pgvigil.commands.options import dsn_option
from pgvigil.database.connections import own_session
from pgvigil.database.words import count_of
from pgvigil.outside.secrets import Secrets
from pgvigil.outside.sources.sync import Found, Source, choose, sync

# Counts that say that something happened, in the order in which they are shown.
_COUNTS = (
    "compared",
    "unchanged",
    "new",
    "changed",
    "gone",
    "late",
    "repeated",
    "resolved",
    "restarted",
    "progressed",
    "ended",
    "vanished",
    "went_backwards",
    "queues",
    "pending",
    "processing",
    "completed",
    "failed",
    "bad",
)


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@dsn_option
@click.option(
    "--secrets",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="PGVIGIL_SECRETS",
    metavar="FILE",
    help="TOML file whose table [connections] has the addresses of other databases, by name. "
    "Names that are set in the environment are looked up there. Default: PGVIGIL_SECRETS, else "
    "none.",
)
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--if-due", is_flag=True, help="Load only the queries that are due.")
def command(
    names: tuple[str, ...], dsn: str, secrets: Path | None, dry_run: bool, if_due: bool
) -> None:
    """Read sources: run queries in other databases, and compare what they and tables here hold.

    NAME is a query or a source; without any all that are enabled are read. The scheduler does
    this by itself when the time has come. A query that broke off is continued where it can be.
    Takes the role monitoring_operator, and monitoring_admin for queries in other databases.

    The exit code is 0 when all could be read, and 1 when something could not.
    """
    console = Console(stderr=True)
    is_fine = True
    with own_session(dsn, "pgvigil sync") as connection, _progress(console) as progress:
        for source in choose(connection, names):
            with _bar(progress, source.name) as report:
                found = sync(
                    connection,
                    source,
                    Secrets(secrets, "connections"),
                    is_due_only=if_due,
                    is_dry_run=dry_run,
                    report=report,
                )
            _print(source, found, dry_run)
            is_fine = is_fine and found.is_fine
    if not is_fine:
        sys.exit(1)


def _progress(console: Console) -> Progress:
    """Return a line of progress, which shows nothing where there is no terminal."""
    return Progress(
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


@contextmanager
def _bar(progress: Progress, name: str) -> Iterator[Any]:
    task = progress.add_task(name)
    try:
        yield lambda rows: progress.update(task, description=f"{name}: {count_of(rows, 'row')}")
    finally:
        progress.remove_task(task)


def _print(source: Source, found: Found, is_dry_run: bool) -> None:
    click.echo(f"{source.kind} {source.name}: {_outcome(found)}")
    for result in found.results:
        indent = "" if source.kind != "query" else "  "
        if indent:
            click.echo(f"  source {result['source']}: {_words(result)}")
        if is_dry_run:
            for change in result.get("sample") or []:
                before, after = (change.get(key) or "-" for key in ("from_status", "to_status"))
                click.echo(f"{indent}  {change['record_key']}: {before} -> {after}")
    if is_dry_run and found.is_fine:
        click.echo("  nothing was written")


def _outcome(found: Found) -> str:
    if found.error is not None:
        return f"cannot be read: {found.error}{found.remark}"
    if found.skipped is not None:
        return f"skipped: {found.skipped}"
    if found.rows_read is not None:
        return count_of(found.rows_read, "row")
    return ", ".join(_words(result) for result in found.results)


def _words(result: dict[str, Any]) -> str:
    if "error" in result:
        return f"cannot be read: {result['error']}"
    if "skipped" in result:
        return f"skipped: {result['skipped']}"
    counts = [f"{result[name]:,} {name.replace('_', ' ')}" for name in _COUNTS if result.get(name)]
    return ", ".join(counts) or "no rows"
