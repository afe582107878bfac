"""The dashboard of alerts: what is open, what became of alerts lately, and rules in trouble."""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

import psycopg
from psycopg.rows import dict_row
from rich.console import RenderableType
from rich.text import Text

from pgvigil.database.connections import read_now
from pgvigil.database.freshness import ALERTS, Freshness, read_one
from pgvigil.database.queries import alerts as queries
from pgvigil.database.queries.alerts import SEVERITIES
from pgvigil.exceptions import installed_or_told
from pgvigil.faces.terminal.alert_lists import reason_of
from pgvigil.faces.terminal.known import fresh, no_alert
from pgvigil.faces.terminal.picture import (
    MOST_READ,
    MOST_ROWS,
    Picture,
    empty_table,
    headline,
    stacked,
    with_rest,
)
from pgvigil.faces.words import age, name, word

_Row = dict[str, Any]


@fresh
def alerts(connection: psycopg.Connection[Any]) -> Picture:
    """Read how alerts are."""
    with installed_or_told(), connection.cursor(row_factory=dict_row) as cursor:
        now = read_now(connection)
        shown = queries.read_alerts(connection, queries.Wanted())
        lately = cursor.execute(queries.LATELY, {"now": now, "limit": MOST_READ}).fetchall()
        broken = cursor.execute(queries.BROKEN_RULES).fetchall()
        known = read_one(connection, ALERTS)
    return partial(_draw, connection.info.dbname, now.isoformat(), known, shown, lately, broken)


def _draw(
    database: str,
    now: str,
    known: Freshness,
    shown: list[_Row],
    lately: list[_Row],
    broken: list[_Row],
    rows: int = MOST_ROWS,
    *,
    is_dense: bool = False,
) -> RenderableType:
    line = headline("alerts", database, now)
    by_severity = Counter(alert["severity"] for alert in shown)
    counts = ", ".join(f"{by_severity[each]:,} {each}" for each in reversed(SEVERITIES))
    line.append(f"\n{len(shown):,} open: {counts}", "" if known.is_known else "dim")
    blocks = [line, open_alerts(known, shown, len(shown), now, rows), _lately(lately, now, rows)]
    if broken:
        blocks.append(_broken(broken, rows))
    return stacked(blocks, is_dense=is_dense)


def open_alerts(
    known: Freshness, shown: Sequence[_Row], total: int, now: str, rows: int
) -> RenderableType:
    """Return the alerts that are open, as they come, or that none is or it is not known.

    Args:
        known: how fresh they are.
        shown: the worst of them.
        total: how many there are.
        now: when they were read.
        rows: most of them to show.
    """
    if not shown:
        return no_alert(known)
    table = empty_table("OPEN ALERTS", "id>", "severity", "state", "since>")
    table.columns[3].max_width = 22
    for alert in shown[:rows]:
        table.add_row(
            name(": ".join(filter(None, [alert["summary"], reason_of(alert)]))),
            name(alert["alert_id"]),
            word(alert["severity"]),
            name(_state(alert)),
            age(alert["fired_at"], now),
        )
    return with_rest(table, total, rows)


def _state(alert: _Row) -> str:
    if alert["acknowledged_by"]:
        return f"seen by {alert['acknowledged_by']}"
    return str(alert["suppressed_by"] or alert["status"])


def _lately(lately: list[_Row], now: str, rows: int) -> RenderableType:
    if not lately:
        return Text("No alert has changed in the last 24 hours.", "dim")
    table = empty_table("LAST 24 H", "id>", "severity", "what", "by", "when>")
    table.columns[4].max_width = 12
    for change in lately[:rows]:
        table.add_row(
            name(change["summary"]),
            name(change["alert_id"]),
            word(change["severity"]),
            name(change["transition"]),
            name(change["changed_by"]),
            age(change["changed_at"], now),
        )
    return with_rest(table, len(lately), rows)


def _broken(broken: list[_Row], rows: int) -> RenderableType:
    table = empty_table("RULES THAT FAIL", "times>", "why")
    table.columns[2].ratio = 2
    for rule in broken[:rows]:
        table.add_row(
            name(rule["rule_name"]), name(rule["consecutive_failures"]), name(rule["last_error"])
        )
    return with_rest(table, len(broken), rows)
