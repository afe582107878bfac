"""Whether a pooler stands between us and the database, and whether it hands our session around.

The greeting of a session names its server process, for cancelling. A pooler greets by itself, with
a number of its own, so that the number that the server gives for itself tells that one is there.
"""

from contextlib import ExitStack
from typing import Any, cast

import psycopg

from pgvigil.recording.patience import ImpatientConnection

IS_POOLED = "select pg_backend_pid() <> %s"
_SERVER_PROCESS = "select pg_backend_pid()"
# A session that a pooler keeps waiting for a server tells nothing, and must not hold us up.
_SECONDS_TO_ANSWER = 3.0
_ROUNDS = 3

HINT = (
    "Connect to the server itself, or to a pool in session mode: in transaction mode a pool hands "
    "a session to others after each transaction, with all that is set and locked in it."
)


class SharedSessionError(psycopg.OperationalError):
    """A pooler in transaction mode, where what is to be done takes a session of its own."""


def is_pooled(connection: psycopg.Connection[Any]) -> bool:
    """Tell whether a pooler, of whatever mode, stands between us and the server."""
    told = connection.info.backend_pid
    row = cast("psycopg.Connection[tuple[bool]]", connection).execute(
        IS_POOLED, [told], prepare=False
    )
    found = row.fetchone()
    return bool(found and found[0])


def shares_sessions(dsn: str) -> bool:
    """Tell whether a pooler hands sessions on after each transaction; call it for pooled ones.

    It is seen at work: one of ours meets the server process of another, or is moved itself. A
    pooler that has a server for each of them all the while may escape.
    """
    seen = set()
    try:
        with ExitStack() as stack:
            one = stack.enter_context(_open(dsn, autocommit=True))
            for _ in range(_ROUNDS):
                seen.add(_process(one))
                # Open until the end: its server is taken, so that the next has to be another.
                other = stack.enter_context(_open(dsn, autocommit=False))
                if len(seen) > 1 or _process(other) in seen:
                    return True
    except psycopg.Error as error:
        # A pooler in statement mode does not let a transaction begin.
        return error.sqlstate == "08P01" or "transaction blocks not allowed" in str(error)
    return False


def _open(dsn: str, *, autocommit: bool) -> ImpatientConnection:
    connection = ImpatientConnection.connect(dsn, autocommit=autocommit, prepare_threshold=None)
    connection.patience = _SECONDS_TO_ANSWER
    return connection


def _process(connection: ImpatientConnection) -> int:
    row = connection.execute(_SERVER_PROCESS).fetchone()
    assert row is not None
    return int(row[0])
