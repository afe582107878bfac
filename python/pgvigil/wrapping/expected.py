"""Telling the database when runs are expected."""

import os
from contextlib import suppress
from pathlib import Path

import psycopg

from pgvigil.database.connections import open_connection
from pgvigil.database.queries import expected_runs
from pgvigil.exceptions import explain
from pgvigil.wrapping.job import Job
from pgvigil.wrapping.voice import Say

_ZONES = "/zoneinfo/"


def expect_runs(job: Job, say: Say) -> None:
    """Define when runs of a job's type are expected, unless that is known already.

    What people have decided about them, such as how late they may be, stays as it is then.
    """
    wanted = {
        "task_type": job.task_type,
        "schedule": job.schedule,
        "time_zone": job.time_zone or local_time_zone(),
    }
    try:
        with open_connection(job.dsn, "pgvigil exec") as link:
            known = link.execute(expected_runs.OF_TYPE, wanted).fetchone()
            if known != (wanted["schedule"], wanted["time_zone"]):
                link.execute(expected_runs.DEFINE, wanted)
    except Exception as error:
        why = explain(error) or f"{type(error).__name__}: {error}"
        if isinstance(error, psycopg.errors.InsufficientPrivilege):
            why += "; it takes the role monitoring_operator"
        say(f"cannot define when runs of {job.task_type} are expected: {why}")


def local_time_zone() -> str:
    """Return the name of this machine's time zone, such as Europe/Berlin; UTC if unknown."""
    name = os.environ.get("TZ", "").removeprefix(":")
    if not name:
        with suppress(OSError):
            name = str(Path("/etc/localtime").resolve(strict=True))
    if name.startswith("/"):
        name = name.partition(_ZONES)[2]
    return name or "UTC"
