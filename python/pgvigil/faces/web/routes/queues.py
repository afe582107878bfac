"""Queues: as they are, one over time, and its samples."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel

from pgvigil.database.queries import alerts
from pgvigil.database.queries import queues as queries
from pgvigil.faces.web.common import Db
from pgvigil.faces.web.listing import REQUIRED, Filter, Listing, add_listings
from pgvigil.faces.web.paging import Attempt, Part, Row, RowNumber, Rows
from pgvigil.faces.web.parameters import NAME, From, GivenText, Severity, Text, To
from pgvigil.faces.web.problems import ProblemError, answers
from pgvigil.faces.web.routes.alerts import ActiveAlert, WatchingRule
from pgvigil.faces.web.routes.trends import USUAL_HOURS, resolution_of
from pgvigil.faces.web.spans import AskedSpan

router = APIRouter(tags=["queues"])

QueueName = Annotated[str, Path(description="queue_name of the queue.", **NAME)]


class QueueState(Row):
    """A queue by its newest sample, and how fast items come and go."""

    queue_name: str
    pending: int
    processing: int
    completed: int
    """A running total, as `failed`."""
    failed: int
    oldest_ready_seconds: float | None
    recorded_at: datetime
    rate_seconds: float | None
    """The span that the rates are of; null where there is none between two samples."""
    pending_per_minute: float | None
    """By how many more wait each minute; negative while it drains."""
    arrived_per_minute: float | None
    """Null where the queue tells of nothing that is done."""
    completed_per_minute: float | None
    failed_per_minute: float | None
    seconds_to_empty: float | None
    """At that rate; null while it does not drain."""
    failed_percent: float | None
    depths: list[float | None]
    """Mean of what waited in each of the last 24 hours, the oldest first."""
    alerts: int
    worst_severity: Severity | None
    trouble: int
    """Rank of that severity, 4 is critical; 0: no alert fires."""


class QueueBucket(Row):
    """A queue in a minute, hour or day."""

    bucket_at: datetime
    samples: int | None
    avg_pending: float | None
    max_pending: float | None
    p95_pending: float | None
    avg_processing: float | None
    max_oldest_ready_seconds: float | None
    completed: float | None
    """Items done meanwhile."""
    failed: float | None


class QueueSample(Row):
    """A queue when it was looked at."""

    recorded_at: datetime
    sample_id: int
    pending: int
    processing: int
    completed: int
    failed: int
    oldest_ready_seconds: float | None


class WholeQueue(BaseModel):
    """A queue, how it was over time, and what is wrong with it."""

    queue: QueueState
    buckets: list[QueueBucket]
    """In order of time; those in which it was not sampled are left out."""
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
        "queue_states",
        "Queues of the last 24 hours: those first about which alerts fire, then the longest.",
        Rows[QueueState],
        (Part(queries.WATCHED, {"trouble": Attempt, "pending": RowNumber, "queue_name": str}),),
        (
            Filter("search", Text, words="In the name, in any case."),
            Filter("troubled", bool | None, words="Whether alerts fire about it."),
        ),
    ),
    Listing(
        "queue_samples",
        "Samples of a queue, the newest first; without `from`, of the last 24 hours.",
        Rows[QueueSample],
        (Part(queries.SAMPLES, {"recorded_at": datetime, "sample_id": RowNumber}),),
        (
            Filter("queue", GivenText, words="queue_name of the queue.", default=REQUIRED),
            Filter("from", From),
            Filter("to", To),
        ),
    ),
)


@router.get("/api/queues/{queue_name:path}", responses=answers(404))
async def queue(db: Db, queue_name: QueueName, span: AskedSpan) -> WholeQueue:
    """One queue, how it was over the last hours or a span of time, its alerts and its rules."""
    async with db.reading() as reader:
        now = await reader.now()
        from_at, to_at = span.bounds(now, USUAL_HOURS)
        values = {
            "queue": queue_name,
            "about": queue_name,
            "resolution": await resolution_of(reader, span, from_at, to_at),
            "from_at": from_at,
            "to_at": to_at,
        }
        found = await reader.rows(queries.WATCHED_ONE, values)
        if not found:
            raise ProblemError(
                404, f"there is no queue {queue_name}", "Take the name from /api/queue-states."
            )
        return WholeQueue.model_validate(
            {
                **values,
                "queue": found[0],
                "buckets": await reader.rows(queries.HISTORY, values),
                "alerts": await reader.rows(alerts.ABOUT_QUEUE, values),
                "rules": await reader.rows(alerts.RULES_OF_QUEUE, values),
                "as_of": now,
            }
        )
