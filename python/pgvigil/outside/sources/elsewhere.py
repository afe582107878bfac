"""The other database: how it is reached, and the query that is run there."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pgvigil.outside.sources.errors import UnreadableError

# Loaded when it is needed: it takes memory, and who reads nothing elsewhere does without.
if TYPE_CHECKING:
    from sqlalchemy import Connection, CursorResult

# An address may say no more than which database it is.
_DRIVERS = {
    "mariadb": "mariadb+pymysql",
    "mysql": "mysql+pymysql",
    "oracle": "oracle+oracledb",
    "mssql": "mssql+pymssql",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
}
_EXTRAS = {"sqlalchemy": "server", "pymysql": "mariadb", "oracledb": "oracle"}
_EXTRAS |= {"pymssql": "sqlserver"}
# Rows that are held at a time, beside those of the piece that is being staged.
_ROWS_BUFFERED = 500


def reason_of(error: Exception) -> str:
    """Return why something failed, in the driver's words; addresses are still to be taken out."""
    if isinstance(error, ModuleNotFoundError):
        module = (error.name or "").partition(".")[0]
        extra = _EXTRAS.get(module)
        if extra:
            return f"the module {module} is not installed: pip install 'pgvigil[{extra}]'"
        return f"the module {module} is not installed"
    # What SQLAlchemy adds is the statement, its parameters and a link.
    error = getattr(error, "orig", None) or error
    return f"{type(error).__name__}: {error}"


@contextmanager
def opened(address: str) -> "Iterator[Connection]":
    """Connect to a database.

    Args:
        address: URL as SQLAlchemy has them, such as ``mysql://user:password@host/database``.
    """
    import sqlalchemy
    from sqlalchemy.pool import NullPool

    scheme, separator, rest = address.partition("://")
    if not separator:
        raise UnreadableError("the address is not a URL: write mysql://user:password@host/database")
    engine = sqlalchemy.create_engine(
        f"{_DRIVERS.get(scheme, scheme)}://{rest}", poolclass=NullPool, hide_parameters=True
    )
    with engine.connect() as connection:
        yield connection.execution_options(stream_results=True, max_row_buffer=_ROWS_BUFFERED)


def run(
    connection: "Connection", query: str, resume_column: str | None, resume_after: Any
) -> "CursorResult[Any]":
    """Run a query and return its rows as they come.

    Args:
        connection: to the other database.
        query: in that database's words.
        resume_column: column to order by, whose values name each row; None for any order.
        resume_after: value of it after which to begin; None for all rows.
    """
    import sqlalchemy

    # A colon that is no parameter.
    statement = re.sub(r":", r"\\:", query)
    parameters = {}
    if resume_column is not None:
        column = connection.dialect.identifier_preparer.quote(resume_column)
        condition = "" if resume_after is None else f" where {column} > :after"
        statement = f"select * from ({statement}) pgvigil_rows{condition} order by {column}"
        parameters = {} if resume_after is None else {"after": resume_after}
    return connection.execute(sqlalchemy.text(statement), parameters)
