"""What loading asks of our database."""

import json
from collections.abc import Mapping
from typing import Any

import psycopg

Connection = psycopg.Connection[tuple[Any, ...]]

_BEGIN = (
    "select monitoring.begin_source_load(p_query_name => %(query_name)s,"
    " p_is_due_only => %(is_due_only)s)"
)
COPY = "copy monitoring.staged_rows (load_id, row_number, cells) from stdin"
_NOTE = (
    "select monitoring.note_source_progress(p_load_id => %(load_id)s,"
    " p_rows_read => %(rows_read)s, p_resume_after => %(resume_after)s)"
)
_FINISH = (
    "select monitoring.finish_source_load(p_load_id => %(load_id)s, p_asked => %(asked)s::jsonb)"
)
FAIL = "select monitoring.fail_source_load(p_query_name => %(query_name)s, p_error => %(error)s)"


def begin(connection: Connection, query_name: str, *, is_due_only: bool) -> dict[str, Any]:
    """Begin or continue a load; return what is to be done, or why it is ``skipped``."""
    answer = _value(connection, _BEGIN, query_name=query_name, is_due_only=is_due_only)
    assert isinstance(answer, dict)
    return answer


def note(connection: Connection, load_id: int, rows_read: int, resume_after: str | None) -> bool:
    """Note how far a load has come; return whether it still goes on."""
    return bool(
        _value(connection, _NOTE, load_id=load_id, rows_read=rows_read, resume_after=resume_after)
    )


def finish(connection: Connection, load_id: int, asked: Mapping[str, Any] | None) -> dict[str, Any]:
    """Have the sources of a complete load read, first as is asked; return what they found."""
    document = None if asked is None else json.dumps(asked, default=str)
    answer = _value(connection, _FINISH, load_id=load_id, asked=document)
    assert isinstance(answer, dict)
    return answer


def fail(connection: Connection, query_name: str, error: str) -> str | None:
    """Note why a load failed; return what becomes of it."""
    status: str | None = _value(connection, FAIL, query_name=query_name, error=error)
    return status


def _value(connection: Connection, call: str, **arguments: Any) -> Any:
    row = connection.execute(call.encode(), arguments).fetchone()
    assert row is not None
    return row[0]
