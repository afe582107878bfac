"""``pgvigil migrate``."""

import sys

import click

from pgvigil.commands.options import dsn_option
from pgvigil.install import migrate, newest_migration, roll_back


@click.command()
@dsn_option
@click.option("--reload", is_flag=True, help="Load functions, views and grants even if up to date.")
@click.option("--rollback", is_flag=True, help="Undo the newest migration and drop its data.")
@click.option("--yes", is_flag=True, help="Do not ask before a rollback.")
def command(dsn: str, reload: bool, rollback: bool, yes: bool) -> None:
    """Install pgvigil in a database, or bring it up to this version.

    Repeatable, and safe to run from several places at once: the second waits and finds nothing
    left to do.
    """
    if not rollback:
        migrate(dsn, reload=reload, report=click.echo)
        return
    if reload:
        raise click.UsageError("--reload and --rollback exclude each other")
    if not yes:
        _confirm(newest_migration(dsn))
    roll_back(dsn, report=click.echo)


def _confirm(migration_id: str) -> None:
    """Ask on a terminal; elsewhere nobody could answer, so ``--yes`` must have said it."""
    if not sys.stdin.isatty():
        raise click.UsageError("--rollback drops data: add --yes to run it without a terminal")
    click.confirm(
        f"Roll back {migration_id}? This drops its tables with all their rows", abort=True
    )
