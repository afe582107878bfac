"""How fresh what is known is: every face shows it, and greys what it cannot know.

The database says so in ``v_freshness``; there is no opinion in here.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import psycopg
from psycopg.rows import class_row

from pgvigil.database.queries.state import FRESHNESS

State = Literal["current", "old", "never", "ahead", "off"]

ALERTS = "alerts"
SCHEDULER = "scheduler"


@dataclass(frozen=True)
class Freshness:
    """When something was last looked at, and whether it is known since."""

    subject: str
    """alerts, scheduler, roll-ups, source NAME or query NAME."""
    known_at: datetime | None
    """None when it never was looked at."""
    state: State
    is_known: bool
    """Whether the state is current."""
    seconds_old: float | None
    detail: str
    """The same in words."""


def read_freshness(connection: psycopg.Connection[Any]) -> list[Freshness]:
    """Return how fresh everything is.

    Raises:
        psycopg.errors.UndefinedTable: the database has no pgvigil, or an older one.
    """
    with connection.cursor(row_factory=class_row(Freshness)) as cursor:
        return cursor.execute(FRESHNESS).fetchall()


def read_one(connection: psycopg.Connection[Any], subject: str) -> Freshness:
    """Return how fresh one thing is; `read_freshness` says what may happen."""
    for freshness in read_freshness(connection):
        if freshness.subject == subject:
            return freshness
    return Freshness(subject, None, "never", False, None, f"nothing is known of {subject}")
