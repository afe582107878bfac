"""The dashboard of workflows: how far each step of a business day is, and until when."""

from datetime import date, datetime, tzinfo
from functools import partial
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import dict_row
from rich.console import RenderableType
from rich.progress_bar import ProgressBar
from rich.text import Text

from pgvigil.database.connections import read_now
from pgvigil.database.queries import batch as queries
from pgvigil.exceptions import installed_or_told, monitoring_errors
from pgvigil.faces.terminal.known import fresh
from pgvigil.faces.terminal.picture import (
    MOST_ROWS,
    Picture,
    empty_table,
    headline,
    stacked,
    with_rest,
)
from pgvigil.faces.words import NOTHING, count, name, percent, short, word

_Row = dict[str, Any]
_STATUSES = ("complete", "running", "failed", "late", "pending", "skipped", "unknown")
_BAR = 10


@fresh
def batch(
    connection: psycopg.Connection[Any],
    business_date: date | None = None,
    workflow: str | None = None,
) -> Picture:
    """Read how far workflows are.

    Args:
        connection: to the database.
        business_date: the day to look at; that of now when None.
        workflow: the only one to look at; all that are enabled when None.

    Raises:
        UnknownNameError: there is no such workflow.
        NumberOutOfRangeError: there is no such day.
    """
    wanted = {"business_date": business_date, "workflow": workflow}
    with (
        installed_or_told(),
        monitoring_errors(),
        connection.cursor(row_factory=dict_row) as cursor,
    ):
        now = read_now(connection)
        steps = cursor.execute(queries.TIMELINE, wanted).fetchall()
        health = {row["workflow_name"]: row for row in cursor.execute(queries.HEALTH)}
        zones = {
            row["workflow_name"]: ZoneInfo(row["time_zone"])
            for row in cursor.execute(queries.ZONES)
        }
    return partial(_draw, connection.info.dbname, now, steps, health, zones)


def _draw(
    database: str,
    now: datetime,
    steps: list[_Row],
    health: dict[str, _Row],
    zones: dict[str, ZoneInfo],
    rows: int = MOST_ROWS,
    *,
    is_dense: bool = False,
) -> RenderableType:
    blocks: list[RenderableType] = [headline("batch", database, now.isoformat())]
    for workflow_name, day in groupby(steps, lambda step: step["workflow_name"]):
        zone, told = zones[workflow_name], list(day)
        blocks.append(_workflow(told, health.get(workflow_name), now, zone))
        blocks.append(_timeline(told, zone, rows))
    if not steps:
        blocks.append(Text("No workflow is enabled. `pgvigil workflow apply` makes one.", "dim"))
    return stacked(blocks, is_dense=is_dense)


def _workflow(day: list[_Row], health: _Row | None, now: datetime, zone: tzinfo) -> Text:
    first = day[0]
    line = Text.assemble(
        name(first["workflow_name"], "bold"),
        f" · business day {first['business_date']} · {now.astimezone(zone):%H:%M} in {zone}\n",
    )
    for place, status in enumerate(
        each for each in _STATUSES if any(step["status"] == each for step in day)
    ):
        total = sum(step["status"] == status for step in day)
        line.append(" · " if place else "")
        line.append_text(Text.assemble(f"{total} ", word(status)))
    if health is not None:
        line.append_text(
            Text.assemble(
                "\n7 days: ",
                percent(health["success_percent"]),
                " ok · failed in 24 h: ",
                count(health["failed_runs"], "red"),
                " · open alerts: ",
                count(health["active_alerts"], "red"),
            )
        )
    line.no_wrap = False
    return line


def _timeline(day: list[_Row], zone: tzinfo, rows: int) -> RenderableType:
    table = empty_table("STEP", "status", "done", ">", "records>", "per s>", "due>", "from", "to")
    business_date = day[0]["business_date"]
    for step in day[:rows]:
        table.add_row(
            name(step["step_name"]),
            word(step["status"]),
            _bar(step),
            _percent(step),
            count(step["records_processed"]),
            _rate(step["records_per_second"]),
            _time(step["due_at"], zone, business_date),
            _time(step["started_at"], zone, business_date),
            _until(step, zone, business_date),
        )
    return with_rest(table, len(day), rows)


def _bar(step: _Row) -> RenderableType:
    if step["progress_percent"] is None:
        return Text()
    return ProgressBar(100, float(step["progress_percent"]), width=_BAR)


def _percent(step: _Row) -> Text:
    if step["progress_percent"] is None:
        return Text()
    return Text(f"{float(step['progress_percent']):.0f}%")


def _rate(value: float | None) -> Text:
    return NOTHING if value is None else Text(short(value))


def _until(step: _Row, zone: tzinfo, business_date: date) -> Text:
    if step["finished_at"] is not None and step["status"] != "running":
        return _time(step["finished_at"], zone, business_date)
    if step["eta_at"] is None:
        return NOTHING
    return Text.assemble("~", _time(step["eta_at"], zone, business_date))


def _time(moment: datetime | None, zone: tzinfo, business_date: date) -> Text:
    """Return a time of day, and by how many days it is after the business date."""
    if moment is None:
        return NOTHING
    local = moment.astimezone(zone)
    days = (local.date() - business_date).days
    return Text(f"{local:%H:%M}{f'{days:+}' if days else ''}")
