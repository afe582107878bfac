"""Exporting: rows come by a server-side cursor and leave as bytes, a few at a time."""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any

import psycopg
from psycopg.types.json import set_json_loads

from pgvigil.database.far_times import take_far_times
from pgvigil.exceptions import installed_or_told
from pgvigil.faces.export import document, text, workbook
from pgvigil.faces.export.kinds import KINDS
from pgvigil.faces.export.span import Span
from pgvigil.faces.export.table import ExportError, Json, Table

_ROWS_AT_ONCE = 1000


@dataclass(frozen=True)
class Format:
    """A kind of file."""

    media_type: str
    write: Callable[[Table], Iterable[bytes]]


FORMATS: Mapping[str, Format] = {
    "csv": Format("text/csv; charset=utf-8", text.write_csv),
    "json": Format("application/json", text.write_json),
    "jsonl": Format("application/x-ndjson", text.write_jsonl),
    "xlsx": Format(
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        workbook.write_workbook,
    ),
    "pdf": Format("application/pdf", document.write_document),
}


def export(
    connection: psycopg.Connection[Any],
    what: str,
    file_format: str,
    span: Span,
    *,
    zone: tzinfo = UTC,
    is_exact: bool = False,
) -> Generator[bytes]:
    """Return what was recorded in a span as the bytes of a file, made while they are read.

    Memory stays bounded, however many rows there are. A transaction of the connection, a savepoint
    within one that is open, lasts until the generator is exhausted or closed.

    Args:
        connection: to the database, as someone who has the role monitoring_reader. Used by the
            generator alone until that is through.
        what: one of ``KINDS``.
        file_format: one of ``FORMATS``.
        span: the time that is wanted.
        zone: time zone in which times are written.
        is_exact: leave texts in CSV as they are, though a spreadsheet may take one for a formula.

    Raises:
        ExportError: there is no such kind or format, it needs what is not installed, or there are
            more rows than it has room for. Raised by this call, before the first byte.
        NotInstalledError: the database has no pgvigil.
        psycopg.Error: the query failed; by this call, or while reading when the server goes away.
    """
    if what not in KINDS:
        raise ExportError(f"{what!r} cannot be exported", hint=f"It is one of {', '.join(KINDS)}.")
    if file_format not in FORMATS:
        raise ExportError(
            f"{file_format!r} is not a format", hint=f"It is one of {', '.join(FORMATS)}."
        )
    stream = _stream(connection, what, FORMATS[file_format], span, zone, is_exact)
    # Up to here it asks the database and looks whether all is well.
    next(stream)
    return stream


def file_name(what: str, file_format: str, span: Span, zone: tzinfo = UTC) -> str:
    """Return a name for the file, such as tasks-20260115T0000-20260116T0000.csv."""
    ends = (f"{at.astimezone(zone):%Y%m%dT%H%M}" for at in (span.from_at, span.to_at))
    return f"{what}-{'-'.join(ends)}.{file_format}"


def _stream(
    connection: psycopg.Connection[Any],
    what: str,
    file_format: Format,
    span: Span,
    zone: tzinfo,
    is_exact: bool,
) -> Generator[bytes]:
    kind = KINDS[what]
    with connection.transaction(), connection.cursor(name="pgvigil_export") as cursor:
        set_json_loads(_as_text, cursor)
        take_far_times(cursor)
        cursor.itersize = _ROWS_AT_ONCE
        with installed_or_told():
            cursor.execute(kind.query.encode(), {"from": span.from_at, "to": span.to_at})
        table = Table(
            title=what,
            columns=_names(cursor),
            rows=cursor,
            span=span,
            zone=zone,
            widths=kind.columns,
            is_exact=is_exact,
        )
        pieces = iter(file_format.write(table))
        first = next(pieces, b"")
        yield b""
        yield first
        yield from pieces


def _names(cursor: psycopg.ServerCursor[Any]) -> Sequence[str]:
    assert cursor.description is not None
    return [column.name for column in cursor.description]


def _as_text(value: str | bytes) -> Json:
    return Json(value if isinstance(value, str) else value.decode())
