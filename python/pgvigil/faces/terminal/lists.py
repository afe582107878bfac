"""Lists and facts: a table that fits a terminal, or a line a row for other programs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pgvigil.database.words import length_of_time
from pgvigil.faces.plain import plain
from pgvigil.faces.words import age, clock_time, count, duration, figure, name, word

Row = Mapping[str, Any]
_GAP = 2
_LEAST_OF_LONG = 12


@dataclass(frozen=True)
class Column:
    """A column of a list."""

    title: str
    show: Callable[[Row, datetime], Text]
    """What stands there for a row, as of some time."""
    is_number: bool = False
    is_long: bool = False
    """Whether it is cut where a terminal has no room."""


def text_of(key: str, title: str | None = None, *, is_long: bool = False) -> Column:
    """Return a column of texts."""
    return Column(title or key, lambda row, now: name(row[key]), is_long=is_long)


def word_of(key: str, title: str | None = None) -> Column:
    """Return a column of statuses or severities."""
    return Column(title or key, lambda row, now: word(row[key] or "-"))


def count_of(key: str, title: str | None = None) -> Column:
    """Return a column of counts."""
    return Column(title or key, lambda row, now: count(row[key]), is_number=True)


def figure_of(key: str, title: str | None = None) -> Column:
    """Return a column of figures that may be parts of one."""
    return Column(title or key, lambda row, now: figure(row[key]), is_number=True)


def ago(key: str, title: str) -> Column:
    """Return a column that says how long ago something was."""
    return Column(title, lambda row, now: age(row[key], now), is_number=True)


def moment(key: str, title: str) -> Column:
    """Return a column of times."""
    return Column(title, lambda row, now: Text(clock_time(row[key])))


def milliseconds(key: str, title: str) -> Column:
    """Return a column of lengths of time."""
    return Column(title, lambda row, now: duration(row[key]), is_number=True)


def seconds(key: str, title: str) -> Column:
    """Return a column of lengths of time that are kept in seconds."""
    return Column(
        title,
        lambda row, now: duration(None if row[key] is None else 1000 * row[key]),
        is_number=True,
    )


def table(rows: Sequence[Row], columns: Sequence[Column], now: datetime) -> RenderableType:
    """Return a list as a terminal shows it: a line a row, long texts cut, all else whole."""
    drawn = Table(box=None, expand=True, pad_edge=False, padding=(0, _GAP, 0, 0))
    for column in columns:
        drawn.add_column(
            column.title,
            justify="right" if column.is_number else "left",
            header_style="dim",
            no_wrap=True,
            ratio=1 if column.is_long else None,
            min_width=_LEAST_OF_LONG if column.is_long else None,
        )
    for row in rows:
        drawn.add_row(*(column.show(row, now) for column in columns))
    return drawn


def lines(rows: Sequence[Row], columns: Sequence[Column], now: datetime) -> Iterator[str]:
    """Yield a list as programs read it: a title, and a line a row, nothing cut or coloured."""
    cells = [[column.title for column in columns]]
    cells += [[column.show(row, now).plain for column in columns] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        padded = (
            _padded(cell, width, column)
            for cell, width, column in zip(line, widths, columns, strict=True)
        )
        yield (" " * _GAP).join(padded).rstrip()


def _padded(cell: str, width: int, column: Column) -> str:
    space = " " * (width - cell_len(cell))
    return space + cell if column.is_number else cell + space


def facts(values: Mapping[str, object]) -> RenderableType:
    """Return what is known of one thing, as a terminal shows it."""
    drawn = Table(box=None, show_header=False, pad_edge=False, padding=(0, _GAP, 0, 0))
    drawn.add_column(style="dim", no_wrap=True)
    drawn.add_column(overflow="fold")
    for fact, value in known(values).items():
        drawn.add_row(fact, Text(value, overflow="fold"))
    return drawn


def known(values: Mapping[str, object]) -> dict[str, str]:
    """Return those of some facts that are known, each on one line."""
    return {
        fact: plain(clock_time(value) if isinstance(value, datetime) else value)
        for fact, value in values.items()
        if value is not None and value != ""
    }


def length(milliseconds: float | None) -> str | None:
    """Return a length of time in words, or None where it is not known."""
    return None if milliseconds is None else length_of_time(milliseconds / 1000)


def below(title: str, drawn: RenderableType) -> RenderableType:
    """Return something below a title, with an empty line above."""
    return Group(Text(), Text(title, "bold"), drawn)
