"""What keeps alerts from being told, and where they are told: silences, channels, messages."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb
from pydantic import AwareDatetime, BaseModel, Field

from pgvigil.database.queries import rules as queries
from pgvigil.database.queries.decisions import UNSILENCE
from pgvigil.faces.web.common import Db, Json
from pgvigil.faces.web.database import Reader
from pgvigil.faces.web.listing import Filter, Listing, View, add_listings
from pgvigil.faces.web.paging import Part, Row, RowNumber, Rows
from pgvigil.faces.web.parameters import Severity, Text
from pgvigil.faces.web.problems import SILENCE_ENDED, ProblemError, answers
from pgvigil.faces.web.routes.alerts import Acknowledgement, Silence
from pgvigil.faces.web.security import may_write

router = APIRouter(tags=["telling"])

SilenceNumber = Annotated[int, Path(ge=1, le=2**63 - 1, description="silence_id of the silence.")]
SilenceState = Literal["active", "coming", "ended"]
MessageStatus = Literal["waiting", "sending", "sent", "dead"]


class KnownSilence(Row):
    """A span of time in which certain alerts are not told."""

    silence_id: int
    state: SilenceState
    matchers: dict[str, Json]
    """Labels of the alerts; rule, family, severity and fingerprint are among them."""
    starts_at: datetime
    ends_at: datetime | None
    """Null: it has no end of its own."""
    is_until_resolved: bool
    """Whether it ends when no open alert fits any more."""
    note: str | None
    created_by: str
    created_at: datetime
    ended_by: str | None
    login_name: str | None
    ended_login_name: str | None


class Suppressed(Row):
    """Why alerts are not told."""

    suppressed_by: str
    """Such as: silence 12, inhibited by task_stuck."""
    alerts: int


class Channel(Row):
    """Where messages go, and how that goes."""

    channel_name: str
    kind: Literal["apprise", "alertmanager"]
    targets: list[str]
    """Names under which the runner finds the addresses, which are secret."""
    matchers: dict[str, Json]
    minimum_severity: Severity
    has_resolved_notices: bool
    repeat_seconds: float | None
    max_per_hour: int | None
    summary_time: str | None
    time_zone: str
    is_enabled: bool
    changed_by: str | None
    changed_at: datetime | None
    held_back: int
    held_back_at: datetime | None
    waiting: int
    failing: int
    """Of those that wait: how many have failed at least once."""
    last_sent_at: datetime | None
    sent_1_day: int
    dead_1_day: int
    """Given up."""
    sent_7_days: int
    dead_7_days: int
    last_error: str | None


class Message(Row):
    """A message to one target of a channel."""

    notification_id: int
    channel_name: str
    target: str
    kind: str
    status: MessageStatus
    """dead: given up."""
    subject: str
    body: str
    created_at: datetime
    attempts: int
    next_attempt_at: datetime | None
    last_error: str | None
    finished_at: datetime | None


class NewSilence(Silence):
    """Which alerts are not to be told, and for how long."""

    matchers: dict[str, Json] = Field(min_length=1, max_length=20)
    """Labels: a text, an array of texts, {"regex": ...} or {"not": ...}."""
    starts_at: AwareDatetime | None = None
    """Null: now."""


class Silenced(BaseModel):
    """The silence as it is now."""

    silence: KnownSilence


add_listings(
    router,
    Listing(
        "silences",
        "Silences, the newest first: those that hold or are to come, and for a while ended ones.",
        Rows[KnownSilence],
        (View("v_silences", {"silence_id": RowNumber}, is_descending=True),),
        (Filter("state", SilenceState | None),),
    ),
    Listing(
        "suppressed_alerts",
        "Why alerts that fire are not told: by which silence or rule, and how many.",
        Rows[Suppressed],
        (queries.SUPPRESSED,),
    ),
    Listing(
        "channels",
        "Channels, with what was sent and what was given up lately.",
        Rows[Channel],
        (queries.CHANNELS,),
    ),
    Listing(
        "notifications",
        "Messages, the newest first, for as long as they are kept.",
        Rows[Message],
        (Part(queries.MESSAGES, {"notification_id": RowNumber}),),
        (
            Filter("channel", Text, words="Name of the channel."),
            Filter("status", MessageStatus | None, words="dead: given up."),
        ),
    ),
)


@router.post("/api/silence-alerts", responses=answers(401, 403), dependencies=[Depends(may_write)])
async def silence_alerts(db: Db, said: NewSilence) -> Silenced:
    """Send no messages about certain alerts for some hours, or until none of them is open."""
    values = {
        "matchers": Jsonb(said.matchers),
        "for": None if said.hours is None else timedelta(hours=said.hours),
        "note": said.note,
        "by": said.by,
        "starts_at": said.starts_at,
        "until_resolved": said.hours is None,
    }
    async with db.writing() as writer:
        silence_id = await writer.value(queries.MAKE_SILENCE, values)
        return Silenced.model_validate({"silence": await _one(writer, silence_id)})


@router.post(
    "/api/unsilence-alerts/{silence_id}",
    responses=answers(401, 403, 404, 409),
    dependencies=[Depends(may_write)],
)
async def unsilence_alerts(
    db: Db, silence_id: SilenceNumber, said: Acknowledgement | None = None
) -> Silenced:
    """End a silence before its time; what still fires is then told."""
    values = {"silence_id": silence_id, "by": said.by if said else None}
    async with db.writing() as writer:
        if not await writer.value(UNSILENCE, values):
            raise ProblemError(SILENCE_ENDED, f"silence {silence_id} had ended already")
        return Silenced.model_validate({"silence": await _one(writer, silence_id)})


async def _one(reader: Reader, silence_id: int) -> DictRow:
    (found,) = await reader.rows(queries.SILENCE, {"silence_id": silence_id})
    return found
