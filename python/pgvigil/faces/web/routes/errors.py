"""Errors by group: the list, one group with its occurrences, and what people decide about it."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from pgvigil.database.queries import errors as queries
from pgvigil.faces.web.common import Db, Json
from pgvigil.faces.web.database import Reader
from pgvigil.faces.web.listing import REQUIRED, Filter, Listing, add_listings
from pgvigil.faces.web.paging import Part, Row, Rows
from pgvigil.faces.web.parameters import ErrorNumber, From, GivenText, Severity, Text, To
from pgvigil.faces.web.problems import ProblemError, answers
from pgvigil.faces.web.routes.trends import Point, Release
from pgvigil.faces.web.security import may_write
from pgvigil.faces.web.spans import AskedSpan

router = APIRouter(tags=["errors"])

GroupStatus = Literal["open", "resolved", "muted", "regressed"]
Fingerprint = Annotated[
    str,
    Path(
        min_length=1,
        max_length=255,
        pattern=r"^[^\x00]*$",
        description="fingerprint of the group, as in the list.",
    ),
]
_USUAL_HOURS = 24 * 7
_MOST_HOURS = 24 * 31
_NEWEST = 20


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
    merged_from: list[str] | None
    """Other fingerprints that are part of the group."""


class Occurrence(Row):
    """An error that occurred."""

    error_id: int
    occurred_at: datetime
    task_id: str | None
    """Task that it happened in."""
    task_type: str | None
    """What kind of work that was; null when no such task ended within a day."""
    severity: Severity
    component: str | None
    message: str
    details: Json
    stack: str | None


class WholeGroup(BaseModel):
    """A group of errors, how often it occurred by hour or day, and its newest occurrences."""

    group: ErrorGroup
    points: list[Point]
    """Occurrences by severity, in order of time."""
    resolution: Literal["hour", "day"]
    from_at: datetime
    """Where the points begin."""
    to_at: datetime
    """Where they end."""
    releases: list[Release]
    """Releases of its components within that span, the newest of them."""
    running_at_first: list[Release]
    """What its components ran in when it was first seen, as far as that is known."""
    occurrences: list[Occurrence]
    """The newest, whenever that was."""
    as_of: datetime


class Decision(BaseModel):
    """What somebody says who decides about a group."""

    model_config = ConfigDict(extra="forbid")

    note: str | None = Field(None, max_length=8000, pattern=r"^[^\x00]*$")
    by: str | None = Field(None, min_length=1, max_length=255, pattern=r"^[^\x00]*\S[^\x00]*$")
    """Who it is; null: the service's login."""


class Mute(Decision):
    """The same, with an end."""

    until: AwareDatetime | None = None
    """When the mute ends; null: when somebody reopens the group."""


class Merge(Decision):
    """The same, with the group that it becomes part of."""

    into: str = Field(min_length=1, max_length=255, pattern=r"^[^\x00]*$")
    """Fingerprint of that group."""


class Decided(BaseModel):
    """The group as it is now."""

    group: ErrorGroup


add_listings(
    router,
    Listing(
        "errors",
        "Groups of errors, those seen last first.",
        Rows[ErrorGroup],
        (Part(queries.GROUPS, {"last_seen_at": datetime, "fingerprint": str}, is_kept=True),),
        (
            Filter("status", GroupStatus | None),
            Filter("severity", Severity | None),
            Filter("type", Text, words="Type of the error."),
            Filter("component", Text, words="Component that it happened in."),
            Filter("search", Text, words="In its type, newest message or components, in any case."),
        ),
    ),
    Listing(
        "error_occurrences",
        "Occurrences of a group of errors, the newest first.",
        Rows[Occurrence],
        (Part(queries.OCCURRENCES, {"occurred_at": datetime, "error_id": ErrorNumber}),),
        (
            Filter("fingerprint", GivenText, words="Group of errors.", default=REQUIRED),
            Filter("from", From),
            Filter("to", To),
        ),
        refusals=(404,),
    ),
)


@router.get("/api/errors/{fingerprint:path}", responses=answers(404))
async def error_group(
    db: Db,
    fingerprint: Fingerprint,
    span: AskedSpan,
) -> WholeGroup:
    """One group of errors, how often it occurred lately, and its newest occurrences."""
    async with db.reading() as reader:
        now = await reader.now()
        from_at, to_at = span.bounds(now, _USUAL_HOURS, _MOST_HOURS)
        group = await _group(reader, fingerprint)
        values = {
            # The one given may be one that was merged into the group.
            "fingerprint": group["fingerprint"],
            "resolution": "hour" if to_at - from_at <= timedelta(days=7) else "day",
            "from_at": from_at,
            "to_at": to_at,
            "as_of": now,
            "components": group["components"] or [],
            "first_seen_at": group["first_seen_at"],
        }
        newest = {
            "fingerprint": fingerprint,
            "from": None,
            "to": None,
            "limit": _NEWEST,
            "after_occurred_at": None,
            "after_error_id": None,
        }
        return WholeGroup.model_validate(
            {
                **values,
                "group": group,
                "points": await reader.rows(queries.POINTS, values),
                "releases": await reader.rows(queries.RELEASES, values),
                "running_at_first": await reader.rows(queries.RUNNING_AT_FIRST, values),
                "occurrences": await reader.rows(queries.OCCURRENCES, newest),
            }
        )


@router.post(
    "/api/resolve-error-group/{fingerprint:path}",
    responses=answers(401, 403, 404),
    dependencies=[Depends(may_write)],
)
async def resolve_error_group(
    db: Db, fingerprint: Fingerprint, said: Decision | None = None
) -> Decided:
    """Mark a group as resolved: a later occurrence shows it as regressed."""
    words = said or Decision(note=None, by=None)
    values = {"fingerprint": fingerprint, "note": words.note, "by": words.by}
    return await _decide(db, queries.RESOLVE, values)


@router.post(
    "/api/mute-error-group/{fingerprint:path}",
    responses=answers(401, 403, 404),
    dependencies=[Depends(may_write)],
)
async def mute_error_group(db: Db, fingerprint: Fingerprint, said: Mute | None = None) -> Decided:
    """Raise no alert about a group, until a time or until it is reopened."""
    words = said or Mute(note=None, by=None)
    values = {"fingerprint": fingerprint, **words.model_dump()}
    return await _decide(db, queries.MUTE, values)


@router.post(
    "/api/reopen-error-group/{fingerprint:path}",
    responses=answers(401, 403, 404),
    dependencies=[Depends(may_write)],
)
async def reopen_error_group(db: Db, fingerprint: Fingerprint) -> Decided:
    """Take back what was decided about a group."""
    return await _decide(db, queries.REOPEN, {"fingerprint": fingerprint})


@router.post(
    "/api/merge-error-group/{fingerprint:path}",
    responses=answers(401, 403, 404),
    dependencies=[Depends(may_write)],
)
async def merge_error_group(db: Db, fingerprint: Fingerprint, said: Merge) -> Decided:
    """Make a group part of another, with its history and what is still to come."""
    values = {**said.model_dump(), "fingerprints": [fingerprint], "fingerprint": fingerprint}
    return await _decide(db, queries.MERGE, values)


@router.post(
    "/api/split-error-group/{fingerprint:path}",
    responses=answers(401, 403, 404),
    dependencies=[Depends(may_write)],
)
async def split_error_group(
    db: Db, fingerprint: Fingerprint, said: Decision | None = None
) -> Decided:
    """Take a fingerprint out of the group that it was merged into."""
    words = said or Decision(note=None, by=None)
    values = {"fingerprint": fingerprint, "note": words.note, "by": words.by}
    return await _decide(db, queries.SPLIT, values)


async def _decide(db: Db, decision: str, values: dict[str, Json]) -> Decided:
    async with db.writing() as writer:
        # Says that there is no such group where there is none.
        await _group(writer, values["fingerprint"])
        await writer.value(decision, values)
        return Decided.model_validate({"group": await _group(writer, values["fingerprint"])})


async def _group(reader: Reader, fingerprint: str) -> Json:
    found = await reader.rows(queries.GROUP, {"fingerprint": fingerprint})
    if not found:
        raise ProblemError(
            404,
            f"there is no error group {fingerprint}",
            "Take the fingerprint from /api/errors.",
        )
    return found[0]
