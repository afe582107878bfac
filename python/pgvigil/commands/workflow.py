"""``pgvigil workflow``."""

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
from pgvigil.install.configuration import describe_changes, write_document


@click.group(cls=SuggestingGroup)
def command() -> None:
    """Apply, show and remove workflows: which steps a business day has, and when.

    A workflow is one JSON document; docs/batch.md says what it holds.
    """


@command.command()
@dsn_option
@click.argument("file", type=click.File(encoding="utf-8"))
def apply(dsn: str, file: TextIO) -> None:
    """Apply the workflow in FILE (- is standard input), all or nothing.

    Steps that it does not name are removed. Prints what changed, a line each, and on standard
    error what cannot be in time as it is planned.
    """
    document = read_document(file.read())
    with connect(dsn) as connection:
        changes = _call(connection, configuration.APPLY_WORKFLOW, Jsonb(document))
    warnings = changes.pop("warnings", [])
    for line in describe_changes(changes):
        click.echo(line)
    if not changes:
        click.echo("nothing to change")
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)


@command.command()
@dsn_option
@click.argument("workflow")
def show(dsn: str, workflow: str) -> None:
    """Print WORKFLOW, by its name, as JSON that can be applied."""
    with connect(dsn) as connection:
        click.echo(write_document(_call(connection, configuration.GET_WORKFLOW, workflow)))


@command.command()
@dsn_option
@click.argument("workflow")
def remove(dsn: str, workflow: str) -> None:
    """Remove WORKFLOW, by its name, with the limits of its steps; its runs stay.

    Exits with 1 when there is no such workflow.
    """
    with connect(dsn) as connection:
        is_removed = _call(connection, configuration.REMOVE_WORKFLOW, workflow)
    click.echo("removed" if is_removed else f'there is no workflow "{workflow}"')
    sys.exit(0 if is_removed else 1)


@command.command()
@dsn_option
def schema(dsn: str) -> None:
    """Print the JSON Schema of a workflow, for editors and other tools."""
    with connect(dsn) as connection:
        click.echo(write_document(_call(connection, configuration.GET_WORKFLOW_SCHEMA)))


def _call(connection: psycopg.Connection, statement: str, argument: Any = None) -> Any:
    with monitoring_errors():
        row = connection.execute(statement.encode(), {"workflow": argument}).fetchone()
    assert row is not None
    return row[0]
