"""Reading their tables, wherever they are, a few rows at a time; nothing is written there."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import psycopg
from psycopg import sql

from pgvigil.database.connections import own_session
from pgvigil.database.far_times import take_far_times
from pgvigil.exceptions import PgvigilError
from pgvigil.outside.redaction import redacted
from pgvigil.outside.secrets import SecretError, Secrets
from pgvigil.outside.sources.elsewhere import opened, reason_of, run
from pgvigil.outside.sources.errors import UnreadableError
from pgvigil.runner.importing.mapping import Table

if TYPE_CHECKING:
    from sqlalchemy import Connection

_ROWS_AT_ONCE = 1000
_READ_ONLY = {
    "mysql": "set session transaction read only",
    "mariadb": "set session transaction read only",
    "postgresql": "set default_transaction_read_only = on",
    "oracle": "set transaction read only",
}


class TableError(PgvigilError):
    """A table of theirs cannot be read."""


class Database(Protocol):
    """A database that is read."""

    def columns(self, table: Table) -> list[str]:
        """Return the names of a table's columns."""

    def rows(self, table: Table, order_by: str | None) -> Iterator[Sequence[Any]]:
        """Yield the rows of a table, by the order of a column where one is given."""


class Here:
    """The database that history is loaded into."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        """Read over a connection of its own."""
        self._connection = connection

    def columns(self, table: Table) -> list[str]:
        """Return the names of a table's columns."""
        statement = sql.SQL("select * from ({}) pgvigil_rows where false")
        with self._connection.transaction():
            found = self._connection.execute(statement.format(_selected(table)))
        return [column.name for column in found.description or ()]

    def rows(self, table: Table, order_by: str | None) -> Iterator[Sequence[Any]]:
        """Yield the rows of a table, by the order of a column where one is given."""
        statement = _selected(table)
        if order_by is not None:
            statement += sql.SQL(" order by {}").format(sql.Identifier(order_by))
        with (
            self._connection.transaction(),
            self._connection.cursor(name="pgvigil_import") as cursor,
        ):
            take_far_times(cursor)
            cursor.itersize = _ROWS_AT_ONCE
            yield from cursor.execute(statement)


def _selected(table: Table) -> sql.Composed:
    if table.relation is not None:
        return sql.SQL("select * from {}").format(sql.Identifier(*table.relation.split(".")))
    # The query is the person's own, who reads with rights of their own.
    return sql.Composed([sql.SQL(_without_end(table.query))])


class Elsewhere:
    """Another database."""

    def __init__(self, connection: "Connection") -> None:
        """Read over a connection of its own."""
        self._connection = connection

    def columns(self, table: Table) -> list[str]:
        """Return the names of a table's columns."""
        statement = f"select * from ({self._selected(table)}) pgvigil_rows where 1 = 0"
        found = run(self._connection, statement, None, None)
        names = list(found.keys())
        found.close()
        return names

    def rows(self, table: Table, order_by: str | None) -> Iterator[Sequence[Any]]:
        """Yield the rows of a table, by the order of a column where one is given."""
        statement = self._selected(table)
        if order_by is not None:
            statement += f" order by {self._quoted(order_by)}"
        for row in run(self._connection, statement, None, None):
            yield tuple(row)

    def _selected(self, table: Table) -> str:
        if table.relation is None:
            return _without_end(table.query)
        return f"select * from {'.'.join(map(self._quoted, table.relation.split('.')))}"

    def _quoted(self, name: str) -> str:
        return str(self._connection.dialect.identifier_preparer.quote(name))


@contextmanager
def database_of(table: Table, dsn: str, secrets: Secrets) -> Iterator[Database]:
    """Connect to the database of a table, to read it and no more.

    Args:
        table: the table.
        dsn: this database.
        secrets: where the addresses of others are.

    Raises:
        TableError: it cannot be read, there or while it is; the message holds no address.
    """
    address = ""
    try:
        if table.database is None:
            with own_session(dsn, "pgvigil import") as here:
                here.read_only = True
                yield Here(here)
        else:
            address = secrets.find(table.database)
            with opened(address) as elsewhere:
                statement = _READ_ONLY.get(elsewhere.dialect.name)
                if statement:
                    elsewhere.exec_driver_sql(statement)
                yield Elsewhere(elsewhere)
    except (SecretError, UnreadableError) as error:
        raise TableError(f"{table.path}: {error}") from None
    except _driver_errors() as error:
        raise TableError(f"{table.path}: {redacted(reason_of(error), address)}") from None


def _driver_errors() -> tuple[type[Exception], ...]:
    try:
        from sqlalchemy.exc import SQLAlchemyError
    except ModuleNotFoundError:
        return (OSError, ModuleNotFoundError)
    return (OSError, ModuleNotFoundError, SQLAlchemyError)


def _without_end(query: str | None) -> str:
    return (query or "").strip().rstrip(";").rstrip()
