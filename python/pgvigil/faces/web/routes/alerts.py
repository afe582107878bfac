"""Alerts: what fires, what is behind it, and acknowledging it."""

from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, Field

from pgvigil.database.queries import alerts as queries
from pgvigil.database.queries import decisions, state
from pgvigil.faces.web.common import Db, Json
from pgvigil.faces.web.database import Reader
from pgvigil.faces.web.listing import Filter, Listing, View, add_listings
from pgvigil.faces.web.paging import Row, RowNumber, Rows
from pgvigil.faces.web.parameters import Kind, Severity, Text
from pgvigil.faces.web.problems import NOT_FIRING, ProblemError, answers
from pgvigil.faces.web.routes.state import Known
from pgvigil.faces.web.security import may_write

router = APIRouter(tags=["alerts"])

_ACTIVE = View(
    "v_active_alerts",
    {
        "acknowledged_at": datetime | None,
        "severity": Severity,
        "fired_at": datetime,
        "alert_id": RowNumber,
    },
    counting={
        "severity": "-array_position(monitoring.severities(), {})",
        "acknowledged_at": "{}::timestamptz is not null",
    },
)
_ROWS_BEHIND = 50
Number = Annotated[int, Path(ge=1, le=2**63 - 1, description="alert_id of the alert.")]


class ActiveAlert(Row):
    """An alert that fires, acknowledged or not."""

    alert_id: int
    rule_name: str
    fingerprint: str
    severity: Severity
    status: Literal["firing", "acknowledged"]
    summary: str | None
    value: float | None
    threshold: float | None
    unit: str | None
    labels: dict[str, Json]
    occurrences: int
    started_at: datetime
    fired_at: datetime | None
    last_seen_at: datetime
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    acknowledged_note: str | None
    suppressed_by: str | None
    reason: str | None
    owner: str | None
    business_date: date | None
    link: str | None
    kind: Kind


class WatchingRule(Row):
    """A rule that looks at a thing, with the thresholds that count for it."""

    rule_name: str
    description: str
    unit: str | None
    comparison: str
    thresholds: dict[Severity, float]
    is_own: bool
    """Whether the thresholds are for this thing alone."""


class AlertCounts(BaseModel):
    """How many alerts fire, whatever the list is about."""

    active: int
    unacknowledged: int
    by_severity: dict[Severity, int]
    by_kind: dict[Kind, int]


class ActiveAlerts(Rows[ActiveAlert]):
    """A page of the alerts that fire."""

    counts: AlertCounts
    known: Known
    """Whether those are all: that none fires means nothing where no rule has run."""


class Alert(Row):
    """An alert in any state."""

    alert_id: int
    rule_name: str
    fingerprint: str
    severity: Severity
    worst_severity: Severity | None
    status: Literal["pending", "firing", "acknowledged", "resolved"]
    summary: str | None
    value: float | None
    threshold: float | None
    unit: str | None
    labels: dict[str, Json]
    family: str | None
    occurrences: int
    started_at: datetime
    fired_at: datetime | None
    last_seen_at: datetime
    cleared_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    acknowledged_note: str | None
    resolved_at: datetime | None
    resolved_by: str | None
    resolution: str | None
    reason: str | None
    owner: str | None
    suppressed_by: str | None = None


class Transition(Row):
    """Something that became of an alert."""

    changed_at: datetime
    transition: str
    severity: Severity | None
    value: float | None
    threshold: float | None
    summary: str | None
    changed_by: str | None
    note: str | None


class RowBehind(Row):
    """Something that the rule saw."""

    source: str
    happened_at: datetime | None
    details: Json


class WholeAlert(BaseModel):
    """An alert, what became of it, its rule and what the rule saw."""

    alert: Alert
    history: list[Transition]
    explanation: list[RowBehind]
    as_of: datetime


class Acknowledgement(BaseModel):
    """What somebody says who looks after an alert."""

    model_config = ConfigDict(extra="forbid")

    note: str | None = Field(None, max_length=8000, pattern=r"^[^\x00]*$")
    by: str | None = Field(None, min_length=1, max_length=255, pattern=r"^[^\x00]*\S[^\x00]*$")
    """Who it is; null: the service's login."""


class Silence(Acknowledgement):
    """What somebody says who wants no messages about an alert for a while."""

    hours: float | None = Field(None, gt=0, le=8784)
    """For how long; null: until it resolves."""


class Acknowledged(BaseModel):
    """The alert as it is now."""

    alert: Alert


add_listings(
    router,
    Listing(
        "active_alerts",
        "Alerts that fire: those first that nobody has acknowledged, the worst before the others.",
        ActiveAlerts,
        (_ACTIVE,),
        (
            Filter("severity", Severity | None),
            Filter("kind", Kind | None, words="Kind of trouble; long: runs for long."),
            Filter(
                "status",
                Literal["firing", "acknowledged"] | None,
                words="firing: only those that nobody has acknowledged.",
            ),
            Filter("rule", Text, "rule_name ="),
            Filter("job", Text, "labels ->> 'task_type' =", "job_name of the job it is about."),
        ),
        besides={"known": state.FRESHNESS_OF_ALERTS, "counts": queries.COUNTS},
    ),
)


@router.get("/api/alerts/{alert_id}", responses=answers(404))
async def alert(db: Db, alert_id: Number) -> WholeAlert:
    """One alert with its history, its rule and what the rule saw, the newest first."""
    values = {"alert_id": alert_id, "limit": _ROWS_BEHIND, "since": None, "rule": None}
    async with db.reading() as reader:
        # First, since it says what is wrong with a number that is none.
        explanation = await reader.rows(queries.EXPLAIN, values)
        (found,) = await reader.rows(queries.ONE, values)
        for row in await reader.rows(queries.REASON, values):
            found.update(row)
        return WholeAlert.model_validate(
            {
                "alert": found,
                "history": await reader.rows(queries.TRANSITIONS, values),
                "explanation": explanation,
                "as_of": await reader.now(),
            }
        )


@router.post(
    "/api/acknowledge-alert/{alert_id}",
    responses=answers(401, 403, 404, 409),
    dependencies=[Depends(may_write)],
)
async def acknowledge_alert(
    db: Db, alert_id: Number, said: Acknowledgement | None = None
) -> Acknowledged:
    """Tell that somebody looks after a firing alert: no more reminders until it gets worse."""
    return await _decide(db, decisions.ACKNOWLEDGE, alert_id, said, "does not fire")


@router.post(
    "/api/unacknowledge-alert/{alert_id}",
    responses=answers(401, 403, 404, 409),
    dependencies=[Depends(may_write)],
)
async def unacknowledge_alert(
    db: Db, alert_id: Number, said: Acknowledgement | None = None
) -> Acknowledged:
    """Take an acknowledgement back: reminders go on."""
    return await _decide(db, decisions.UNACKNOWLEDGE, alert_id, said, "is not acknowledged")


@router.post(
    "/api/resolve-alert/{alert_id}",
    responses=answers(401, 403, 404, 409),
    dependencies=[Depends(may_write)],
)
async def resolve_alert(
    db: Db, alert_id: Number, said: Acknowledgement | None = None
) -> Acknowledged:
    """End an alert; it fires anew when its rule finds the same again."""
    return await _decide(db, decisions.RESOLVE, alert_id, said, "does not fire")


@router.post(
    "/api/silence-alert/{alert_id}",
    responses=answers(401, 403, 404),
    dependencies=[Depends(may_write)],
)
async def silence_alert(db: Db, alert_id: Number, said: Silence | None = None) -> Acknowledged:
    """Send no messages about an alert and its like for some hours, or until it resolves."""
    words = said or Silence(note=None, by=None, hours=None)
    async with db.writing() as writer:
        found = await _one(writer, alert_id)
        values = {
            "matchers": Jsonb({"rule": found["rule_name"], "fingerprint": found["fingerprint"]}),
            "for": None if words.hours is None else timedelta(hours=words.hours),
            "note": words.note,
            "by": words.by,
            "until_resolved": words.hours is None,
        }
        await writer.value(decisions.SILENCE, values)
        return Acknowledged.model_validate({"alert": await _one(writer, alert_id)})


async def _decide(
    db: Db, decision: str, alert_id: int, said: Acknowledgement | None, if_not: str
) -> Acknowledged:
    words = said or Acknowledgement(note=None, by=None)
    values = {"alert_id": alert_id, "note": words.note, "by": words.by}
    async with db.writing() as writer:
        if not await writer.value(decision, values):
            raise ProblemError(NOT_FIRING, f"alert {alert_id} {if_not}")
        return Acknowledged.model_validate({"alert": await _one(writer, alert_id)})


async def _one(reader: Reader, alert_id: int) -> DictRow:
    """Return an alert in any state, with what keeps messages about it back."""
    found = await reader.rows(queries.ONE, {"alert_id": alert_id})
    if not found:
        raise ProblemError(404, f"there is no alert {alert_id}", "See /api/active-alerts.")
    for row in await reader.rows(queries.REASON, {"alert_id": alert_id}):
        found[0].update(row)
    return found[0]
