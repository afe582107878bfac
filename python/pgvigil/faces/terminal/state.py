"""Reading what the dashboard shows."""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import DictRow, dict_row

from pgvigil.database.freshness import ALERTS, Freshness, read_one
from pgvigil.database.queries import tasks
from pgvigil.database.queries.alerts import Wanted, read_alerts
from pgvigil.database.queries.state import SUMMARY
from pgvigil.exceptions import installed_or_told

_MOST_ROWS = 100


@dataclass(frozen=True)
class State:
    """Everything the dashboard shows, as of one moment."""

    database: str
    summary: dict[str, Any]
    """What ``get_dashboard_summary()`` returns."""
    running: list[DictRow]
    """The tasks that have been running longest."""
    alerts: list[DictRow]
    """The worst of the open alerts."""
    known: Freshness
    """Whether those are all that there are."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been recorded lately."""
        counts = self.summary
        return not (
            counts["tasks"]["running"]
            or counts["tasks"]["ended"]
            or counts["errors"]["occurrences"]
            or counts["health"]["components"]
            or counts["queues"]["queues"]
            or counts["alerts"]["active"]
        )


def read_state(connection: psycopg.Connection[Any]) -> State:
    """Read the present state.

    Raises:
        NotInstalledError: the database has no pgvigil.
        psycopg.OperationalError: the server is away or silent.
    """
    with installed_or_told():
        row = connection.execute(SUMMARY).fetchone()
        with connection.cursor(row_factory=dict_row) as cursor:
            running = cursor.execute(tasks.RUNNING, {"limit": _MOST_ROWS}).fetchall()
        alerts = read_alerts(connection, Wanted(at_most=_MOST_ROWS))
        known = read_one(connection, ALERTS)
    summary = row[0] if row else {}
    return State(connection.info.dbname, summary, running, alerts, known)
