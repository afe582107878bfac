"""The calls and tasks of the asynchronous clients: those of the others, awaited or not."""

# Where the synchronous call returns a value, these return an answer that has it. Whoever takes no
# notice of the value may take one client for the other, which no type can say.
# mypy: disable-error-code="assignment"

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar, Unpack, cast

from pgvigil.client.recording.answers import later, named
from pgvigil.client.recording.task import TaskOptions, TrackedTask
from pgvigil.client.recording.tracking import TrackingCalls

_P = ParamSpec("_P")
_Self = TypeVar("_Self")


class AsyncTrackedTask(TrackedTask):
    """A `TrackedTask` for ``async with``, whose methods may be awaited."""

    progress = later(TrackedTask.progress)
    count = later(TrackedTask.count)
    heartbeat = later(TrackedTask.heartbeat)
    error = later(TrackedTask.error)
    metric = later(TrackedTask.metric)
    log = later(TrackedTask.log)

    def child(
        self,
        task_type: str,
        *,
        task_id: str | None = None,
        severity: str = "high",
        **options: Unpack[TaskOptions],
    ) -> "AsyncTrackedTask":
        """Return a task that is a part of this one, as `TrackedTask.child` does."""
        options["parent_task_id"] = self.task_id
        return type(self)(self._client, task_type, task_id, severity, **options)


def _block(
    method: Callable[Concatenate[_Self, _P], TrackedTask],
) -> Callable[Concatenate[_Self, _P], AsyncTrackedTask]:
    """Return a method that makes tasks of the type that these calls make."""
    return cast("Callable[Concatenate[_Self, _P], AsyncTrackedTask]", method)


class AwaitedCalls(TrackingCalls):
    """All that can be recorded; each call may be awaited, and returns at once in any case."""

    _task_type = AsyncTrackedTask

    task = _block(TrackingCalls.task)
    fail_task = later(TrackingCalls.fail_task)

    start_task = named(TrackingCalls.start_task)
    update_task = later(TrackingCalls.update_task)
    heartbeat = later(TrackingCalls.heartbeat)
    complete_task = later(TrackingCalls.complete_task)

    record_error = later(TrackingCalls.record_error)
    record_exception = later(TrackingCalls.record_exception)
    record_performance_metric = later(TrackingCalls.record_performance_metric)
    record_log = later(TrackingCalls.record_log)
    update_system_health = later(TrackingCalls.update_system_health)
    record_queue_metrics = later(TrackingCalls.record_queue_metrics)
    record_release = later(TrackingCalls.record_release)

    record_finished_tasks = later(TrackingCalls.record_finished_tasks)
    record_errors = later(TrackingCalls.record_errors)
    record_metrics = later(TrackingCalls.record_metrics)
    record_logs = later(TrackingCalls.record_logs)

    start_etl_execution = named(TrackingCalls.start_etl_execution)
    finish_etl_execution = later(TrackingCalls.finish_etl_execution)
    log_etl_event = later(TrackingCalls.log_etl_event)
    record_etl_metric = later(TrackingCalls.record_etl_metric)

    log_invalid_records = later(TrackingCalls.log_invalid_records)
    sync_invalid_records = later(TrackingCalls.sync_invalid_records)
    auto_resolve_invalid_records = later(TrackingCalls.auto_resolve_invalid_records)
    resolve_invalid_records = later(TrackingCalls.resolve_invalid_records)
    track_status_changes = later(TrackingCalls.track_status_changes)
    track_all_status_changes_from_source = later(TrackingCalls.track_all_status_changes_from_source)
    sync_record_source = later(TrackingCalls.sync_record_source)
    track_record_products = later(TrackingCalls.track_record_products)
    log_program_execution = later(TrackingCalls.log_program_execution)
    update_daily_summary = later(TrackingCalls.update_daily_summary)
    cleanup_old_monitoring_data = later(TrackingCalls.cleanup_old_monitoring_data)
