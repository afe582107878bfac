"""The dashboard of tasks: what runs, how each type does, and what failed lately."""

from functools import partial
from typing import Any

import psycopg
from psycopg.rows import dict_row
from rich.console import RenderableType
from rich.text import Text

from pgvigil.database.connections import read_now
from pgvigil.database.queries import tasks as queries
from pgvigil.exceptions import installed_or_told
from pgvigil.faces.terminal.known import fresh
from pgvigil.faces.terminal.picture import (
    MOST_READ,
    MOST_ROWS,
    Picture,
    empty_table,
    headline,
    stacked,
    with_rest,
)
from pgvigil.faces.terminal.render import running_tasks, tasks_by_type
from pgvigil.faces.words import age, duration, name, word

_Row = dict[str, Any]


@fresh
def tasks(connection: psycopg.Connection[Any]) -> Picture:
    """Read how tasks do."""
    with installed_or_told(), connection.cursor(row_factory=dict_row) as cursor:
        now = read_now(connection)
        running = cursor.execute(queries.RUNNING, {"limit": None}).fetchall()
        by_type = cursor.execute(queries.STATISTICS).fetchall()
        is_well = not any(row["failed"] for row in by_type)
        # Nothing to find is known without looking through a day of tasks.
        limit = {"now": now, "limit": 0 if is_well else MOST_READ}
        failed = cursor.execute(queries.FAILED, limit).fetchall()
    return partial(_draw, connection.info.dbname, now.isoformat(), running, by_type, failed)


def _draw(
    database: str,
    now: str,
    running: list[_Row],
    by_type: list[_Row],
    failed: list[_Row],
    rows: int = MOST_ROWS,
    *,
    is_dense: bool = False,
) -> RenderableType:
    line = headline("tasks", database, now)
    ended = sum(row["tasks"] for row in by_type)
    line.append(f"\n{len(running):,} running · last 24 h: {ended:,} ended, ")
    bad = sum(row["failed"] for row in by_type)
    line.append(f"{bad:,} failed", "red" if bad else "")
    line.append(f", {sum(row['ended_otherwise'] for row in by_type):,} cancelled")
    blocks = [
        line,
        running_tasks(running, len(running), rows),
        tasks_by_type(by_type, len(by_type), rows),
        _failed(failed, now, rows),
    ]
    return stacked(blocks, is_dense=is_dense)


def _failed(failed: list[_Row], now: str, rows: int) -> RenderableType:
    if not failed:
        return Text("No task has failed in the last 24 hours.", "dim")
    table = empty_table("FAILED, 24 H", "type", "status", "took>", "ended>", "why")
    table.columns[0].ratio, table.columns[1].ratio, table.columns[5].ratio = 3, 2, 3
    for task in failed[:rows]:
        table.add_row(
            name(task["task_id"]),
            name(task["task_type"]),
            word(task["status"]),
            duration(task["duration_ms"]),
            age(task["end_time"], now),
            name(task["why"] or ""),
        )
    return with_rest(table, len(failed), rows)
