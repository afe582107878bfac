"""Loading a query of another database: its rows go through, a piece at a time, into staging."""

import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import psycopg

from pgvigil.notifying.redaction import redacted
from pgvigil.notifying.secrets import SecretError, Secrets
from pgvigil.sources import calls
from pgvigil.sources.cells import mark_of, text_of, value_of
from pgvigil.sources.elsewhere import UnreadableError, opened, reason_of, run

# A piece is committed when it has so many rows, or so many characters.
_ROWS_A_PIECE = 5_000
_CHARACTERS_A_PIECE = 4_000_000
# A driver that swallowed the first signal, or waits again while it cleans up, gets more.
_SECONDS_BETWEEN_SIGNALS = 5.0

Row = tuple[Sequence[str | None], Any]


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


class _TimeUpError(Exception):
    """It takes longer than it may."""


def load(
    connection: calls.Connection,
    query_name: str,
    secrets: Secrets,
    *,
    is_due_only: bool = False,
    is_dry_run: bool = False,
    report: Callable[[int], None] = lambda rows: None,
) -> Load:
    """Load a query and have its sources read, or change nothing.

    Args:
        connection: to our database, in autocommit mode, for this alone.
        query_name: name of the query.
        secrets: where the addresses are.
        is_due_only: whether to skip a query that is not due.
        is_dry_run: whether to undo everything in the end.
        report: is told how many rows have been read, after each piece.

    Raises:
        MonitoringError: there is no such query.
        psycopg.Error: our own database cannot be used.
    """
    with ExitStack() as stack:
        stack.callback(_let_go, connection)
        if is_dry_run:
            stack.enter_context(connection.transaction(force_rollback=True))
        order = calls.begin(connection, query_name, is_due_only=is_due_only)
        if "skipped" in order:
            return Load(query_name, skipped=order["skipped"])
        outcome = Load(query_name, rows_read=order["rows_read"])
        try:
            # In one piece, so that a dry run can go on after a statement of ours has failed.
            with connection.transaction() if is_dry_run else ExitStack():
                _load(connection, order, secrets, outcome, report)
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
    report: Callable[[int], None],
) -> None:
    address = secrets.find(order["connection"])
    try:
        with _time_limit(order["timeout_seconds"]):
            for piece in _pieces(_rows(address, order)):
                _stage(connection, order["load_id"], piece, outcome)
                report(outcome.rows_read)
    except (_TimeUpError, UnreadableError, psycopg.Error):
        raise  # SQLAlchemy has errors of its own for those of psycopg
    except Exception as error:  # what a driver may raise is not to be foreseen
        raise UnreadableError(redacted(reason_of(error), address)) from None
    outcome.sources = calls.finish(connection, order["load_id"])["sources"]


def _rows(address: str, order: dict[str, Any]) -> Iterator[Row]:
    """Yield the rows as texts, each with what its place in the order is."""
    columns, resume_column = order["columns"], order["resume_column"]
    place = columns.index(resume_column) if resume_column else None
    last = value_of(order["resume_after"])
    with opened(address) as elsewhere:
        result = run(elsewhere, order["statement"], resume_column, last)
        if len(result.keys()) != len(columns):
            raise UnreadableError(
                f"the query returns {len(result.keys())} columns, registered are {len(columns)}"
            )
        for row in result:
            if place is not None:
                if row[place] is None or row[place] == last:
                    raise UnreadableError(
                        f"column {resume_column} does not name each row: it is null, or twice the"
                        " same, so that a load could not be continued after it"
                    )
                last = row[place]
            yield [text_of(value) for value in row], last


def _pieces(rows: Iterable[Row]) -> Iterator[list[Row]]:
    piece: list[Row] = []
    characters = 0
    for row in rows:
        piece.append(row)
        characters += sum(len(cell) for cell in row[0] if cell)
        if len(piece) >= _ROWS_A_PIECE or characters >= _CHARACTERS_A_PIECE:
            yield piece
            piece, characters = [], 0
    if piece:
        yield piece


def _stage(connection: calls.Connection, load_id: int, piece: list[Row], outcome: Load) -> None:
    with connection.transaction():
        with connection.cursor() as cursor, cursor.copy(calls.COPY) as copy:
            for number, (cells, _) in enumerate(piece, outcome.rows_read + 1):
                copy.write_row((load_id, number, cells))
        rows_read = outcome.rows_read + len(piece)
        if not calls.note(connection, load_id, rows_read, mark_of(piece[-1][1])):
            raise UnreadableError("the query was removed, or registered anew, meanwhile")
    outcome.rows_read = rows_read


def _told(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "was interrupted"
    if isinstance(error, SecretError | UnreadableError | _TimeUpError):
        return str(error)
    if isinstance(error, psycopg.Error):
        return str(error.diag.message_primary or type(error).__name__)
    return f"unforeseen {type(error).__name__}"


def _let_go(connection: calls.Connection) -> None:
    if not connection.closed:
        calls.let_go(connection)


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise in the main thread when something takes longer; elsewhere nothing can do that."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        raise _TimeUpError(f"took longer than {seconds:g} s")

    previous = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds, _SECONDS_BETWEEN_SIGNALS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
