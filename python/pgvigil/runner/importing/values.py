"""What becomes of the columns of a row, as a mapping document says it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from pgvigil.client.backfill.exact_json import Number

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Value:
    """A value that is made of a row."""

    columns: tuple[str, ...]
    """Columns of the row that it is made of, in any case."""
    make: Callable[[Row], Any]


def column(name: str, words: Mapping[str, Any], otherwise: Any, default: Any) -> Value:
    """Return what a column holds, translated where it is one of some words.

    Args:
        name: the column.
        words: what becomes of its words, which are compared without regard to case.
        otherwise: what becomes of any other word; None to leave it as it is.
        default: what stands for nothing.
    """
    known = {word.casefold(): meaning for word, meaning in words.items()}

    def make(row: Row) -> Any:
        value = plain(row[name] if name in row else row[name.casefold()])
        if value is None:
            return default
        if not known and otherwise is None:
            return value
        return known.get(text_of(value).casefold(), value if otherwise is None else otherwise)

    return Value((name,), make)


def constant(value: Any) -> Value:
    """Return the same for each row."""
    return Value((), lambda row: value)


def joined(parts: list[Value]) -> Value:
    """Return texts one after the other; nothing where one of them is nothing."""

    def make(row: Row) -> Any:
        made = [part.make(row) for part in parts]
        return None if None in made else "".join(map(text_of, made))

    return Value(_columns(parts), make)


def document(parts: Mapping[str, Value]) -> Value:
    """Return an object of those that are not nothing; nothing when there is none."""

    def make(row: Row) -> Any:
        made = {name: part.make(row) for name, part in parts.items()}
        return {name: value for name, value in made.items() if value is not None} or None

    return Value(_columns(parts.values()), make)


def _columns(parts: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for part in parts for name in part.columns))


def plain(value: Any) -> Any:
    """Return a value of a driver as JSON has it: times as text, decimals to the last digit."""
    if value is None or isinstance(value, str | bool | int | float | dict | list):
        return value
    if isinstance(value, Decimal):
        return Number(format(value, "f")) if value.is_finite() else str(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes | bytearray | memoryview):
        data = bytes(value)
        # A flag of MariaDB is one byte, and no text.
        if len(data) == 1 and data[0] < 2:
            return data[0]
        return data.decode(errors="replace")
    return str(value)


def text_of(value: Any) -> str:
    """Return a value as a text: a number as it is written, a flag as 1 or 0."""
    if isinstance(value, Number):
        return value.text
    return str(int(value)) if isinstance(value, bool) else str(value)


def row_of_table(columns: Sequence[str], cells: Sequence[Any]) -> Row:
    """Return a row by its columns, which may be named in any case."""
    folded = {name.casefold(): cell for name, cell in zip(columns, cells, strict=True)}
    return folded | dict(zip(columns, cells, strict=True))


def written_there(name: str, columns: Sequence[str]) -> str | None:
    """Return the name of a column as their table has it; None when it has none."""
    if name in columns:
        return name
    return next((theirs for theirs in columns if theirs.casefold() == name.casefold()), None)
