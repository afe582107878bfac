"""The dashboard of records: what is invalid, statuses and their changes, runs of programs."""

from functools import partial
from typing import Any

import psycopg
from psycopg.rows import dict_row
from rich.console import RenderableType
from rich.text import Text

from pgvigil.database.connections import read_now
from pgvigil.database.queries import records as queries
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
from pgvigil.faces.words import age, count, duration, name, word

_Row = dict[str, Any]


@fresh
def records(connection: psycopg.Connection[Any]) -> Picture:
    """Read how records are."""
    with installed_or_told(), connection.cursor(row_factory=dict_row) as cursor:
        now = read_now(connection)
        wanted = {"now": now, "limit": MOST_READ}
        tables = {
            "issues": cursor.execute(queries.ISSUES, {"limit": None}).fetchall(),
            "statuses": cursor.execute(queries.STATUSES).fetchall(),
            "changes": cursor.execute(queries.CHANGES_OF_A_DAY, wanted).fetchall(),
            "runs": cursor.execute(queries.RUNS, wanted).fetchall(),
        }
    return partial(_draw, connection.info.dbname, now.isoformat(), tables)


def _draw(
    database: str,
    now: str,
    tables: dict[str, list[_Row]],
    rows: int = MOST_ROWS,
    *,
    is_dense: bool = False,
) -> RenderableType:
    line = headline("records", database, now)
    invalid = sum(row["open_records"] for row in tables["issues"])
    known = sum(row["records"] for row in tables["statuses"])
    line.append("\n")
    line.append(f"{invalid:,} invalid", "red" if invalid else "")
    line.append(f" · {known:,} with a status")
    blocks = [
        line,
        _issues(tables["issues"], now, rows),
        _statuses(tables["statuses"], now, rows),
        _changes(tables["changes"], now, rows),
        _runs(tables["runs"], now, rows),
    ]
    return stacked(blocks, is_dense=is_dense)


def _issues(issues: list[_Row], now: str, rows: int) -> RenderableType:
    if not issues:
        return Text("No record is known to be invalid.", "dim")
    table = empty_table("INVALID", "type", "group", "records>", "alerted>", "oldest>")
    table.columns[1].ratio = table.columns[2].ratio = 1
    for issue in issues[:rows]:
        table.add_row(
            name(issue["dataset"]),
            name(issue["validation_type"]),
            name(issue["group_name"] or ""),
            count(issue["open_records"], "red"),
            count(issue["alerted_records"]),
            age(issue["oldest_opened_at"], now),
        )
    return with_rest(table, len(issues), rows)


def _statuses(statuses: list[_Row], now: str, rows: int) -> RenderableType:
    if not statuses:
        return Text("No record has a status.", "dim")
    table = empty_table("STATUSES", "status", "records>", "last change>")
    table.columns[1].ratio = 1
    for status in statuses[:rows]:
        table.add_row(
            name(status["dataset"]),
            name(status["status"]),
            count(status["records"]),
            age(status["last_changed_at"], now),
        )
    return with_rest(table, len(statuses), rows)


def _changes(changes: list[_Row], now: str, rows: int) -> RenderableType:
    if not changes:
        return Text("No status has changed in the last 24 hours.", "dim")
    table = empty_table("CHANGES, 24 H", "from", "to", "by", "when>")
    table.columns[0].ratio = 2
    table.columns[1].ratio = table.columns[2].ratio = 1
    for change in changes[:rows]:
        place = (change["dataset"], change["record_key"], change["validation_type"])
        table.add_row(
            name("/".join(part for part in place if part)),
            name(change["from_status"]),
            name(change["to_status"]),
            name(change["change_source"]),
            age(change["recorded_at"], now),
        )
    return with_rest(table, len(changes), rows)


def _runs(runs: list[_Row], now: str, rows: int) -> RenderableType:
    if not runs:
        return Text("No program has reported a run in the last 7 days.", "dim")
    table = empty_table("RUNS, 7 DAYS", "day", "mode", "status", "read>", "bad>", "took>", "ended>")
    for run in runs[:rows]:
        seconds = run["execution_seconds"]
        table.add_row(
            name(run["dataset"]),
            name(run["target_date"]),
            name(run["run_mode"]),
            word(run["status"]),
            count(run["total_records_queried"]),
            count(run["invalid_records"], "red"),
            duration(None if seconds is None else seconds * 1000),
            age(run["finished_at"], now),
        )
    return with_rest(table, len(runs), rows)
