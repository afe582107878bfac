"""Workflows: the business day, its runs, and how it does."""

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from pgvigil.faces.web.paging import After, Attempt, Limit, Part, Row, Rows, read_page
from pgvigil.faces.web.parameters import Day, Moment, Text
from pgvigil.faces.web.problems import answers
from pgvigil.faces.web.routes.common import Db, Json

router = APIRouter(tags=["batch"])

_TIMELINE = """
select *
from monitoring.get_batch_timeline(p_business_date => %(business_date)s, p_workflow => %(workflow)s)
"""
_RUNS = """
select *
from monitoring.get_step_runs(p_business_date => %(business_date)s, p_workflow => %(workflow)s)
"""
_STEPS = """
select workflow_name, step_name, position, description, after_steps, expected_seconds
from monitoring.batch_workflow_config
where %(workflow)s::text is null or workflow_name = %(workflow)s
order by workflow_name, position
"""
_HEALTH = "select * from monitoring.v_batch_health order by workflow_name"
_CHOSEN = """
    (%(workflow)s::text is null or workflow_name = %(workflow)s)
    and (%(step)s::text is null or step_name = %(step)s)
    and (%(status)s::text is null or status = %(status)s)
"""
_RUNNING = f"""
select *
from monitoring.batch_execution_logs
where {_CHOSEN}
    and status = 'running'
    and (%(from)s::timestamptz is null or started_at >= %(from)s)
    and (%(to)s::timestamptz is null or started_at < %(to)s)
    and (%(after_task_id)s::text is null or (started_at, task_id, workflow_name) < (
        %(after_started_at)s::timestamptz, %(after_task_id)s, %(after_workflow_name)s::text
    ))
order by started_at desc, task_id desc, workflow_name desc
limit %(limit)s
"""
_ENDED = """
select *
from monitoring.get_ended_batch_runs(
    p_from => %(from)s, p_to => %(to)s, p_workflow => %(workflow)s, p_step => %(step)s,
    p_status => %(status)s, p_limit => %(limit)s, p_before_time => %(after_finished_at)s,
    p_before_task_id => %(after_task_id)s, p_before_attempt => %(after_attempt)s,
    p_before_workflow => %(after_workflow_name)s
)
"""
_LOGS = (
    Part(_RUNNING, ("started_at", "task_id", "workflow_name"), tuple[datetime, str, str]),
    Part(
        _ENDED,
        ("finished_at", "task_id", "attempt", "workflow_name"),
        tuple[datetime, str, Attempt, str],
    ),
)
Status = Literal["running", "completed", "failed", "cancelled", "timeout", "lost"]


class Step(Row):
    """A step of a workflow on a business day."""

    workflow_name: str
    business_date: date
    step_name: str
    status: Literal["pending", "running", "complete", "failed", "late", "skipped", "unknown"]
    due_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    duration_seconds: float | None
    runs: int
    records_processed: int | None
    records_total: int | None
    records_remaining: int | None
    threads: int | None
    records_per_second: float | None
    progress_percent: float | None
    eta_at: datetime | None
    eta_from_at: datetime | None
    eta_to_at: datetime | None
    waits_for: list[str] | None
    is_optional: bool
    task_id: str | None


class StepPlan(Row):
    """What a workflow says of a step."""

    workflow_name: str
    step_name: str
    position: int
    description: str | None
    after_steps: list[str]
    """Steps that come before it: the arrows of a drawing."""
    expected_seconds: float | None


class StepRun(Row):
    """One run of a step on a business day."""

    workflow_name: str
    business_date: date
    step_name: str
    task_id: str
    attempt: int
    status: Status
    started_at: datetime
    finished_at: datetime | None
    duration_seconds: float | None


class Timeline(Rows[Step]):
    """The steps of a business day, how they hang together, and all their runs of the day."""

    plan: list[StepPlan]
    runs: list[StepRun]


class Run(Row):
    """One attempt of a step."""

    workflow_name: str
    step_name: str
    business_date: date | None
    task_id: str
    attempt: int
    status: Status
    started_at: datetime | None
    finished_at: datetime | None
    duration_seconds: float | None
    records_processed: int | None
    records_total: int | None
    records_remaining: int | None
    threads: int | None
    records_per_second: float | None
    error_message: str | None
    worker_id: str | None
    counters: Json
    metadata: Json


class Health(Row):
    """How a workflow does: today, and its runs of the last day and week."""

    workflow_name: str
    business_date: date
    is_enabled: bool
    steps: int
    complete: int
    running: int
    late: int
    failed: int
    success_percent: float | None
    failed_runs: int | None
    records_per_second: float | None
    active_alerts: int
    recent_failures: Json


@router.get("/api/batch-timeline", responses=answers(404))
async def batch_timeline(db: Db, business_date: Day = None, workflow: Text = None) -> Timeline:
    """How far each step of each enabled workflow, or of one, is on a business day."""
    values = {"business_date": business_date, "workflow": workflow}
    async with db.reading() as reader:
        return Timeline.model_validate(
            {
                "rows": await reader.rows(_TIMELINE, values),
                "plan": await reader.rows(_STEPS, values),
                "runs": await reader.rows(_RUNS, values),
                "as_of": await reader.now(),
            }
        )


@router.get("/api/batch-logs", responses=answers())
async def batch_logs(
    db: Db,
    from_: Annotated[Moment, Query(alias="from")] = None,
    to: Moment = None,
    workflow: Text = None,
    step: Text = None,
    status: Status | None = None,
    limit: Limit = 100,
    after: After = None,
) -> Rows[Run]:
    """Runs of steps, the newest first: those that run, then those that ended.

    `from` and `to` limit when they began that run, and when they ended that ended; without
    `from`, of the ended ones those of the last 7 days.
    """
    values = {"from": from_, "to": to, "workflow": workflow, "step": step, "status": status}
    async with db.reading() as reader:
        rows, cursor = await read_page(reader, _LOGS, values, after, limit)
        return Rows[Run].model_validate({"rows": rows, "next": cursor, "as_of": await reader.now()})


@router.get("/api/batch-health", responses=answers())
async def batch_health(db: Db) -> Rows[Health]:
    """How each workflow does."""
    async with db.reading() as reader:
        rows = await reader.rows(_HEALTH)
        return Rows[Health].model_validate({"rows": rows, "as_of": await reader.now()})
