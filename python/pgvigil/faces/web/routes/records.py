"""Records: which are invalid, what changed their status, and all that happened to one."""

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query

from pgvigil.database.queries import records as queries
from pgvigil.faces.web.common import Json
from pgvigil.faces.web.listing import REQUIRED, Filter, Listing, View, add_listings
from pgvigil.faces.web.paging import Part, Row, RowNumber, Rows
from pgvigil.faces.web.parameters import From, Text, To

router = APIRouter(tags=["records"])

_LAST_FOUND = {
    "last_detected_at": datetime,
    "dataset": str,
    "record_key": str,
    "validation_type": str,
}
_CHANGES = Part(
    queries.CHANGES,
    {"recorded_at": datetime, "change_id": RowNumber},
)
# Blank is what the database takes for blank: other spaces make a name.
_NAMES = {"min_length": 1, "max_length": 255, "pattern": r"^[^\x00]*[^\x00 \t\r\n][^\x00]*$"}
InPath = Annotated[str, Path(**_NAMES)]
InQuery = Annotated[str, Query(**_NAMES)]


class InvalidRecord(Row):
    """A record that failed a validation."""

    dataset: str
    record_key: str
    validation_type: str
    status: Literal["open", "resolved"]
    group_name: str | None
    reported_value: str | None
    message: str | None
    details: Json
    target_date: date | None
    first_detected_at: datetime
    opened_at: datetime
    last_detected_at: datetime
    times_detected: int
    times_reopened: int
    is_alerted: bool
    alerted_at: datetime | None
    task_id: str | None
    resolved_at: datetime | None
    resolution: str | None
    resolved_by: str | None
    resolution_reason: str | None
    seconds_open: float


class Issue(Row):
    """Open records of one dataset, type and group."""

    dataset: str
    validation_type: str
    group_name: str | None
    open_records: int
    alerted_records: int
    oldest_opened_at: datetime
    last_detected_at: datetime


class Change(Row):
    """A status that a record got."""

    change_id: int
    dataset: str
    record_key: str
    recorded_at: datetime
    effective_at: datetime
    validation_type: str | None
    from_status: str | None
    to_status: str | None
    change_source: str
    actor: str | None
    login_name: str | None
    """Whose session told of it."""
    source_name: str | None
    task_id: str | None
    details: Json


class Event(Row):
    """Something that happened to a record."""

    happened_at: datetime | None
    kind: str
    summary: str | None
    details: Json


add_listings(
    router,
    Listing(
        "records",
        "Invalid records, those found last first.",
        Rows[InvalidRecord],
        (View("invalid_records", _LAST_FOUND, is_descending=True),),
        (
            Filter("dataset", Text),
            Filter("type", Text, "validation_type =", "Validation that they failed."),
            Filter("status", Literal["open", "resolved"] | None),
            Filter("group", Text, "group_name ="),
        ),
    ),
    Listing(
        "record_issues",
        "Open records by dataset, type and group, the most first.",
        Rows[Issue],
        (queries.ISSUES,),
    ),
    Listing(
        "record_changes",
        "Changes of status, the newest first; without `from`, those recorded in the last 24 hours.",
        Rows[Change],
        (_CHANGES,),
        (
            Filter("dataset", Text),
            Filter("change_source", Text),
            Filter("from", From),
            Filter("to", To),
        ),
    ),
    Listing(
        "record_timeline",
        "All that happened to a record, the newest first, whatever characters are in its names.",
        Rows[Event],
        (queries.TIMELINE,),
        tuple(Filter(name, InQuery, default=REQUIRED) for name in ("dataset", "record_key")),
        refusals=(404,),
    ),
    Listing(
        "record_timeline_by_path",
        "The same by path, for names without slashes: `/api/record-timeline` takes them all.",
        Rows[Event],
        (queries.TIMELINE,),
        tuple(Filter(name, InPath, default=REQUIRED) for name in ("dataset", "record_key")),
        path="/api/records/{dataset}/{record_key:path}/timeline",
        refusals=(404,),
    ),
)
