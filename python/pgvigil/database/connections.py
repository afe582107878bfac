"""The connections of commands: telling what the server says, or giving up on a silent one."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import psycopg

from pgvigil.database.dsn import complete_dsn, parse_dsn
from pgvigil.database.far_times import take_far_times
from pgvigil.database.patience import ImpatientConnection
from pgvigil.database.pooling import HINT, is_pooled, shares_sessions
from pgvigil.database.queries.state import NOW
from pgvigil.exceptions import DatabaseNotReadyError

Report = Callable[[str], None]
"""Takes each line that tells what is being done."""

READ_ONLY_HINT = (
    "Connect to the primary; with several hosts add target_session_attrs=primary. Where this is "
    "the primary, unset default_transaction_read_only for the role or the database."
)

_SECONDS_TO_ANSWER = 15.0
_OPTION = re.compile(r"(?:-c\s*|--)([A-Za-z_][\w.-]*)=")
# The setting "role" is not listed.
_IS_AS_ASKED = """
select case %(name)s when 'role' then current_setting('role') <> 'none'
    else (select source = 'client' from pg_settings where name = %(name)s) end
"""


def say_nothing(line: str) -> None:
    """Report nothing."""


def connect(
    dsn: str,
    report: Report = say_nothing,
    application: str = "pgvigil",
    patience: float | None = None,
) -> psycopg.Connection:
    """Open a connection that commits each statement and reports notices.

    Args:
        dsn: the database.
        report: takes the notices.
        application: how the session shows itself.
        patience: seconds after which to give up on a server that is silent; None for never.

    Raises:
        DatabaseNotReadyError: the DSN cannot be parsed.
        psycopg.OperationalError: the database cannot be reached.
    """
    # The files are UTF-8, whatever the environment would have libpq send.
    conninfo = complete_dsn(dsn, application, client_encoding="utf8")
    kind = psycopg.Connection if patience is None else ImpatientConnection
    connection = kind.connect(conninfo, autocommit=True, prepare_threshold=None)
    if isinstance(connection, ImpatientConnection) and patience is not None:
        connection.patience = patience
    take_far_times(connection)
    connection.add_notice_handler(notice_reporter(report))
    return connection


def own_session(
    dsn: str, application: str = "pgvigil", patience: float | None = None
) -> psycopg.Connection:
    """Open a connection as `connect` does, where it takes a session that is nobody else's.

    Raises:
        DatabaseNotReadyError: a pooler hands sessions on after each transaction, or the DSN makes
            no sense.
        psycopg.OperationalError: the database cannot be reached.
    """
    connection = connect(dsn, application=application, patience=patience)
    try:
        if is_pooled(connection):
            if shares_sessions(complete_dsn(dsn, application)):
                raise DatabaseNotReadyError(
                    "the database is behind a pooler in transaction mode", hint=HINT
                )
            _refuse_lost_options(connection, parse_dsn(dsn).get("options", ""))
    except BaseException:
        connection.close()
        raise
    return connection


def _refuse_lost_options(connection: psycopg.Connection, options: str) -> None:
    """Refuse a pooler that keeps the options of the DSN to itself: they may say who we are."""
    for name in _OPTION.findall(options):
        row = connection.execute(_IS_AS_ASKED, {"name": name.replace("-", "_").lower()}).fetchone()
        if row is None or not row[0]:
            raise DatabaseNotReadyError(
                f"the pooler in between does not pass on the option {name} of the DSN",
                hint="Connect to the server itself, or set it for the role: alter role ... set ...",
            )


def open_connection(dsn: str, application: str = "pgvigil dashboard") -> ImpatientConnection:
    """Open a connection that gives up on a server that is silent.

    Args:
        dsn: the database.
        application: how the session shows itself.

    Raises:
        psycopg.OperationalError: the server cannot be reached.
    """
    connection = ImpatientConnection.connect(
        complete_dsn(dsn, application, 5), autocommit=True, prepare_threshold=None
    )
    connection.patience = _SECONDS_TO_ANSWER
    return connection


def current_role(connection: psycopg.Connection) -> str:
    """Return the role whose rights count, which a setting may make another than the login."""
    row = connection.execute("select current_user").fetchone()
    assert row is not None
    return str(row[0])


def read_now(connection: psycopg.Connection[Any]) -> datetime:
    """Return the time that the database goes by."""
    row = connection.execute(NOW).fetchone()
    assert row is not None
    now: datetime = row[0]
    return now


def notice_reporter(report: Report) -> Callable[[psycopg.errors.Diagnostic], None]:
    """Return a handler that reports notices and warnings of the server with their hints."""

    def handle(notice: psycopg.errors.Diagnostic) -> None:
        severity = notice.severity_nonlocalized or notice.severity
        if severity not in ("NOTICE", "WARNING"):
            return
        report(f"{severity.lower()}: {notice.message_primary}")
        if notice.message_hint:
            report(f"  hint: {notice.message_hint}")

    return handle
