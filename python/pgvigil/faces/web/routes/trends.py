"""Figures by time, for charts, and what may explain them."""

from datetime import datetime
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from pgvigil.database.queries import trends as queries
from pgvigil.faces.web.common import Db
from pgvigil.faces.web.database import Reader
from pgvigil.faces.web.listing import Filter, Listing, add_listings
from pgvigil.faces.web.paging import Part, Row, RowNumber, Rows
from pgvigil.faces.web.parameters import From, Severity, Text, To
from pgvigil.faces.web.problems import answers
from pgvigil.faces.web.spans import AskedSpan, Span

router = APIRouter(tags=["state"])

USUAL_HOURS = 24
# A chart of the last hours has room for a hundred or two.
_FINEST = (("minute", 3), ("hour", 24 * 7), ("day", 24 * 400))
_MOST_MARKS = 20


async def resolution_of(reader: Reader, span: Span, from_at: datetime, to_at: datetime) -> str:
    """Return by what a chart of a span is drawn: minute, hour or day."""
    if span.is_of_hours:
        hours = span.hours or USUAL_HOURS
        return next(name for name, most in _FINEST if hours <= most)
    resolution: str = await reader.value(queries.RESOLUTION, {"from_at": from_at, "to_at": to_at})
    return resolution


class Point(BaseModel):
    """A point of one line of a chart."""

    bucket_at: datetime
    series: str
    value: float | None


class Trends(BaseModel):
    """Lines of a chart, point by point, in order of time."""

    rows: list[Point]
    next: None = None
    resolution: Literal["minute", "hour", "day"]
    from_at: datetime
    """Where the chart begins."""
    to_at: datetime
    """Where it ends."""
    as_of: datetime


class Mark(Row):
    """Something that happened, to be marked in a chart."""

    marked_at: datetime
    kind: Literal["release", "alert"]
    title: str
    component: str | None
    severity: Severity | None
    """Of an alert, when it began or got worse."""
    alert_id: int | None


class Marks(BaseModel):
    """What may explain a chart, in order of time."""

    rows: list[Mark]
    next: None = None
    has_more: bool
    """Whether there was more: of releases and of alerts only the newest are here."""
    from_at: datetime
    to_at: datetime
    as_of: datetime


class Release(Row):
    """When a component went over to another version."""

    release_id: int
    component: str
    version: str
    previous_version: str | None
    """Null: none is known."""
    released_at: datetime
    details: object
    recorded_by: str


@router.get("/api/trends", responses=answers())
async def trends(
    db: Db, what: Literal["tasks", "errors", "queues", "durations"], span: AskedSpan
) -> Trends:
    """The last hours, or a span of time, by minute, hour or day, in UTC.

    Tasks that ended by how they did, errors by severity, mean of what waits by queue, or the
    milliseconds that 95 % of the tasks of a type took no longer than.
    """
    async with db.reading() as reader:
        now = await reader.now()
        from_at, to_at = span.bounds(now, USUAL_HOURS)
        values = {"from_at": from_at, "to_at": to_at, "is_of_hours": span.is_of_hours}
        resolution = await resolution_of(reader, span, from_at, to_at)
        rows = await reader.rows(queries.POINTS, {**values, "what": what, "resolution": resolution})
    return Trends.model_validate({**values, "resolution": resolution, "rows": rows, "as_of": now})


@router.get("/api/chart-marks", responses=answers())
async def chart_marks(db: Db, span: AskedSpan, component: Text = None) -> Marks:
    """What may explain a chart: releases, and alerts of severity high or critical that began.

    Of the last hours, or of a span of time; of a component if one is given.
    """
    async with db.reading() as reader:
        now = await reader.now()
        from_at, to_at = span.bounds(now, USUAL_HOURS)
        values = {"from_at": from_at, "to_at": to_at}
        rows = await reader.rows(
            queries.MARKS, {**values, "component": component, "limit": _MOST_MARKS + 1}
        )
    shown = [
        mark
        for kind in ("release", "alert")
        for mark in [row for row in rows if row["kind"] == kind][-_MOST_MARKS:]
    ]
    return Marks.model_validate(
        {
            **values,
            "rows": sorted(shown, key=lambda mark: mark["marked_at"]),
            "has_more": len(shown) < len(rows),
            "as_of": now,
        }
    )


add_listings(
    router,
    Listing(
        "releases",
        "When components went over to other versions, the newest first.",
        Rows[Release],
        (Part(queries.RELEASES, {"released_at": datetime, "release_id": RowNumber}),),
        (
            Filter("component", Text, words="Only those of a component."),
            Filter("from", From),
            Filter("to", To),
        ),
    ),
)
