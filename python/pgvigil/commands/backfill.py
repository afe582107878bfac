"""``pgvigil backfill``."""

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from pgvigil.client.backfill import KINDS, Outcome, backfill
from pgvigil.client.backfill.source import Line, Source
from pgvigil.commands.options import dsn_option
from pgvigil.database.connections import own_session
from pgvigil.database.words import count_of

_COMPLAINTS_SHOWN = 20
_CHARACTERS_SHOWN = 160
_SOME_REJECTED = 3
_KIND = click.Choice(list(KINDS))
_FILE = click.Path(exists=True, dir_okay=False, allow_dash=True)


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="[KIND] FILE")
@click.option(
    "--kind",
    type=_KIND,
    help='What the lines hold; a JSONL line may say so itself, as its "kind".',
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["csv", "jsonl"]),
    help="Default: by the file's name, else by its beginning.",
)
@click.option(
    "--rejected",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where bad lines go. Default: FILE.rejected (stdin.rejected for standard input).",
)
@click.option(
    "--time-zone", default="UTC", show_default=True, help="Zone of times that do not name theirs."
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Check every line in the database and show what would be new, but keep nothing.",
)
@dsn_option
@click.pass_context
def command(
    context: click.Context,
    words: tuple[str, ...],
    kind: str | None,
    file_format: str | None,
    rejected: Path | None,
    time_zone: str,
    dry_run: bool,
    dsn: str,
) -> None:
    """Load what happened before from FILE (CSV or JSONL, also gzipped).

    KIND is one of tasks, errors, metrics, logs, records (invalid ones) and status (its changes).
    FILE may be - for standard input. Loading a file again adds nothing, so a run that broke off
    is continued by running it again. The exit code is 0 when all lines are in the database, 3
    when some were rejected, and 1 when the run broke off.
    """
    kind, file = _kind_and_file(context, kind, words)
    rejects = rejected or Path("stdin.rejected" if file == "-" else f"{file}.rejected")
    console = Console(stderr=True)
    complaints = _Complaints(console)
    with (
        Source(file, KINDS.get(kind or ""), file_format) as source,
        own_session(dsn, "pgvigil backfill") as connection,
        _progress(console) as progress,
    ):
        # Not a literal in SQL: the zone comes from outside. And 01/10 is January to some and
        # October to others, so dates have to begin with the year.
        connection.execute(
            "select set_config('TimeZone', %s, false), set_config('DateStyle', 'ISO, YMD', false)",
            [time_zone],
        )
        bar = progress.add_task("", total=source.size)
        outcome = backfill(
            connection,
            source,
            rejects=rejects,
            dry_run=dry_run,
            complain=complaints.add,
            report=lambda outcome: progress.update(
                bar, completed=source.position(), description=count_of(outcome.read, "line")
            ),
            show=_show,
        )
    complaints.finish()
    click.echo(_summary(outcome, rejects, dry_run))
    if outcome.rejected:
        sys.exit(_SOME_REJECTED)


def _kind_and_file(
    context: click.Context, kind: str | None, words: tuple[str, ...]
) -> tuple[str | None, str]:
    """Return what the lines are, if the call says so, and where they are."""
    if len(words) > 2:
        raise click.UsageError("Give one FILE, and before it what it holds.", context)
    if len(words) == 2:
        named = _KIND.convert(words[0], None, context)
        if kind not in (None, named):
            raise click.UsageError(f"The file holds {named} or {kind}, not both.", context)
        kind = named
    return kind, str(_FILE.convert(words[-1], None, context))


def _show(line: Line) -> None:
    """Print a line that a dry run found to be new."""
    text = line.text.rstrip()
    if len(text) > _CHARACTERS_SHOWN:
        text = text[:_CHARACTERS_SHOWN] + "…"
    click.echo(f"new: line {line.number}: {text}")


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
            self._console.print(f"… and {count_of(hidden, 'more bad line')}")


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
        f"{count_of(outcome.read, 'line')} read: {outcome.new:,} {tense}, "
        f"{outcome.known:,} already there, {outcome.rejected:,} rejected"
    )
    if dry_run:
        return f"{text}. Nothing was written."
    return f"{text} (see {rejects})." if outcome.rejected else f"{text}."
