"""Whether a pooler stands between us and the database, and whether it hands our session around.

The greeting of a session names its server process, for cancelling. A pooler greets by itself, with
a number of its own, so that the number that the server gives for itself tells that one is there.
"""

import threading
import time
from contextlib import ExitStack, suppress
from typing import Any, cast

import psycopg

from pgvigil.database.patience import ImpatientConnection

IS_POOLED = "select pg_backend_pid() <> %s"
_SERVER_PROCESS = "select pg_backend_pid()"
# A session that a pooler keeps waiting for a server tells nothing, and must not hold us up.
_SECONDS_TO_ANSWER = 5.0
_SECONDS_FOR_ANOTHER = 1.0
_SECONDS_KEPT = 60.0
_one_at_a_time = threading.Lock()
_told: dict[str, tuple[float, bool]] = {}

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

    Raises:
        psycopg.OperationalError: it cannot be told, as the pooler keeps us waiting.
    """
    # One at a time: several would take the sessions away from each other.
    with _one_at_a_time:
        until, answer = _told.get(dsn, (0.0, False))
        if time.monotonic() > until:
            answer = _see(dsn)
            _told[dsn] = time.monotonic() + _SECONDS_KEPT, answer
        return answer


def _see(dsn: str) -> bool:
    """See a pooler at work: a session of ours meets the server process of another, or is moved."""
    with ExitStack() as stack:
        one = stack.enter_context(_open(dsn, autocommit=True))
        seen = {_process(one)}
        try:
            # In transactions until the end: their servers are taken, so that the next is another.
            first = stack.enter_context(_open(dsn, autocommit=False))
            if _process(first) in seen or _process(one) not in seen:
                return True
        except psycopg.OperationalError as error:
            # A pooler in statement mode does not let a transaction begin.
            if "transaction blocks not allowed" in str(error):
                return True
            raise
        # A pooler that takes turns between its servers comes back to ours only now.
        second = stack.enter_context(_open(dsn, autocommit=False))
        second.patience = _SECONDS_FOR_ANOTHER
        with suppress(psycopg.OperationalError):
            return _process(second) in seen or _process(one) not in seen
    return False


def _open(dsn: str, *, autocommit: bool) -> ImpatientConnection:
    connection = ImpatientConnection.connect(dsn, autocommit=autocommit, prepare_threshold=None)
    connection.patience = _SECONDS_TO_ANSWER
    return connection


def _process(connection: ImpatientConnection) -> int:
    row = connection.execute(_SERVER_PROCESS).fetchone()
    assert row is not None
    return int(row[0])
