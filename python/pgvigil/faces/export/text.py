"""CSV, JSON and JSONL."""

import json
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, tzinfo
from decimal import Decimal
from math import isfinite
from typing import Any

from pgvigil.faces.export.table import Json, Table, in_zone

_PIECE = 64 * 1024
# What spreadsheets take for the beginning of a formula; the last four are as wide as ideographs.
# An apostrophe before one might have been put there by us: it gets another one.
_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_TO_BE_QUOTED = re.compile('[,"\r\n]')


def write_csv(table: Table) -> Iterator[bytes]:
    """Yield a table as CSV in UTF-8, its first line the names of the columns.

    An empty text is quoted, nothing is not. Unless all is to stay as it is, an apostrophe is put
    before a text that a spreadsheet would take for a formula.
    """
    return _joined(_csv_lines(table))


def write_jsonl(table: Table) -> Iterator[bytes]:
    """Yield a table as JSON, an object a line."""
    return _joined(line + "\n" for line in _objects(table))


def write_json(table: Table) -> Iterator[bytes]:
    """Yield a table as a JSON array of objects."""
    return _joined(_array(table))


def _csv_lines(table: Table) -> Iterator[str]:
    # The ends of lines tell who reads it again whether texts are as they were.
    end = "\n" if table.is_exact else "\r\n"
    yield ",".join(map(_quoted, table.columns)) + end
    for row in table.rows:
        cells = (_field(value, table) for value in row)
        yield ",".join("" if cell is None else _quoted(str(cell)) for cell in cells) + end


def _quoted(text: str) -> str:
    if text and not _TO_BE_QUOTED.search(text):
        return text
    return '"' + text.replace('"', '""') + '"'


def _field(value: Any, table: Table) -> Any:
    if isinstance(value, str):
        if not table.is_exact and _FORMULA.match(value):
            return f"'{value}"
        return value
    if isinstance(value, datetime):
        return in_zone(value, table.zone)
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


def _array(table: Table) -> Iterator[str]:
    separator = "["
    for line in _objects(table):
        yield f"{separator}\n{line}"
        separator = ","
    yield "[]\n" if separator == "[" else "\n]\n"


def _objects(table: Table) -> Iterator[str]:
    names = [f"{json.dumps(name)}: " for name in table.columns]
    for row in table.rows:
        pairs = (name + _encoded(value, table.zone) for name, value in zip(names, row, strict=True))
        yield "{" + ", ".join(pairs) + "}"


def _encoded(value: Any, zone: tzinfo) -> str:
    if isinstance(value, Json):
        return value
    if isinstance(value, datetime):
        return f'"{in_zone(value, zone)}"'
    if isinstance(value, date):
        return f'"{value.isoformat()}"'
    if isinstance(value, Decimal):
        return str(value) if value.is_finite() else f'"{value}"'
    if isinstance(value, float) and not isfinite(value):
        # JSON has no such number.
        return f'"{value}"'
    return json.dumps(value, ensure_ascii=False)


def _joined(lines: Iterable[str]) -> Iterator[bytes]:
    """Yield lines in pieces of some size: one by one they would be slow to pass on."""
    kept: list[str] = []
    size = 0
    for line in lines:
        kept.append(line)
        size += len(line)
        if size >= _PIECE:
            yield "".join(kept).encode()
            kept.clear()
            size = 0
    yield "".join(kept).encode()
