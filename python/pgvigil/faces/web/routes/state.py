"""The state as a whole: the summary, errors by group, queues, health and trends."""

from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel

from pgvigil.database.queries import state as queries
from pgvigil.faces.web.common import Db
from pgvigil.faces.web.listing import Filter, Listing, View, add_listings
from pgvigil.faces.web.paging import Row, Rows
from pgvigil.faces.web.parameters import Kind, Severity, Text
from pgvigil.faces.web.problems import answers

router = APIRouter(tags=["state"])

_LAST_SEEN = {"last_seen_at": datetime, "fingerprint": str}
GroupStatus = Literal["open", "resolved", "muted", "regressed"]


class Known(BaseModel):
    """How fresh something is: where it is not known, that nothing is wrong means nothing."""

    known_at: datetime | None
    """When it was last looked at; null: never."""
    state: Literal["current", "old", "never", "ahead", "off"]
    is_known: bool
    seconds_old: float | None
    detail: str
    """The same in words."""


class Cards(BaseModel):
    """The figures at the top."""

    success_percent_7_days: float | None
    """Completed of all tasks that ended; null when none has."""
    ended_7_days: int
    failed_24_hours: int
    """Tasks that failed, timed out or got lost."""
    records_per_second_today: float | None
    """Of all workflows that are enabled, each on its business day; null without records."""
    active_alerts: dict[Severity, int]
    active_alerts_by_kind: dict[Kind, int]
    severities: list[Severity]
    """The least severe first."""
    freshness: dict[str, Known]
    """Of `alerts`, the `scheduler` and `roll-ups`."""


class Summary(BaseModel):
    """What `get_dashboard_summary()` returns, and the figures at the top."""

    generated_at: datetime
    tasks: dict[str, Any]
    errors: dict[str, Any]
    health: dict[str, Any]
    queues: dict[str, Any]
    alerts: dict[str, int]
    freshness: dict[str, Known]
    """Of `alerts`, the `scheduler` and `roll-ups`."""
    cards: Cards
    as_of: datetime


class TopFigures(BaseModel):
    """The figures at the top alone."""

    cards: Cards
    as_of: datetime


class ErrorGroup(Row):
    """Occurrences of one error, that differ in numbers and names only."""

    fingerprint: str
    error_type: str
    severity: Severity
    example: str | None
    template: str | None
    status: GroupStatus
    occurrences: int
    components: list[str] | None
    first_seen_at: datetime
    last_seen_at: datetime
    muted_until: datetime | None
    note: str | None
    changed_by: str | None
    login_name: str | None
    """Whose session that was."""
    changed_at: datetime | None


class Queue(Row):
    """A queue as it is now, with its last hour."""

    queue_name: str
    pending: int | None
    processing: int | None
    completed: int | None
    failed: int | None
    oldest_ready_seconds: float | None
    recorded_at: datetime
    samples: int
    avg_pending: float | None
    max_pending: int | None
    pending_change: int | None
    completed_per_minute: float | None
    failed_percent: float | None


class Component(Row):
    """A component as it is now, with its last day."""

    component_type: str
    component_name: str
    status: Literal["healthy", "degraded", "unhealthy", "unknown"]
    response_time_ms: float | None
    failure_reason: str | None
    last_check_at: datetime
    seconds_since_check: float
    checks: int
    avg_response_time_ms: float | None
    uptime_percent: float | None
    last_unhealthy_at: datetime | None
    last_status: Literal["healthy", "degraded", "unhealthy", "unknown"]
    """What the newest check found; `status` is unknown once that is too long ago."""


class Freshness(Known, Row):
    """How fresh something is."""

    subject: str
    """alerts, scheduler, roll-ups, source NAME or query NAME."""


class Check(Row):
    """One thing that pgvigil does itself."""

    check_name: str
    status: Literal["ok", "late", "failed"]
    seconds_late: float | None
    detail: str | None


@router.get("/api/summary", responses=answers())
async def summary(db: Db) -> Summary:
    """The state in one document; what ended or happened is of the last 24 hours."""
    async with db.reading() as reader:
        document = await reader.value(queries.SUMMARY)
        cards = await reader.value(queries.CARDS)
        return Summary.model_validate(
            {**document, "cards": cards, "as_of": document["generated_at"]}
        )


@router.get("/api/cards", responses=answers())
async def cards(db: Db) -> TopFigures:
    """The figures at the top of the summary, for much less work than all of it."""
    async with db.reading() as reader:
        return TopFigures.model_validate(
            {"cards": await reader.value(queries.CARDS), "as_of": await reader.now()}
        )


add_listings(
    router,
    Listing(
        "errors",
        "Groups of errors, those seen last first.",
        Rows[ErrorGroup],
        (View("error_groups", _LAST_SEEN, is_descending=True, is_kept=True),),
        (
            Filter("status", GroupStatus | None),
            Filter("severity", Severity | None),
            Filter("type", Text, "error_type =", "Type of the error."),
        ),
    ),
    Listing("queues", "Queues seen in the last 24 hours.", Rows[Queue], (queries.QUEUES,)),
    Listing("health", "Components, the unhealthy first.", Rows[Component], (queries.HEALTH,)),
    Listing(
        "freshness",
        "How fresh what is known is: alerts, the scheduler, roll-ups and each source.",
        Rows[Freshness],
        (queries.FRESHNESS,),
    ),
    Listing(
        "self_check",
        "Whether pgvigil itself keeps up: when it does not, what all the others tell may be old.",
        Rows[Check],
        (queries.CHECKS,),
    ),
)
