"""The state as a whole: the summary, queues, health and freshness."""

from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel

from pgvigil.database.queries import state as queries
from pgvigil.faces.web.common import Db
from pgvigil.faces.web.listing import Listing, add_listings
from pgvigil.faces.web.paging import Row, Rows
from pgvigil.faces.web.parameters import Kind, Severity
from pgvigil.faces.web.problems import answers

router = APIRouter(tags=["state"])


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


class TimeZone(Row):
    """A time zone that times may be shown in."""

    time_zone: str
    used_by: str
    """The database, or the first workflows that do."""


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


@router.get("/api/time-zones", responses=answers())
async def time_zones(db: Db) -> Rows[TimeZone]:
    """Zones that work goes by: the database's own, and those of workflows."""
    async with db.reading() as reader:
        users = {await reader.value(queries.DATABASE_ZONE): ["database"]}
        for row in await reader.rows(queries.WORKFLOW_ZONES):
            users.setdefault(row["time_zone"], []).append(row["workflow_name"])
        zones = [{"time_zone": zone, "used_by": ", ".join(by[:3])} for zone, by in users.items()]
        return Rows[TimeZone].model_validate({"rows": zones, "as_of": await reader.now()})
