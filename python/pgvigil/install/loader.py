"""Loads functions, views and grants, or drops them, in one transaction."""

import re
from importlib.resources import files

import psycopg

from pgvigil.database.connections import Report, say_nothing
from pgvigil.exceptions import CodeFailedError, RollbackRefusedError
from pgvigil.install.files import Code
from pgvigil.install.session import LOCK_LIMIT, SECONDS_TO_WAIT, insist

# Names in the code are looked up as the code means them, whatever else the caller's path holds.
SEARCH_PATH = "pg_catalog, pg_temp"
# A role's or DSN's own limit counts more. Readers queue up behind one who waits.
_BOUND_WAITS = """
select set_config('lock_timeout', %s, true) where current_setting('lock_timeout') = '0'
"""
_WHO_READS = (
    "Another session uses what is to be changed, in a transaction that goes on. Nothing was "
    "changed. It is one of: select distinct pid, usename, application_name, state from pg_locks "
    "join pg_stat_activity using (pid) where relation in (select oid from pg_class where "
    "relnamespace = 'monitoring'::regnamespace);"
)
_FUNCTION = re.compile(r"^PL/pgSQL function (\S+(?:\(.*?\))?) line (\d+)", re.MULTILINE)


def load_code(connection: psycopg.Connection, code: Code, report: Report = say_nothing) -> None:
    """Load all code files and note their checksum; all or nothing.

    Args:
        connection: commits each statement.
        code: what to load.
        report: is told of a wait for those who use what is to be replaced.

    Raises:
        CodeFailedError: a file failed; the message names it.
    """
    row = connection.execute("select current_setting('lock_timeout') = '0'").fetchone()
    if row is not None and row[0]:
        insist(lambda: _load(connection, code), report)
    else:
        _load(connection, code)


def _load(connection: psycopg.Connection, code: Code) -> None:
    with connection.transaction():
        connection.execute(f"set local search_path = {SEARCH_PATH}")
        connection.execute("set local standard_conforming_strings = on")
        connection.execute(_BOUND_WAITS, [LOCK_LIMIT])
        for file in code.files:
            _load_file(connection, file.name, file.text)
        connection.execute(
            "select monitoring.note_code_checksum(p_checksum => %s)", [code.checksum]
        )


def _load_file(connection: psycopg.Connection, name: str, text: str) -> None:
    try:
        connection.execute(text.encode())
    except psycopg.Error as error:
        line = _line_of(text, error.diag.statement_position)
        raise CodeFailedError(
            f"sql/{name}{line} failed: {error.diag.message_primary or error}",
            hint=hint_of(error),
        ) from error


def hint_of(error: psycopg.Error) -> str | None:
    """Return what to do about a statement of an installer that failed; None when nobody knows."""
    if isinstance(error, psycopg.errors.LockNotAvailable):
        return _WHO_READS
    return blame_of_trigger(error) or error.diag.message_hint or error.diag.message_detail


def blame_of_trigger(error: psycopg.Error) -> str | None:
    """Return what to do where it was a function of somebody else's that failed, else None.

    While we install, none but an event trigger of the database runs code that is not ours.
    """
    for function, line in _FUNCTION.findall(error.diag.context or ""):
        if not function.startswith(("monitoring.", "inline_code_block")):
            return (
                f"It is {function} that failed, at its line {line}: an event trigger of this "
                "database calls it for what we create. Let it name schemas itself (alter function "
                f"{function} set search_path = ...) and run with its owner's rights (security "
                "definer), or disable the event trigger while you install."
            )
    return None


def _line_of(text: str, position: str | None) -> str:
    """Return where a character position, counted from 1, is; empty when it is unknown."""
    if position is None:
        return ""
    return f" line {text[: int(position)].count(chr(10)) + 1}"


def drop_code(connection: psycopg.Connection) -> None:
    """Drop all views and functions of schema monitoring, if any; tables and their rows stay.

    Raises:
        RollbackRefusedError: something outside the schema uses one of them.
    """
    statement = (files("pgvigil.install") / "drop_code.sql").read_text(encoding="utf-8")
    try:
        with connection.transaction():
            connection.execute(_BOUND_WAITS, [f"{SECONDS_TO_WAIT}s"])
            connection.execute(statement.encode())
    except psycopg.errors.LockNotAvailable as error:
        raise RollbackRefusedError(
            f"the code cannot be dropped: {error.diag.message_primary}", hint=_WHO_READS
        ) from error
    except psycopg.errors.DependentObjectsStillExist as error:
        raise RollbackRefusedError(
            f"the code cannot be dropped: {error.diag.message_detail or error}",
            hint=error.diag.message_hint,
        ) from error
