"""``pgvigil backfill``."""

import sys
from pathlib import Path

import click
from rich.console import Console

from pgvigil.client.backfill import FORMATS, KINDS, Listener, Outcome, Source, backfill
from pgvigil.client.backfill.forms import NAMES, NOT_LOADED
from pgvigil.commands.loading import (
    SOME_REJECTED,
    Complaints,
    Course,
    show,
    summary,
    warner,
    what_goes,
)
from pgvigil.commands.options import dsn_option
from pgvigil.database.connections import own_session

_FILE = click.Path(exists=True, dir_okay=False, allow_dash=True)


class _Kind(click.ParamType[str]):
    """A kind of records, or a view that shows some."""

    name = "kind"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name, or say which there are."""
        if value in NOT_LOADED:
            self.fail(f"{value} cannot be loaded: {NOT_LOADED[value]}.", param, ctx)
        if value not in NAMES:
            names = ", ".join(repr(name) for name in KINDS)
            self.fail(f"{value!r} is not one of {names}, or a view of such.", param, ctx)
        return value


_KIND = _Kind()


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="[KIND] FILE")
@click.option(
    "--kind",
    type=_KIND,
    help="What the lines hold: a kind, or the view that they are of. Default: what a line says "
    'itself, as its "kind", else what its columns tell.',
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(FORMATS),
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
    """Load what happened before from FILE (CSV or JSON, also gzipped).

    KIND is one of tasks, errors, metrics, logs, health, queues, records (invalid ones), statuses
    (their changes), products, runs (of programs) and summaries (of days), or the name of a view,
    such as etl_logs. Where it is left out the columns tell. FILE is what an export or psql's copy
    wrote, or like it; - is standard input. Takes the role monitoring_admin.

    Loading a file again adds nothing, also into the database that it comes from, so a run that
    broke off is continued by running it again. The exit code is 0 when all lines are in the
    database, 3 when some were rejected, and 1 when the run broke off.
    """
    kind, file = _kind_and_file(context, kind, words)
    rejects = rejected or Path("stdin.rejected" if file == "-" else f"{file}.rejected")
    console = Console(stderr=True)
    complaints = Complaints(console)
    with (
        Source(file, NAMES[kind] if kind else None, file_format) as source,
        own_session(dsn, "pgvigil backfill") as connection,
    ):
        # Not a literal in SQL: the zone comes from outside. And 01/10 is January to some and
        # October to others, so dates have to begin with the year.
        connection.execute(
            "select set_config('TimeZone', %s, false), set_config('DateStyle', 'ISO, YMD', false)",
            [time_zone],
        )
        course = Course(console, "line", size=source.size, position=source.position)
        listener = Listener(
            complain=complaints.add, report=course.report, show=show, warn=warner(console)
        )
        with course.told():
            outcome = backfill(
                connection, source, rejects=rejects, dry_run=dry_run, listener=listener
            )
    complaints.finish()
    click.echo(_summary(outcome, rejects, dry_run))
    for sentence in what_goes(outcome, "line", is_dry_run=dry_run):
        console.print(sentence, markup=False, soft_wrap=True)
    if outcome.rejected:
        sys.exit(SOME_REJECTED)


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


def _summary(outcome: Outcome, rejects: Path, dry_run: bool) -> str:
    text = summary(outcome, "line", is_dry_run=dry_run)
    if dry_run:
        return f"{text}. Nothing was written."
    return f"{text} (see {rejects})." if outcome.rejected else f"{text}."
