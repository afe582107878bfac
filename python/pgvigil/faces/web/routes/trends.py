"""Figures by time, for small charts."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel

from pgvigil.database.queries import state as queries
from pgvigil.faces.web.common import Db
from pgvigil.faces.web.problems import answers

router = APIRouter(tags=["state"])

_MOST_HOURS = 24 * 366
# A chart has room for a hundred or two.
_FINEST = (("minute", 3), ("hour", 24 * 7), ("day", _MOST_HOURS))


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
    as_of: datetime


@router.get("/api/trends", responses=answers())
async def trends(
    db: Db,
    what: Literal["tasks", "errors", "queues", "durations"],
    hours: Annotated[int, Query(ge=1, le=_MOST_HOURS)] = 24,
) -> Trends:
    """The last hours by minute, hour or day, in UTC.

    Tasks that ended by how they did, errors by severity, mean of what waits by queue, or the
    milliseconds that 95 % of the tasks of a type took no longer than.
    """
    resolution = next(name for name, most in _FINEST if hours <= most)
    async with db.reading() as reader:
        now = await reader.now()
        values = {"resolution": resolution, "from_at": now - timedelta(hours=hours), "as_of": now}
        rows = await reader.rows(queries.TREND_POINTS, {**values, "what": what})
    return Trends.model_validate({**values, "rows": rows})
