"""Figures by time, for small charts."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel

from pgvigil.web.problems import answers
from pgvigil.web.routes.common import Db

router = APIRouter(tags=["state"])

_SPAN = "resolution = %(resolution)s and bucket_at > %(from_at)s"
# Each yields the time, and a column for each line of the chart.
_TOTALS = f"""
select bucket_at,
    sum(completed)::bigint as completed, sum(failed)::bigint as failed,
    sum(ended_otherwise)::bigint as ended_otherwise
from monitoring.v_task_trends
where {_SPAN}
group by bucket_at
order by bucket_at
"""
# Each yields the time, the line, and the value.
_LINES = {
    "errors": f"""
select bucket_at, severity as series, sum(occurrences)::double precision as value
from monitoring.v_error_trends
where {_SPAN}
group by bucket_at, severity
order by bucket_at, array_position(array['critical', 'high', 'medium', 'low'], severity)
""",
    "queues": f"""
select bucket_at, queue_name as series, avg_pending as value
from monitoring.get_queue_trends(
    p_from => %(from_at)s, p_to => %(as_of)s, p_resolution => %(resolution)s
)
where {_SPAN}
order by bucket_at, queue_name
""",
    "durations": f"""
select bucket_at, task_type as series, p95_duration_ms as value
from monitoring.v_task_trends
where {_SPAN}
order by bucket_at, task_type
""",
}
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
        rows = (
            _points(await reader.rows(_TOTALS, values))
            if what == "tasks"
            else await reader.rows(_LINES[what], values)
        )
    return Trends.model_validate({**values, "rows": rows})


def _points(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a point for each column of each row."""
    return [
        {"bucket_at": row["bucket_at"], "series": name, "value": value}
        for row in rows
        for name, value in row.items()
        if name != "bucket_at"
    ]
