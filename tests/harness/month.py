"""A month of history of every kind, recorded day by day as programs and the scheduler would."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
"""When the month is over."""

DAYS = 38
_HERE = Path(__file__).parent
_BEGINS = (_HERE / "month_begins.psql").read_bytes()
_DAY = (_HERE / "month_day.psql").read_bytes()
# What the scheduler does every day of it. It cleans up nothing, for nothing is old enough; and what
# rules find is looked for on some days only, to save time.
_JOBS = ("ensure_partitions", "sync_sources", "roll_up")
_DAYS_EVALUATED = (2, 3, 9, 20, 30, DAYS - 1, DAYS)


def record_month(connection: psycopg.Connection, scheduler_lives: int = DAYS) -> None:
    """Record a month of everything; `connection` commits by itself.

    Args:
        connection: to a fresh database, as a superuser; its clock stands at `NOW` afterwards.
        scheduler_lives: days from the first on which jobs run; none after that.
    """
    connection.execute(_BEGINS)
    for day in range(1, DAYS + 1):
        now = NOW - timedelta(days=DAYS - day)
        connection.execute("select set_config('monitoring.now', %s, false)", [now.isoformat()])
        connection.execute(_DAY)
        if day <= scheduler_lives:
            for job in _JOBS:
                connection.execute(f"select monitoring.{job}()".encode())
            if day in _DAYS_EVALUATED:
                connection.execute("select monitoring.evaluate_alerts()")
