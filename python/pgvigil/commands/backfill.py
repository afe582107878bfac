"""``pgvigil backfill``."""

import sys
from pathlib import Path

import click
import psycopg
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from pgvigil.backfill import KINDS, Outcome, backfill
from pgvigil.backfill.source import Source
from pgvigil.commands.options import dsn_option

_COMPLAINTS_SHOWN = 20
_SOME_REJECTED = 3


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--kind",
    type=click.Choice(list(KINDS)),
    help='What the lines are; a JSONL line may say it itself, as its "kind".',
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["csv", "jsonl"]),
    help="Default: told by the file's name, else by its beginning.",
)
@click.option(
    "--rejected",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where bad lines go. Default: FILE.rejected (stdin.rejected for standard input).",
)
@click.option(
    "--time-zone", default="UTC", show_default=True, help="Zone of times that do not name theirs."
)
@click.option("--dry-run", is_flag=True, help="Check every line in the database, keep nothing.")
@dsn_option
def command(
    file: str,
    kind: str | None,
    file_format: str | None,
    rejected: Path | None,
    time_zone: str,
    dry_run: bool,
    dsn: str,
) -> None:
    """Load finished tasks, errors, metrics or log lines from FILE (CSV or JSONL, also gzipped).

    FILE may be - for standard input. Loading a file again adds nothing, so a run that broke off
    is continued by running it again. The exit code is 0 when all lines are in the database, 3
    when some were rejected, and 1 when the run broke off.
    """
    rejects = rejected or Path("stdin.rejected" if file == "-" else f"{file}.rejected")
    console = Console(stderr=True)
    complaints = _Complaints(console)
    with (
        Source(file, KINDS.get(kind or ""), file_format) as source,
        psycopg.connect(dsn, autocommit=True) as connection,
        _progress(console) as progress,
    ):
        # Not a literal in SQL: the zone comes from outside.
        connection.execute("select set_config('TimeZone', %s, false)", [time_zone])
        bar = progress.add_task("", total=source.size)
        outcome = backfill(
            connection,
            source,
            rejects=rejects,
            dry_run=dry_run,
            complain=complaints.add,
            report=lambda outcome: progress.update(
                bar, completed=source.position(), description=f"{outcome.read:,} lines"
            ),
        )
    complaints.finish()
    click.echo(_summary(outcome, rejects, dry_run))
    if outcome.rejected:
        sys.exit(_SOME_REJECTED)


class _Complaints:
    """Shows the first bad lines and counts the rest, which are in the reject file anyway."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._count = 0

    def add(self, number: int, why: str) -> None:
        self._count += 1
        if self._count <= _COMPLAINTS_SHOWN:
            self._console.print(f"line {number}: {why}", markup=False, soft_wrap=True)

    def finish(self) -> None:
        hidden = self._count - _COMPLAINTS_SHOWN
        if hidden > 0:
            self._console.print(f"… and {hidden:,} more bad lines")


def _progress(console: Console) -> Progress:
    """Return a progress bar, which shows nothing where there is no terminal."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _summary(outcome: Outcome, rejects: Path, dry_run: bool) -> str:
    tense = "would be new" if dry_run else "new"
    text = (
        f"{outcome.read:,} lines read: {outcome.new:,} {tense}, "
        f"{outcome.known:,} already there, {outcome.rejected:,} rejected"
    )
    if dry_run:
        return f"{text}. Nothing was written."
    return f"{text} (see {rejects})." if outcome.rejected else f"{text}."
