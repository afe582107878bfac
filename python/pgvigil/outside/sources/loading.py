"""Loading a query of another database: its rows go through, a piece at a time, into staging."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Any

import psycopg

from pgvigil.outside.secrets import SecretError, Secrets
from pgvigil.outside.sources import calls
from pgvigil.outside.sources.errors import UnreadableError
from pgvigil.outside.sources.reader import pieces


@dataclass
class Load:
    """How the load of a query went."""

    query: str
    rows_read: int = 0
    skipped: str | None = None
    """Why it was not loaded."""
    error: str | None = None
    """Why it failed, without any address."""
    status: str | None = None
    """What became of a load that failed: interrupted or failed."""
    sources: list[dict[str, Any]] = field(default_factory=list)
    """What the sources that read it found."""
    asked: dict[str, Any] | None = None
    """What was found by reading one of them as was asked."""


def load(
    connection: calls.Connection,
    query_name: str,
    secrets: Secrets,
    *,
    is_due_only: bool = False,
    is_dry_run: bool = False,
    asked: Mapping[str, Any] | None = None,
    report: Callable[[int], None] = lambda rows: None,
) -> Load:
    """Load a query and have its sources read, or change nothing.

    Args:
        connection: to our database, in autocommit mode, for this alone.
        query_name: name of the query.
        secrets: where the addresses are.
        is_due_only: whether to skip a query that is not due.
        is_dry_run: whether to undo everything in the end.
        asked: how one of its sources is to be read first, by the arguments of
            ``track_all_status_changes_from_source()``.
        report: is told how many rows have been read, after each piece.

    Raises:
        MonitoringError: there is no such query.
        psycopg.Error: our own database cannot be used.
    """
    with ExitStack() as stack:
        if is_dry_run:
            stack.enter_context(connection.transaction(force_rollback=True))
        order = calls.begin(connection, query_name, is_due_only=is_due_only)
        if "skipped" in order:
            return Load(query_name, skipped=order["skipped"])
        outcome = Load(query_name, rows_read=order["rows_read"])
        try:
            # In one piece, so that a dry run can go on after a statement of ours has failed.
            with connection.transaction() if is_dry_run else ExitStack():
                _load(connection, order, secrets, outcome, asked, report)
        except (Exception, KeyboardInterrupt) as error:
            if connection.closed:
                raise
            outcome.error = _told(error)
            if not is_dry_run:
                outcome.status = calls.fail(connection, query_name, outcome.error)
            if isinstance(error, KeyboardInterrupt):
                raise
        return outcome


def _load(
    connection: calls.Connection,
    order: dict[str, Any],
    secrets: Secrets,
    outcome: Load,
    asked: Mapping[str, Any] | None,
    report: Callable[[int], None],
) -> None:
    reading = {key: order[key] for key in ("statement", "columns", "resume_column", "resume_after")}
    reading["address"] = secrets.find(order["connection"])
    reading["seconds"] = order["timeout_seconds"]
    with closing(pieces(reading)) as found:
        for rows, mark in found:
            _stage(connection, order["load_id"], rows, mark, outcome)
            report(outcome.rows_read)
    told = calls.finish(connection, order["load_id"], asked)
    outcome.sources, outcome.asked = told["sources"], told.get("asked")


def _stage(
    connection: calls.Connection,
    load_id: int,
    rows: list[list[str | None]],
    mark: str | None,
    outcome: Load,
) -> None:
    rows_read = outcome.rows_read + len(rows)
    with connection.transaction():
        with connection.cursor() as cursor, cursor.copy(calls.COPY) as copy:
            for number, cells in enumerate(rows, outcome.rows_read + 1):
                copy.write_row((load_id, number, cells))
        if not calls.note(connection, load_id, rows_read, mark):
            raise UnreadableError("the query was removed, or registered again, in the meantime")
    outcome.rows_read = rows_read


def _told(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "was interrupted"
    if isinstance(error, SecretError | UnreadableError):
        return str(error)
    if isinstance(error, psycopg.Error):
        return str(error.diag.message_primary or type(error).__name__)
    return f"unexpected {type(error).__name__}"
