"""``pgvigil config``."""

import sys
from typing import Any, TextIO

import click
import psycopg
from psycopg.types.json import Jsonb

from pgvigil.commands.groups import SuggestingGroup
from pgvigil.commands.options import dsn_option
from pgvigil.database.connections import connect
from pgvigil.database.json_files import read_document
from pgvigil.database.queries import configuration
from pgvigil.exceptions import monitoring_errors
from pgvigil.install.configuration import (
    describe_changes,
    schema_text,
    write_document,
)


@click.group(cls=SuggestingGroup)
def command() -> None:
    """Show, compare and apply the configuration: one JSON document.

    It holds what people decide, such as thresholds, channels, workflows, retention and plans of
    jobs; docs/configuration.md has its sections. What a document does not name stays as it is.
    """


@command.command()
@dsn_option
@click.option("--complete", "is_complete", is_flag=True, help="Print what is as shipped as well.")
def show(dsn: str, is_complete: bool) -> None:
    """Print what people decided as JSON."""
    with connect(dsn) as connection:
        click.echo(write_document(_call(connection, configuration.GET, is_complete=is_complete)))


@command.command()
@dsn_option
@click.argument("file", type=click.File(encoding="utf-8"))
def apply(dsn: str, file: TextIO) -> None:
    """Apply the document in FILE (- is standard input), all or nothing.

    Prints what changed, a line each.
    """
    document = read_document(file.read())
    with connect(dsn) as connection:
        changes = _call(connection, configuration.APPLY, config=Jsonb(document))
    _print(changes, "nothing to change")


@command.command()
@dsn_option
@click.argument("file", type=click.File(encoding="utf-8"))
def diff(dsn: str, file: TextIO) -> None:
    """Print what applying FILE would change; exits with 1 when that is anything."""
    document = read_document(file.read())
    # Only the database knows what a document means; so it is applied, and that undone.
    with connect(dsn) as connection, connection.transaction(force_rollback=True):
        changes = _call(connection, configuration.APPLY, config=Jsonb(document))
    _print(changes, "no difference")
    sys.exit(1 if changes else 0)


@command.command()
def schema() -> None:
    """Print the JSON Schema of the document, for editors and other tools."""
    click.echo(schema_text(), nl=False)


def _call(connection: psycopg.Connection, statement: str, **parameters: Any) -> Any:
    with monitoring_errors():
        row = connection.execute(statement.encode(), parameters).fetchone()
    assert row is not None
    return row[0]


def _print(changes: Any, otherwise: str) -> None:
    for line in describe_changes(changes):
        click.echo(line)
    if not changes:
        click.echo(otherwise)
