"""Records: which are invalid, what changed their status, and all that happened to one."""

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query

from pgvigil.faces.web.database import Database
from pgvigil.faces.web.paging import After, Limit, Part, Row, RowNumber, Rows, read_page
from pgvigil.faces.web.parameters import Moment, Text
from pgvigil.faces.web.problems import answers
from pgvigil.faces.web.routes.common import Db, Json

router = APIRouter(tags=["records"])

_INVALID = Part(
    """
select *
from monitoring.invalid_records
where (%(dataset)s::text is null or dataset = %(dataset)s)
    and (%(type)s::text is null or validation_type = %(type)s)
    and (%(status)s::text is null or status = %(status)s)
    and (%(group)s::text is null or group_name = %(group)s)
    and (%(after_dataset)s::text is null
        or (last_detected_at, dataset, record_key, validation_type) < (
            %(after_last_detected_at)s::timestamptz, %(after_dataset)s,
            %(after_record_key)s::text, %(after_validation_type)s::text
        ))
order by last_detected_at desc, dataset desc, record_key desc, validation_type desc
limit %(limit)s
""",
    ("last_detected_at", "dataset", "record_key", "validation_type"),
    tuple[datetime, str, str, str],
)
_CHANGES = Part(
    """
select *
from monitoring.status_history
where (%(dataset)s::text is null or dataset = %(dataset)s)
    and (%(change_source)s::text is null or change_source = %(change_source)s)
    and recorded_at >= coalesce(
        %(from)s::timestamptz, (select monitoring.clock()) - interval '24 hours'
    )
    and recorded_at < coalesce(%(to)s::timestamptz, 'infinity')
    and (%(after_change_id)s::bigint is null or recorded_at <= %(after_recorded_at)s::timestamptz)
    and (%(after_change_id)s::bigint is null or (recorded_at, change_id) < (
        %(after_recorded_at)s::timestamptz, %(after_change_id)s
    ))
order by recorded_at desc, change_id desc
limit %(limit)s
""",
    ("recorded_at", "change_id"),
    tuple[datetime, RowNumber],
)
_ISSUES = """
select *
from monitoring.v_top_issues
order by open_records desc, dataset, validation_type, group_name
limit %(limit)s
"""
_TIMELINE = """
select *
from monitoring.record_timeline(
    p_dataset => %(dataset)s, p_record_key => %(record_key)s, p_limit => %(limit)s
)
"""
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


@router.get("/api/records", responses=answers())
async def records(
    db: Db,
    dataset: Text = None,
    type: Annotated[Text, Query(description="Validation that they failed.")] = None,
    status: Literal["open", "resolved"] | None = None,
    group: Text = None,
    limit: Limit = 100,
    after: After = None,
) -> Rows[InvalidRecord]:
    """Invalid records, those found last first."""
    values = {"dataset": dataset, "type": type, "status": status, "group": group}
    async with db.reading() as reader:
        rows, cursor = await read_page(reader, [_INVALID], values, after, limit)
        return Rows[InvalidRecord].model_validate(
            {"rows": rows, "next": cursor, "as_of": await reader.now()}
        )


@router.get("/api/record-issues", responses=answers())
async def record_issues(db: Db, limit: Limit = 100) -> Rows[Issue]:
    """Open records by dataset, type and group, the most first."""
    async with db.reading() as reader:
        rows = await reader.rows(_ISSUES, {"limit": limit})
        return Rows[Issue].model_validate({"rows": rows, "as_of": await reader.now()})


@router.get("/api/record-changes", responses=answers())
async def record_changes(
    db: Db,
    dataset: Text = None,
    change_source: Text = None,
    from_: Annotated[Moment, Query(alias="from")] = None,
    to: Moment = None,
    limit: Limit = 100,
    after: After = None,
) -> Rows[Change]:
    """Changes of status, the newest first; without `from`, those recorded in the last 24 hours."""
    values = {"dataset": dataset, "change_source": change_source, "from": from_, "to": to}
    async with db.reading() as reader:
        rows, cursor = await read_page(reader, [_CHANGES], values, after, limit)
        return Rows[Change].model_validate(
            {"rows": rows, "next": cursor, "as_of": await reader.now()}
        )


@router.get("/api/record-timeline", responses=answers(404))
async def record_timeline(
    db: Db, dataset: InQuery, record_key: InQuery, limit: Limit = 100
) -> Rows[Event]:
    """All that happened to a record, the newest first, whatever characters are in its names."""
    return await _read_timeline(db, dataset, record_key, limit)


@router.get("/api/records/{dataset}/{record_key:path}/timeline", responses=answers(404))
async def record_timeline_by_path(
    db: Db, dataset: InPath, record_key: InPath, limit: Limit = 100
) -> Rows[Event]:
    """The same by path, for names without slashes: `/api/record-timeline` takes them all."""
    return await _read_timeline(db, dataset, record_key, limit)


async def _read_timeline(db: Database, dataset: str, record_key: str, limit: int) -> Rows[Event]:
    values = {"dataset": dataset, "record_key": record_key, "limit": limit}
    async with db.reading() as reader:
        rows = await reader.rows(_TIMELINE, values)
        return Rows[Event].model_validate({"rows": rows, "as_of": await reader.now()})
