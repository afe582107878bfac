"""A run that a framework begins in one call of ours and ends in another."""

import functools
from typing import Any

from pgvigil.client import MonitoringClient, TrackedTask
from pgvigil.client.recording.task import status_for

# Exceptions by which frameworks end work that takes too long. They are no TimeoutError.
_TIME_LIMITS = frozenset(
    {
        "AirflowTaskTimeout",
        "JobTimeoutException",
        "SoftTimeLimitExceeded",
        "TimeLimitExceeded",
    }
)


@functools.cache
def default_monitor() -> MonitoringClient:
    """Return the client of programs that make none themselves; ``PGVIGIL_DSN`` says where."""
    return MonitoringClient()


def begin(
    monitor: MonitoringClient,
    task_type: str,
    task_id: str | None = None,
    *,
    worker_id: str | None = None,
    parent_task_id: str | None = None,
    **metadata: Any,
) -> TrackedTask:
    """Record that a run begins, and make it the current task of this thread or context.

    Args:
        monitor: what records it.
        task_type: what kind of work it is.
        task_id: the framework's name for the run; the same name again is a new attempt.
        worker_id: who works on it.
        parent_task_id: run that it is a part of.
        metadata: what else is known of it; None is left out.
    """
    known = {name: value for name, value in metadata.items() if value is not None}
    task = monitor.task(
        task_type,
        task_id=task_id,
        worker_id=worker_id,
        parent_task_id=parent_task_id,
        metadata=known or None,
    )
    return task.__enter__()


def end(
    task: TrackedTask,
    error: BaseException | None = None,
    *,
    status: str | None = None,
    retries_left: int = 0,
    severity: str = "high",
) -> None:
    """Record how a run has ended.

    Args:
        task: what `begin` returned.
        error: exception that ended it.
        status: how it ended; None for what the exception says, or else completed.
        retries_left: how often it will be tried again: rules make less of what will be.
        severity: of the error; medium at most where it will be tried again.
    """
    task.status = status
    if error is not None:
        task.status = status or status_of(error)
        if task.status != "cancelled":
            task.error(error, severity=severity_of(severity, retries_left))
    if retries_left > 0:
        task.metadata["retries_left"] = retries_left
    task.__exit__(None, None, None)


def status_of(error: BaseException) -> str:
    """Return how a run has ended that an exception ended: failed, timeout or cancelled."""
    return "timeout" if type(error).__name__ in _TIME_LIMITS else status_for(error)


def severity_of(severity: str, retries_left: int) -> str:
    """Return the severity of an error in a run that will be tried again so often."""
    return "medium" if retries_left > 0 and severity in ("high", "critical") else severity
