"""The fleet: members, their open alerts, and acknowledging these from here."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel

from pgvigil.database.queries import fleet as queries
from pgvigil.faces.web.common import Db, Json
from pgvigil.faces.web.listing import Filter, Listing, View, add_listings
from pgvigil.faces.web.paging import Row, RowNumber, Rows
from pgvigil.faces.web.parameters import Severity, Text
from pgvigil.faces.web.problems import NOT_FIRING, ProblemError, answers
from pgvigil.faces.web.routes.alerts import Acknowledgement, Number
from pgvigil.faces.web.security import may_write

router = APIRouter(tags=["fleet"])

MemberName = Annotated[
    str,
    Path(min_length=1, max_length=255, pattern=r"^[^\x00]*$", description="Name of the member."),
]


class FleetMember(Row):
    """A database that this one shows as well, with what it told last."""

    member_name: str
    state: Literal["current", "stale", "silent", "waiting", "disabled"]
    """stale: its own rules or jobs are late; silent: not heard for long."""
    is_known: bool
    """Whether the figures hold now: where false, that nothing is wrong there means nothing."""
    heard_at: datetime | None
    seconds_old: float | None
    not_current: str | None
    last_error: str | None
    version: str | None
    open_alerts: int | None
    high_alerts: int | None
    critical_alerts: int | None
    running_tasks: int | None
    ended_tasks: int | None
    """Attempts that ended in the last 24 hours."""
    failed_tasks: int | None
    components: int | None
    unhealthy_components: int | None
    page_url: str | None


class FleetAlert(Row):
    """An alert that was open at a member when it was last heard."""

    member_name: str
    alert_id: int
    rule_name: str | None
    severity: Severity | None
    status: Literal["firing", "acknowledged"] | None
    summary: str | None
    labels: Json
    fired_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    suppressed_by: str | None
    owner: str | None
    link: str | None
    acknowledging_by: str | None
    """Who acknowledged it here while the member has yet to hear of it."""
    refusal: str | None
    """Why the member did not take the newest acknowledgement made here."""
    is_known: bool
    seconds_old: float | None


class Acknowledging(BaseModel):
    """The acknowledgement is on its way to the member."""

    member_name: str
    alert_id: int


add_listings(
    router,
    Listing(
        "fleet_members",
        "Other databases that this one reads and shows, by name.",
        Rows[FleetMember],
        (View("v_fleet_members", {"member_name": str}),),
    ),
    Listing(
        "fleet_alerts",
        "Open alerts of all members: those first that nobody has acknowledged, the worst first.",
        Rows[FleetAlert],
        (
            View(
                "v_fleet_alerts",
                {
                    "status": str | None,
                    "severity": Severity | None,
                    "fired_at": datetime | None,
                    "member_name": str,
                    "alert_id": RowNumber,
                },
                counting={
                    "status": "coalesce({} = 'acknowledged', false)",
                    "severity": "coalesce(-array_position(monitoring.severities(), {}), 0)",
                    "fired_at": "coalesce({}, '-infinity'::timestamptz)",
                },
            ),
        ),
        (
            Filter("member", Text, "member_name =", "Only of one member."),
            Filter("severity", Severity | None),
        ),
    ),
)


@router.post(
    "/api/fleet-members/{member}/acknowledge-alert/{alert_id}",
    responses=answers(401, 403, 404, 409),
    dependencies=[Depends(may_write)],
)
async def acknowledge_fleet_alert(
    db: Db, member: MemberName, alert_id: Number, said: Acknowledgement | None = None
) -> Acknowledging:
    """Tell that somebody looks after an alert of a member, which hears of it in seconds."""
    words = said or Acknowledgement(note=None, by=None)
    values = {"member": member, "alert_id": alert_id, "note": words.note, "by": words.by}
    async with db.writing() as writer:
        if not await writer.value(queries.ACKNOWLEDGE, values):
            raise ProblemError(NOT_FIRING, f"alert {alert_id} of {member} does not fire")
    return Acknowledging(member_name=member, alert_id=alert_id)
