"""Components: as they are, one day by day and over time, and its checks."""

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel

from pgvigil.database.queries import alerts
from pgvigil.database.queries import components as queries
from pgvigil.faces.web.common import Db, Json
from pgvigil.faces.web.listing import REQUIRED, Filter, Listing, add_listings
from pgvigil.faces.web.paging import Attempt, Part, Row, RowNumber, Rows
from pgvigil.faces.web.parameters import NAME, From, GivenText, Severity, Text, To
from pgvigil.faces.web.problems import ProblemError, answers
from pgvigil.faces.web.routes.alerts import ActiveAlert, WatchingRule
from pgvigil.faces.web.routes.trends import USUAL_HOURS, resolution_of
from pgvigil.faces.web.spans import AskedSpan

router = APIRouter(tags=["components"])

Health = Literal["healthy", "degraded", "unhealthy", "unknown"]
ComponentName = Annotated[str, Path(description="component_name of the component.", **NAME)]
Days = Annotated[int, Query(ge=1, le=366, description="How many days are told.")]


class HealthDay(BaseModel):
    """How long a component was in which state on a UTC day, in seconds."""

    day: date
    checks: int
    healthy: float
    degraded: float
    unhealthy: float
    unknown: float
    """Also before its first check, and once the newest is too long ago."""


class ComponentState(Row):
    """A component as it is, and how it was day by day."""

    component_type: str
    component_name: str
    status: Health
    """Unknown once the newest check is too long ago."""
    last_status: Health
    """What the newest check found."""
    response_time_ms: float | None
    failure_reason: str | None
    last_check_at: datetime
    last_unhealthy_at: datetime | None
    checks: int
    uptime_percent: float | None
    """Healthy or degraded of the time in which it was known."""
    p50_response_time_ms: float | None
    """Half of the answers took no longer."""
    p95_response_time_ms: float | None
    p99_response_time_ms: float | None
    alerts: int
    worst_severity: Severity | None
    trouble: int
    """Rank of that severity, 4 is critical; 0: no alert fires."""
    standing: int
    """3 for unhealthy, 2 for degraded, 1 for unknown, 0 for healthy."""
    days: list[HealthDay]
    """Days without checks are left out: nobody knows."""


class HealthBucket(Row):
    """Checks of a component in a minute, hour or day, and how long it took to answer."""

    bucket_at: datetime
    healthy_checks: int
    degraded_checks: int
    unhealthy_checks: int
    unknown_checks: int
    avg_response_time_ms: float | None
    p50_response_time_ms: float | None
    p95_response_time_ms: float | None
    p99_response_time_ms: float | None
    max_response_time_ms: float | None


class HealthCheck(Row):
    """A check of a component."""

    probe_id: int
    checked_at: datetime
    status: Health
    response_time_ms: float | None
    failure_reason: str | None
    details: Json


class WholeComponent(BaseModel):
    """A component, how it was over time, and what is wrong with it."""

    component: ComponentState
    other_types: list[str]
    """Components of the same name."""
    buckets: list[HealthBucket]
    """In order of time; those without a check are left out."""
    resolution: Literal["minute", "hour", "day"]
    from_at: datetime
    """Where the buckets begin."""
    to_at: datetime
    alerts: list[ActiveAlert]
    rules: list[WatchingRule]
    as_of: datetime


add_listings(
    router,
    Listing(
        "component_states",
        "Components: those first about which alerts fire, then those that are not well.",
        Rows[ComponentState],
        (
            Part(
                queries.WATCHED,
                {
                    "trouble": Attempt,
                    "standing": Attempt,
                    "component_type": str,
                    "component_name": str,
                },
            ),
        ),
        (
            Filter("search", Text, words="In its type or name, in any case."),
            Filter("type", Text, words="component_type, such as service."),
            Filter("status", Health | None),
            Filter("troubled", bool | None, words="Whether alerts fire about it."),
            Filter("days", Days, default=90),
        ),
    ),
    Listing(
        "component_checks",
        "Checks of a component, the newest first; without `from`, of the last 24 hours.",
        Rows[HealthCheck],
        (Part(queries.CHECKS, {"checked_at": datetime, "probe_id": RowNumber}),),
        (
            Filter("component", GivenText, words="component_name.", default=REQUIRED),
            Filter("type", Text, words="component_type; without, whatever it is."),
            Filter("status", Health | None, words="What was found."),
            Filter("from", From),
            Filter("to", To),
        ),
    ),
)


@router.get("/api/components/{component_name:path}", responses=answers(404))
async def component(
    db: Db,
    component_name: ComponentName,
    span: AskedSpan,
    type_: Annotated[Text, Query(alias="type")] = None,
    days: Days = 90,
) -> WholeComponent:
    """One component, of several types the one in most trouble, with its alerts and rules."""
    async with db.reading() as reader:
        now = await reader.now()
        from_at, to_at = span.bounds(now, USUAL_HOURS)
        found = await reader.rows(queries.WATCHED_ONE, {"component": component_name, "days": days})
        chosen = next((row for row in found if type_ in (None, row["component_type"])), None)
        if chosen is None:
            raise ProblemError(
                404,
                f"there is no component {component_name}" + (f" of type {type_}" if type_ else ""),
                "Take the name and the type from /api/component-states.",
            )
        kind = chosen["component_type"]
        values = {
            "component": component_name,
            "type": kind,
            "about": component_name,
            "resolution": await resolution_of(reader, span, from_at, to_at),
            "from_at": from_at,
            "to_at": to_at,
        }
        return WholeComponent.model_validate(
            {
                **values,
                "component": chosen,
                "other_types": [
                    row["component_type"] for row in found if row["component_type"] != kind
                ],
                "buckets": await reader.rows(queries.HISTORY, values),
                "alerts": await reader.rows(alerts.ABOUT_COMPONENT, values),
                "rules": await reader.rows(alerts.RULES_OF_COMPONENT, values),
                "as_of": now,
            }
        )
