"""The one connection of an installer: it holds the lock that keeps installers apart."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from psycopg.conninfo import make_conninfo

from pgvigil.exceptions import DatabaseNotReadyError

Report = Callable[[str], None]
"""Takes each line that tells what is being done."""

OLDEST_SERVER = 150000
"""Oldest server version that works, as ``server_version_num`` gives it."""

# The single file takes the same lock, so psql and this program keep out of each other's way.
LOCK_KEY = "hashtext('pgvigil.migrate')"


def say_nothing(line: str) -> None:
    """Report nothing."""


@contextmanager
def installer_session(dsn: str, report: Report) -> Iterator[psycopg.Connection]:
    """Connect, wait until no other installer is at work, and keep others out meanwhile.

    Args:
        dsn: the database, as a URI or key=value pairs; empty for libpq's environment.
        report: is told of a wait, and of the server's notices and warnings.

    Raises:
        psycopg.OperationalError: the database cannot be reached.
        DatabaseNotReadyError: the server is too old or does not take changes.
    """
    with connect(dsn, report) as connection:
        check_server(connection)
        take_lock(connection, report)
        yield connection


def connect(dsn: str, report: Report = say_nothing) -> psycopg.Connection:
    """Open a connection that commits each statement and reports notices.

    Raises:
        psycopg.OperationalError: the database cannot be reached.
    """
    # The files are UTF-8, whatever the environment would have libpq send.
    conninfo = make_conninfo(dsn, fallback_application_name="pgvigil", client_encoding="utf8")
    connection = psycopg.connect(conninfo, autocommit=True)
    connection.add_notice_handler(notice_reporter(report))
    return connection


def current_role(connection: psycopg.Connection) -> str:
    """Return the role whose rights count, which a setting may make another than the login."""
    row = connection.execute("select current_user").fetchone()
    assert row is not None
    return str(row[0])


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


def check_server(connection: psycopg.Connection) -> None:
    """Refuse a server that cannot hold pgvigil.

    Raises:
        DatabaseNotReadyError: it is older than PostgreSQL 15, or a standby.
    """
    if connection.info.server_version < OLDEST_SERVER:
        raise DatabaseNotReadyError(
            f"the server is PostgreSQL {connection.info.server_version // 10000}",
            hint="pgvigil needs PostgreSQL 15 or newer.",
        )
    row = connection.execute(
        "select pg_is_in_recovery() or current_setting('transaction_read_only')::boolean"
    ).fetchone()
    if row is not None and row[0]:
        raise DatabaseNotReadyError(
            "the database is read-only",
            hint="Connect to the primary; with several hosts add target_session_attrs=primary.",
        )


def take_lock(connection: psycopg.Connection, report: Report) -> None:
    """Wait until no other installer is at work in this database; the lock ends with the session."""
    # A role's or database's own limits must not end the wait, nor the session that sits idle with
    # the lock while yoyo works on connections of its own. They hold again for the work itself.
    connection.execute("set idle_session_timeout = 0")
    connection.execute("set statement_timeout = 0")
    connection.execute("set lock_timeout = 0")
    row = connection.execute(f"select pg_try_advisory_lock({LOCK_KEY})").fetchone()
    if row is None or not row[0]:
        report("waiting for another installer to finish with this database")
        connection.execute(f"select pg_advisory_lock({LOCK_KEY})")
    connection.execute("reset statement_timeout")
    connection.execute("reset lock_timeout")
