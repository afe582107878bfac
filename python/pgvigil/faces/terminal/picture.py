"""What all dashboards have in common: read once, drawn with as many rows as there is room for."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import psycopg
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from pgvigil.faces.words import clock_time, name

MOST_ROWS = 15
MOST_READ = 100
_ROWS_WORTH_SPACE = 3


class Picture(Protocol):
    """A state that can be drawn larger and smaller."""

    def __call__(self, rows: int = MOST_ROWS, *, is_dense: bool = False) -> RenderableType:
        """Return it with so many rows a block at most, and without empty lines when dense."""


Face = Callable[[psycopg.Connection[Any]], Picture]
"""Reads a database and returns what is to be seen of it."""


def draw_within(console: Console, picture: Picture, height: int) -> RenderableType:
    """Return a picture with as many rows a block as fit into so many lines, or with none."""
    for rows in range(MOST_ROWS, -1, -1):
        shown = picture(rows, is_dense=rows < _ROWS_WORTH_SPACE)
        if len(console.render_lines(shown, pad=False)) <= height:
            return shown
    return shown


def headline(title: str, database: str, now: str) -> Text:
    """Return the first line: what this is, of which database, and when."""
    return Text.assemble(
        (f"pgvigil {title}".rstrip(), "bold"), " · ", name(database), " · ", clock_time(now)
    )


def stacked(blocks: Sequence[RenderableType], *, is_dense: bool) -> RenderableType:
    """Return blocks one below the other."""
    parts: list[RenderableType] = []
    for block in blocks:
        parts += [block] if is_dense or not parts else [Text(), block]
    return Group(*parts)


def empty_table(title: str, *columns: str) -> Table:
    """Return an empty table; columns whose name ends in ``>`` are aligned right."""
    table = Table(box=None, expand=True, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(title, header_style="bold", ratio=1, min_width=12, no_wrap=True)
    for column in columns:
        table.add_column(
            column.removesuffix(">"),
            justify="right" if column.endswith(">") else "left",
            header_style="dim",
            no_wrap=True,
        )
    return table


def with_rest(table: Table, total: int, shown: int) -> RenderableType:
    """Say below a table how many rows it leaves out."""
    if total <= shown:
        return table
    return Group(table, Text(f"… and {total - shown:,} more", "dim"))
