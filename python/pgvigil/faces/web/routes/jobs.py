"""Jobs: task types, steps of workflows and expected runs; one job, and one run of it."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from psycopg.rows import DictRow
from pydantic import BaseModel

from pgvigil.database.queries import alerts, jobs, tasks
from pgvigil.faces.web.common import Db, Json
from pgvigil.faces.web.database import Reader
from pgvigil.faces.web.listing import REQUIRED, Filter, Listing, add_listings
from pgvigil.faces.web.paging import Attempt, Part, Row, Rows
from pgvigil.faces.web.parameters import NAME, ErrorNumber, From, GivenText, Severity, Text, To
from pgvigil.faces.web.problems import ProblemError, answers
from pgvigil.faces.web.routes.alerts import ActiveAlert, WatchingRule
from pgvigil.faces.web.routes.tasks import Ended

router = APIRouter(tags=["jobs"])

JobName = Annotated[str, Path(description="job_name of the job.", **NAME)]
TaskId = Annotated[str, Path(description="task_id of the run.", **NAME)]
JobKind = Literal["step", "expected", "type"]
Days = Annotated[int, Query(ge=1, le=366, description="How many days are counted.")]
_MOST_ATTEMPTS = 50
_MOST_BESIDES = 200
# What a run began may end, and what it complained of may come in, when it is over.
_AFTERWARDS = timedelta(hours=1)
_BEFOREHAND = timedelta(days=1)


class Day(BaseModel):
    """How runs of a job ended on a UTC day."""

    day: date
    completed: int
    failed: int
    """Failed, timed out or lost."""
    ended_otherwise: int
    missed: int
    """Runs that did not come."""
    avg_ms: float | None


class Job(Row):
    """A task type, a step of a workflow, or a run that is expected by the clock."""

    job_name: str
    kind: JobKind
    workflow_name: str | None
    state: Literal["running", "missed", "late", "failed", "ok", "cancelled", "silent"]
    """missed, late: a run is due and has not come; silent: none ended within the days."""
    schedule: str | None
    time_zone: str | None
    next_due_at: datetime | None
    missing_since: datetime | None
    """When a run was due that has not come."""
    seconds_late: float | None
    running: int
    running_since: datetime | None
    last_task_id: str | None
    last_attempt: int | None
    last_status: Ended | None
    last_start_at: datetime | None
    last_end_at: datetime | None
    last_duration_ms: float | None
    ended: int
    completed: int
    failed: int
    success_percent: float | None
    p50_duration_ms: float | None
    """Half of those that completed took no longer."""
    p95_duration_ms: float | None
    recent_p50_duration_ms: float | None
    """The same of the last 7 days."""
    alerts: int
    worst_severity: Severity | None
    trouble: int
    """Rank of that severity, 4 is critical; 0: no alert fires."""
    days: list[Day]
    """Days without any are left out."""


class JobRun(Row):
    """An attempt of a job that ended."""

    task_id: str
    task_type: str
    status: Ended
    attempt: int
    worker_id: str | None
    parent_task_id: str | None
    start_time: datetime | None
    end_time: datetime
    duration_ms: float | None
    items_done: int | None
    items_total: int | None
    error_message: str | None
    """Why it did not complete; null where nobody said."""


class WholeJob(BaseModel):
    """A job, what is expected of it, and what is wrong with it."""

    job: Job
    expected: Json
    """Its row of v_expected_runs; null when no run is expected by the clock."""
    step: Json
    """Its row of batch_workflow_config; null when it is no step."""
    alerts: list[ActiveAlert]
    rules: list[WatchingRule]
    as_of: datetime


class RunAttempt(Row):
    """An attempt of a task, running or ended."""

    task_id: str
    task_type: str
    status: Literal["running", Ended]
    attempt: int
    worker_id: str | None
    parent_task_id: str | None
    start_time: datetime | None
    end_time: datetime | None
    duration_ms: float | None
    items_done: int | None
    items_total: int | None
    input_size: int | None
    output_size: int | None
    counters: Json
    step_durations: Json
    metadata: Json
    heartbeat_at: datetime | None
    progress_at: datetime | None
    backend_pid: int | None
    error_message: str | None = None
    """Why it did not complete."""
    running_ms: float | None = None
    progress_percent: float | None = None
    seconds_without_progress: float | None = None
    is_backend_alive: bool | None = None


class Child(Row):
    """A task that is a part of another."""

    task_id: str
    task_type: str
    status: Literal["running", Ended]
    attempt: int
    start_time: datetime | None
    end_time: datetime | None
    duration_ms: float | None


class ErrorOfRun(Row):
    """An error that occurred in a task."""

    error_id: int
    occurred_at: datetime
    error_type: str
    severity: Severity
    message: str
    component: str | None
    fingerprint: str
    details: Json
    stack: str | None


class WholeRun(BaseModel):
    """A task with all its attempts, and what belongs to one of them."""

    attempts: list[RunAttempt]
    """The running or newest first."""
    shown: int
    """The attempt that all below is about."""
    from_at: datetime
    to_at: datetime
    children: list[Child]
    errors: list[ErrorOfRun]
    alerts: list[ActiveAlert]
    as_of: datetime


class LogLine(Row):
    """A line that was logged."""

    log_id: int
    logged_at: datetime
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
    component: str
    message: str
    details: Json
    duration_ms: float | None


def _with_span(asked: dict[str, Any]) -> dict[str, Any]:
    """Fill in a span that was left open at its ends."""
    since = asked["from"] or datetime.min.replace(year=1970, tzinfo=UTC)
    return {**asked, "from": since, "to": asked["to"] or datetime.max.replace(tzinfo=UTC)}


add_listings(
    router,
    Listing(
        "jobs",
        "Task types, steps and expected runs: those first about which alerts fire, then by name.",
        Rows[Job],
        (Part(jobs.WATCHED, {"trouble": Attempt, "job_name": str}),),
        (
            Filter("search", Text, words="In the name, in any case."),
            Filter("kind", JobKind | None, words="type: neither a step nor expected."),
            Filter("workflow", Text),
            Filter("troubled", bool | None, words="Whether alerts fire about it."),
            Filter("days", Days, default=30),
        ),
    ),
    Listing(
        "job_runs",
        "Runs of a job that ended, the newest first; without `from`, of 30 days.",
        Rows[JobRun],
        (
            Part(
                jobs.RUNS,
                {"end_time": datetime, "task_id": str, "attempt": Attempt},
            ),
        ),
        (
            Filter("job", GivenText, words="job_name of the job.", default=REQUIRED),
            Filter("status", Ended | None, words="How it ended."),
            Filter("from", From),
            Filter("to", To),
        ),
    ),
    Listing(
        "run_logs",
        "Log lines of a task, the newest first.",
        Rows[LogLine],
        (Part(tasks.LOGS_OF_ONE, {"logged_at": datetime, "log_id": ErrorNumber}),),
        (
            Filter("task_id", GivenText, words="task_id of the run.", default=REQUIRED),
            Filter("level", Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] | None),
            Filter("from", From),
            Filter("to", To),
        ),
        meaning=_with_span,
    ),
)


@router.get("/api/jobs/{job_name:path}", responses=answers(404))
async def job(db: Db, job_name: JobName, days: Days = 30) -> WholeJob:
    """One job: how it went lately, what is expected of it, its alerts and its rules."""
    values = {"job": job_name, "days": days}
    async with db.reading() as reader:
        found = await reader.rows(jobs.WATCHED_ONE, values)
        if not found:
            raise ProblemError(404, f"there is no job {job_name}", "Take the name from /api/jobs.")
        return WholeJob.model_validate(
            {
                "job": found[0],
                "expected": await _first(reader, jobs.EXPECTED, values),
                "step": await _first(reader, jobs.STEP, values),
                "alerts": await reader.rows(alerts.ABOUT_JOB, values),
                "rules": await reader.rows(alerts.RULES_OF_JOB, {"about": job_name}),
                "as_of": await reader.now(),
            }
        )


@router.get("/api/runs/{task_id:path}", responses=answers(404))
async def run(
    db: Db,
    task_id: TaskId,
    attempt: Annotated[int | None, Query(ge=0, le=2**31 - 1)] = None,
) -> WholeRun:
    """One task: its attempts, and of the newest or another its parts, errors and alerts."""
    async with db.reading() as reader:
        now = await reader.now()
        attempts = await _attempts(reader, task_id)
        chosen = next((row for row in attempts if attempt in (None, row["attempt"])), None)
        if chosen is None:
            raise ProblemError(
                404,
                f"there is no run {task_id}" + ("" if attempt is None else f", attempt {attempt}"),
                "Take task_id and attempt from /api/tasks or /api/job-runs.",
            )
        span = _span(chosen, now)
        values = {"task_id": task_id, "limit": _MOST_BESIDES, **span}
        return WholeRun.model_validate(
            {
                "attempts": attempts,
                "shown": chosen["attempt"],
                "from_at": span["from"],
                "to_at": span["to"],
                "children": await reader.rows(tasks.CHILDREN, values),
                "errors": await reader.rows(tasks.ERRORS_OF_ONE, values),
                "alerts": await reader.rows(alerts.ABOUT_RUN, values),
                "as_of": now,
            }
        )


async def _attempts(reader: Reader, task_id: str) -> list[DictRow]:
    """Return the attempts of a task with why they ended, and how far one is that runs."""
    values = {"task_id": task_id, "limit": _MOST_ATTEMPTS}
    found = await reader.rows(tasks.ATTEMPTS, values, is_kept=True)
    if any(row["status"] == "running" for row in found):
        live = await _first(reader, tasks.RUNNING_ONE, values)
        for row in found:
            if live and row["status"] == "running":
                row.update(live)
    if any(row["status"] not in ("running", "completed") for row in found):
        reasons = {
            (row["attempt"], row["end_time"]): row["error_message"]
            for row in await reader.rows(tasks.REASONS, values, is_kept=True)
        }
        for row in found:
            row["error_message"] = reasons.get((row["attempt"], row["end_time"]))
    return found


def _span(attempt: DictRow, now: datetime) -> dict[str, datetime]:
    """Return when what belongs to an attempt can have happened."""
    end = attempt["end_time"] or now
    begin = attempt["start_time"] or end - _BEFOREHAND
    return {"from": begin, "to": end + _AFTERWARDS}


async def _first(reader: Reader, query: str, values: dict[str, Any]) -> DictRow | None:
    found = await reader.rows(query, values)
    return found[0] if found else None
