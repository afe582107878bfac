"""``pgvigil import``."""

import sys
from pathlib import Path
from typing import TextIO

import click
from rich.console import Console

from pgvigil.client.backfill import Listener
from pgvigil.client.backfill.lines import Line
from pgvigil.commands.loading import (
    SOME_REJECTED,
    Complaints,
    Course,
    summary,
    warner,
    what_goes,
)
from pgvigil.commands.options import dsn_option
from pgvigil.database.connections import own_session
from pgvigil.database.words import count_of
from pgvigil.outside.secrets import Secrets
from pgvigil.runner.importing import Moved, move, plans_of, read_mapping, schema_text


def _print_schema(context: click.Context, option: click.Parameter, is_asked: bool) -> None:
    if is_asked and not context.resilient_parsing:
        click.echo(schema_text(), nl=False)
        context.exit()


@click.command()
@click.argument("mapping", type=click.File(encoding="utf-8"))
@click.option("--dry-run", is_flag=True, help="Have everything checked, and keep nothing.")
@click.option(
    "--rejected",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where rows that cannot be loaded go, as JSONL that pgvigil backfill reads.",
)
@click.option(
    "--secrets",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="PGVIGIL_SECRETS",
    metavar="FILE",
    help="TOML file whose table [connections] has the addresses of other databases, by name. "
    "Names that are set in the environment are looked up there. Default: PGVIGIL_SECRETS, else "
    "none.",
)
@click.option(
    "--schema",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_schema,
    help="Print the JSON Schema of a mapping, and do no more.",
)
@dsn_option
def command(
    mapping: TextIO, dry_run: bool, rejected: Path | None, secrets: Path | None, dsn: str
) -> None:
    """Load the history that tables of other systems hold, here or in other databases.

    MAPPING is a JSON document that says what becomes of which table; comments (// and /* */) may
    stand in it, and - is standard input. Tables are read and never written. Importing again adds
    nothing, so a run that broke off is continued by running it again. Takes the role
    monitoring_admin.

    The exit code is 0 when all rows are in the database, 3 when some were rejected, and 1 when
    the run broke off or the mapping does not fit.
    """
    known = Secrets(secrets, "connections")
    console = Console(stderr=True)
    plans = plans_of(read_mapping(mapping.read()), dsn, known)
    aside = _Aside(None if dry_run else rejected)
    is_complete = True
    with own_session(dsn, "pgvigil import") as connection:
        for plan in plans:
            click.echo(f"{plan.table.name} -> {plan.form.name}")
            complaints, course = Complaints(console, "row"), Course(console, "row")
            listener = Listener(complain=complaints.add, report=course.report, warn=warner(console))
            with course.told():
                moved = move(
                    connection, plan, dsn, known, listener, dry_run=dry_run, put_aside=aside.write
                )
            complaints.finish()
            _tell(moved, dry_run)
            is_complete = is_complete and not moved.outcome.rejected
    if dry_run:
        click.echo("Nothing was written.")
    if not is_complete:
        sys.exit(SOME_REJECTED)


class _Aside:
    """A file of rows that were rejected, made when the first one comes."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._mode = "w"

    def write(self, line: Line) -> None:
        if self._path is not None:
            with self._path.open(self._mode, encoding="utf-8") as file:
                file.write(line.text)
            self._mode = "a"


def _tell(moved: Moved, is_dry_run: bool) -> None:
    click.echo(f"  {summary(moved.outcome, 'row', is_dry_run=is_dry_run)}")
    for sentence in what_goes(moved.outcome, "row", is_dry_run=is_dry_run):
        click.echo(f"  {sentence}")
    if moved.plan.unused:
        click.echo(f"  not taken: {', '.join(moved.plan.unused)}")
    view = moved.plan.form.name
    if is_dry_run:
        click.echo(f"  {view} has {count_of(moved.before, 'row')}")
    else:
        click.echo(f"  {view} had {count_of(moved.before, 'row')}, and has {moved.after:,}")
