"""What Celery's beat schedule lets us expect: runs that do not start on time are alerted about.

>>> from pgvigil.integrations.celery_beat import expect_beat_schedule
>>> expect_beat_schedule(app, "postgresql://operator@db.example/app")
"""

import os
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import psycopg
from celery import Celery
from celery.schedules import crontab, maybe_schedule, schedule

from pgvigil.database.connections import connect
from pgvigil.database.queries import expected_runs
from pgvigil.exceptions import MonitoringError, PgvigilError, installed_or_told, monitoring_errors

_LEAST_GRACE = timedelta(minutes=5)


def expect_beat_schedule(app: Celery, dsn: str | None = None) -> dict[str, str]:
    """Define the runs that an app's ``beat_schedule`` has start, and remove those it had before.

    Call it when the app is deployed, rather than in a worker: it needs more rights.

    Args:
        app: which app; what it has defined is known by its name.
        dsn: database, as a member of ``monitoring_operator``; ``PGVIGIL_DSN`` when None.

    Returns:
        Why runs are not expected, by the name of the entry, where they cannot be.

    Raises:
        PgvigilError: the role may not define expected runs, or pgvigil is not installed.
        psycopg.Error: the database cannot be reached.
    """
    by = f"celery beat {app.main or ''}".strip()
    left_out: dict[str, str] = {}
    dsn = os.environ.get("PGVIGIL_DSN", "") if dsn is None else dsn
    with connect(dsn) as connection, installed_or_told(), connection.transaction():
        try:
            rows = connection.execute(expected_runs.DEFINED_BY, {"by": by}).fetchall()
            former = {task_type for (task_type,) in rows}
            for name, expected in _expected(app, left_out):
                problem = _define(connection, {**expected, "by": by})
                if problem is None:
                    former.discard(expected["task_type"])
                else:
                    left_out[name] = problem
            for task_type in former:
                connection.execute(expected_runs.REMOVE, {"task_type": task_type})
        except psycopg.errors.InsufficientPrivilege as error:
            raise PgvigilError(
                f"{connection.info.user} may not define expected runs",
                hint="Connect as a member of monitoring_operator.",
            ) from error
    return left_out


def _expected(app: Celery, left_out: dict[str, str]) -> Iterable[tuple[str, dict[str, Any]]]:
    """Yield entries and when they run; note why of those that cannot be expected."""
    entries = dict(app.conf.beat_schedule or {})
    tasks = Counter(entry["task"] for entry in entries.values())
    for name, entry in entries.items():
        task = entry["task"]
        if tasks[task] > 1:
            left_out[name] = f"{tasks[task]} entries run the task {task} at times of their own"
            continue
        try:
            when = _schedule_of(maybe_schedule(entry["schedule"], app=app))
        except ValueError as error:
            left_out[name] = str(error)
            continue
        yield name, {"task_type": task, "time_zone": str(app.timezone), **when}


def _define(connection: psycopg.Connection[Any], expected: dict[str, Any]) -> str | None:
    """Define expected runs; return why that cannot be."""
    try:
        with connection.transaction(), monitoring_errors():
            connection.execute(expected_runs.DEFINE_IN_FULL, expected)
    except MonitoringError as error:
        return str(error)
    return None


def _schedule_of(when: Any) -> dict[str, Any]:
    """Return when an entry runs, in our words.

    Raises:
        ValueError: that cannot be said.
    """
    if isinstance(when, crontab):
        return {"schedule": _cron_of(when), "grace": _LEAST_GRACE}
    if type(when) is not schedule:
        raise ValueError(f"neither a crontab nor an interval: {when!r}")
    every = str(round(when.run_every.total_seconds())) + " seconds"
    # Ours goes by the clock, and beat by when it was started: so much may be between them.
    return {"schedule": every, "grace": max(when.run_every, _LEAST_GRACE)}


def _cron_of(when: crontab) -> str:
    """Return the cron expression of a crontab.

    Raises:
        ValueError: days of the month and of the week are limited. Celery wants both to fit, and
            cron one of them.
    """
    days, weekdays = _field(when.day_of_month, 31), _field(when.day_of_week, 7)
    if "*" not in (days, weekdays):
        raise ValueError("days of the month and of the week cannot be limited at once")
    minutes, hours, months = (
        _field(values, size)
        for values, size in ((when.minute, 60), (when.hour, 24), (when.month_of_year, 12))
    )
    return f"{minutes} {hours} {days} {months} {weekdays}"


def _field(values: set[int], size: int) -> str:
    return "*" if len(values) == size else ",".join(map(str, sorted(values)))
