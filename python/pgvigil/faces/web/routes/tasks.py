"""Tasks: those that run, and those that have ended."""

from datetime import datetime
from typing import Literal

from fastapi import APIRouter

from pgvigil.database.queries import tasks as queries
from pgvigil.faces.web.common import Json
from pgvigil.faces.web.listing import Filter, Listing, View, add_listings
from pgvigil.faces.web.paging import Attempt, Part, Row, Rows
from pgvigil.faces.web.parameters import From, Text, To

router = APIRouter(tags=["tasks"])

_RUNNING = View(
    "v_realtime_processing_status",
    {"start_time": datetime, "task_id": str},
    more=", 'running' as status",
    without=("state", "status"),
    is_asked_for=lambda asked: asked["state"] != "ended" and not asked["status"],
)
_ENDED = Part(
    queries.ENDED,
    {"end_time": datetime, "task_id": str, "attempt": Attempt},
    is_asked_for=lambda asked: asked["state"] != "running",
)
Ended = Literal["completed", "failed", "cancelled", "timeout", "lost"]


class Task(Row):
    """One attempt of a task; null is what does not apply to it, running or ended."""

    task_id: str
    task_type: str
    status: Literal["running", Ended]
    attempt: int
    worker_id: str | None
    parent_task_id: str | None
    start_time: datetime | None
    end_time: datetime | None = None
    duration_ms: float | None = None
    running_ms: float | None = None
    items_done: int | None
    items_total: int | None
    progress_percent: float | None = None
    seconds_without_progress: float | None = None
    heartbeat_at: datetime | None = None
    is_backend_alive: bool | None = None
    input_size: int | None = None
    output_size: int | None = None
    counters: Json
    step_durations: Json = None
    metadata: Json = None


add_listings(
    router,
    Listing(
        "tasks",
        """Tasks that run, the longest running first, then those that ended, the newest first.

        `from` and `to` limit when they began that run, and when they ended that ended; without
        `from`, of the ended ones those of the last 24 hours.
        """,
        Rows[Task],
        (_RUNNING, _ENDED),
        (
            Filter("state", Literal["running", "ended", "all"], default="all"),
            Filter("type", Text, "task_type ="),
            Filter("status", Ended | None, words="How it ended."),
            Filter("worker", Text, "worker_id ="),
            Filter("from", From, "start_time >="),
            Filter("to", To, "start_time <"),
        ),
    ),
)
