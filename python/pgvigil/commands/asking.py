"""Asking the database for what a command lists or shows."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any, LiteralString, NoReturn

import click
import psycopg
from psycopg.rows import DictRow, dict_row

from pgvigil.database.connections import open_connection, read_now
from pgvigil.database.queries.alerts import known_failures


class Questions:
    """Questions about one moment."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        """Take a connection."""
        self._connection = connection
        self.now: datetime = read_now(connection)

    def rows(self, query: LiteralString, values: Mapping[str, Any]) -> list[DictRow]:
        """Return the rows of a query."""
        with self._connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query, values).fetchall()

    def first(self, query: LiteralString, values: Mapping[str, Any]) -> DictRow | None:
        """Return the first row of a query, or None."""
        found = self.rows(query, values)
        return found[0] if found else None

    def together(self) -> AbstractContextManager[Any]:
        """Let what is asked within happen as a whole, or not at all."""
        return self._connection.transaction()


@contextmanager
def asking(dsn: str, command: str) -> Iterator[Questions]:
    """Connect for a command that reads.

    Raises:
        MonitoringError: the database refused a call.
        NotInstalledError: the database has no pgvigil, or one of an earlier version.
        psycopg.OperationalError: the server is away or silent.
    """
    with open_connection(dsn, f"pgvigil {command}") as connection, known_failures():
        yield Questions(connection)


def refuse_unknown(thing: str, name: str, remedy: str) -> NoReturn:
    """Say that there is no such thing, and how to find one.

    Raises:
        click.ClickException: always.
    """
    raise click.ClickException(f"there is no {thing} {name!r}\nHint: {remedy}")
