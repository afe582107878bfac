"""Asking the database about what was recorded, without ever breaking the program that asks."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pgvigil.client.sending.all_senders import flush_all
from pgvigil.client.sending.own_work import own_work
from pgvigil.database.dsn import complete_dsn
from pgvigil.database.patience import ImpatientConnection
from pgvigil.exceptions import explain

_T = TypeVar("_T")
_PATIENCE = 15.0
UNSENT = "some records of this program are still on their way to the database"


def read(
    dsn: str, ask: Callable[[ImpatientConnection], _T], patience: float = _PATIENCE
) -> tuple[_T | None, str | None]:
    """Ask a database, once what this program has told it is there.

    Args:
        dsn: which database.
        ask: what to do with a connection to it.
        patience: seconds for each statement, and for what is on its way.

    Returns:
        The answer if there is any, and why it may not be all there is to know, or None.
    """
    has_sent_all = flush_all(dsn, patience)
    try:
        with own_work(), open_reading(dsn, patience) as connection:
            return ask(connection), None if has_sent_all else UNSENT
    except Exception as error:
        lines = (explain(error) or str(error)).splitlines()
        return None, lines[0] if lines else type(error).__name__


def read_value(
    dsn: str, query: str, arguments: Mapping[str, Any]
) -> tuple[dict[str, Any] | None, str | None]:
    """Ask for one document; see `read`."""

    def ask(connection: ImpatientConnection) -> dict[str, Any] | None:
        row = connection.execute(query.encode(), arguments).fetchone()
        return row[0] if row else None

    return read(dsn, ask)


def open_reading(dsn: str, patience: float) -> ImpatientConnection:
    """Return a connection for a question, which gives up after so many seconds of silence."""
    connection = ImpatientConnection.connect(
        complete_dsn(dsn, "pgvigil etl", 5), autocommit=True, prepare_threshold=None
    )
    connection.patience = patience
    return connection
