"""Workflows: the business day, its runs, and how it does."""

from datetime import date, datetime
from typing import Any, Literal

from fastapi import APIRouter

from pgvigil.database.queries import batch as queries
from pgvigil.faces.web.common import Db, Json
from pgvigil.faces.web.listing import Filter, Listing, View, add_listings
from pgvigil.faces.web.paging import Attempt, Part, Row, Rows
from pgvigil.faces.web.parameters import Day, DayOrMoment, Text, midnight
from pgvigil.faces.web.problems import answers

router = APIRouter(tags=["batch"])

_RUNNING = View(
    "batch_execution_logs",
    {"started_at": datetime, "task_id": str, "workflow_name": str},
    is_descending=True,
    always=(
        "status = 'running'",
        "(business_date >= %(from_day)s::date or %(from_day)s::date is null)",
        "(business_date <= %(to_day)s::date or %(to_day)s::date is null)",
    ),
)
_ENDED = Part(
    queries.ENDED,
    {"finished_at": datetime, "task_id": str, "attempt": Attempt, "workflow_name": str},
)
# A business day begins at its cut-over by its own clocks; a run may be made up for within a week.
_DAYS_AROUND = {"from": -1, "to": 9}
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
    created_at: datetime | None


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
                "rows": await reader.rows(queries.TIMELINE, values),
                "plan": await reader.rows(queries.STEPS, values),
                "runs": await reader.rows(queries.RUNS, values),
                "as_of": await reader.now(),
            }
        )


def _by_business_day(asked: dict[str, Any]) -> dict[str, Any]:
    """Return what is asked for with days as such, and times around them."""
    values = {**asked, "from_day": None, "to_day": None}
    for name, days in _DAYS_AROUND.items():
        if asked[name] is not None and not isinstance(asked[name], datetime):
            values |= {f"{name}_day": asked[name], name: midnight(asked[name], days)}
    return values


add_listings(
    router,
    Listing(
        "batch_logs",
        """Runs of steps, the newest first: those that run, then those that ended.

        `from` and `to` limit when they began that run, and when they ended that ended; days mean
        business days, `to` included. Without `from`, of the ended ones those of the last 7 days.
        """,
        Rows[Run],
        (_RUNNING, _ENDED),
        (
            Filter("from", DayOrMoment, "started_at >="),
            Filter("to", DayOrMoment, "started_at <"),
            Filter("workflow", Text, "workflow_name ="),
            Filter("step", Text, "step_name ="),
            Filter("status", Status | None),
        ),
        meaning=_by_business_day,
    ),
    Listing("batch_health", "How each workflow does.", Rows[Health], (queries.HEALTH,)),
)
