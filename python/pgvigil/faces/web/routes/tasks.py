"""Tasks: those that run, and those that have ended."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from pgvigil.faces.web.paging import After, Attempt, Limit, Part, Row, Rows, read_page
from pgvigil.faces.web.parameters import Moment, Text
from pgvigil.faces.web.problems import answers
from pgvigil.faces.web.routes.common import Db, Json

router = APIRouter(tags=["tasks"])

_RUNNING = """
select *, 'running' as status
from monitoring.v_realtime_processing_status
where (%(type)s::text is null or task_type = %(type)s)
    and %(status)s::text is null
    and (%(worker)s::text is null or worker_id = %(worker)s)
    and (%(from)s::timestamptz is null or start_time >= %(from)s)
    and (%(to)s::timestamptz is null or start_time < %(to)s)
    and (%(after_task_id)s::text is null or (start_time, task_id) > (
        %(after_start_time)s::timestamptz, %(after_task_id)s
    ))
order by start_time, task_id
limit %(limit)s
"""
_ENDED = """
select *
from monitoring.get_ended_tasks(
    p_from => %(from)s, p_to => %(to)s, p_task_type => %(type)s, p_status => %(status)s,
    p_worker_id => %(worker)s, p_limit => %(limit)s, p_before_time => %(after_end_time)s,
    p_before_task_id => %(after_task_id)s, p_before_attempt => %(after_attempt)s
)
"""
_PARTS = {
    "running": [Part(_RUNNING, ("start_time", "task_id"), tuple[datetime, str])],
    "ended": [Part(_ENDED, ("end_time", "task_id", "attempt"), tuple[datetime, str, Attempt])],
}
_PARTS["all"] = _PARTS["running"] + _PARTS["ended"]
Ended = Literal["completed", "failed", "cancelled", "timeout", "lost"]


class Task(Row):
    """One attempt of a task; null is what does not apply to it, running or ended."""

    task_id: str
    task_type: str
    status: Literal["running"] | Ended
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


@router.get("/api/tasks", responses=answers())
async def tasks(
    db: Db,
    state: Literal["running", "ended", "all"] = "all",
    type: Text = None,
    status: Annotated[Ended | None, Query(description="How it ended.")] = None,
    worker: Text = None,
    from_: Annotated[Moment, Query(alias="from")] = None,
    to: Moment = None,
    limit: Limit = 100,
    after: After = None,
) -> Rows[Task]:
    """Tasks that run, the longest running first, then those that ended, the newest first.

    `from` and `to` limit when they began that run, and when they ended that ended; without
    `from`, of the ended ones those of the last 24 hours.
    """
    values = {"type": type, "status": status, "worker": worker, "from": from_, "to": to}
    async with db.reading() as reader:
        rows, cursor = await read_page(reader, _PARTS[state], values, after, limit)
        return Rows[Task].model_validate(
            {"rows": rows, "next": cursor, "as_of": await reader.now()}
        )
