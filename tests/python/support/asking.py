"""Asking a test's database what was recorded."""

from typing import Any

import psycopg
from psycopg.rows import dict_row


def rows(connection: psycopg.Connection[Any], query: str) -> list[dict[str, Any]]:
    """Return the rows of a query as dictionaries."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode()).fetchall()


def one(connection: psycopg.Connection[Any], query: str) -> dict[str, Any]:
    """Return the only row of a query."""
    (row,) = rows(connection, query)
    return row


def value(connection: psycopg.Connection[Any], query: str) -> Any:
    """Return the only value of a query."""
    (only,) = one(connection, query).values()
    return only


def the_task(connection: psycopg.Connection[Any]) -> dict[str, Any]:
    """Return the only task there is."""
    return one(connection, "select * from monitoring.processing_metrics")


def client_sessions(connection: psycopg.Connection[Any]) -> list[int]:
    """Return the processes of the sessions that clients have in the same database."""
    query = (
        "select pid from pg_stat_activity"
        " where application_name like 'pgvigil%' and datname = current_database()"
    )
    return [row["pid"] for row in rows(connection, query)]


class OwnError(Exception):
    """An exception that is no builtin."""


def make_just_installed(connection: psycopg.Connection[Any]) -> None:
    """Let a database, copied from one that may be old by now, have been installed this moment."""
    connection.execute("update monitoring.installed_migrations set installed_at = now()")
    connection.execute("update monitoring.jobs set next_run_at = now()")
