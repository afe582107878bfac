"""Celery: each run of a task, each retry as its next attempt, and what the beat schedule expects.

>>> from pgvigil.integrations import celery
>>> celery.watch(MonitoringClient(component="shop"))

Works with the pools prefork, threads and solo.
"""

import sys
from collections import deque
from typing import Any

from billiard.process import current_process
from celery import signals
from celery.exceptions import Reject, TimeLimitExceeded

from pgvigil.client import MonitoringClient, TrackedTask
from pgvigil.integrations.runs import begin, end, severity_of, status_of

_NAME = "pgvigil"  # of our receivers, and of the attribute of a request that holds its run
# States that a run has when it ends without an exception of its own.
_STATUSES = {"SUCCESS": "completed", "IGNORED": "cancelled", "REJECTED": "cancelled"}


def watch(monitor: MonitoringClient) -> None:
    """Record the tasks that this program runs, and what its workers cannot run.

    Call it where the Celery app is made; calling it again changes the client.

    Args:
        monitor: what records them. Tasks are named by Celery's ids, task types by task names.
    """
    watching = _Watching(monitor)
    for name in (
        "task_prerun",
        "task_failure",
        "task_retry",
        "task_postrun",
        "task_revoked",
        "task_unknown",
        "task_rejected",
        "task_internal_error",
        "worker_process_shutdown",
    ):
        signal = getattr(signals, name)
        signal.disconnect(dispatch_uid=_NAME)
        signal.connect(getattr(watching, name), weak=False, dispatch_uid=_NAME)


class _Watching:
    """Receives the signals of Celery, each by its name."""

    def __init__(self, monitor: MonitoringClient) -> None:
        self._monitor = monitor
        self._timed_out: deque[str] = deque(maxlen=100)

    def task_prerun(self, task: Any, task_id: str, **told: Any) -> None:
        with self._monitor.never_raising():
            request = task.request
            run = begin(
                self._monitor,
                task.name,
                task_id,
                worker_id=request.hostname,
                # A retry has been sent by the run before it.
                parent_task_id=None if request.parent_id == task_id else request.parent_id,
                queue=(request.delivery_info or {}).get("routing_key"),
                # Without arguments it is the same work each time, which the next run makes up for.
                work=None if told.get("args") or told.get("kwargs") else task.name,
            )
            setattr(request, _NAME, run)

    def task_failure(self, sender: Any, task_id: str, exception: BaseException, **_: Any) -> None:
        with self._monitor.never_raising():
            if isinstance(exception, Reject):
                return  # told of by task_postrun
            run = _run_of(sender.request, task_id)
            severity = "low" if isinstance(exception, sender.throws or ()) else "high"
            if run is not None:
                run.status = status_of(exception)
                run.error(exception, severity=severity)
                return
            # Its process was killed, and this is the one that had started it.
            if isinstance(exception, TimeLimitExceeded):
                if task_id in self._timed_out:  # Celery tells of it once or twice
                    return
                self._timed_out.append(task_id)
            self._monitor.record_exception(exception, task_id=task_id, severity=severity)
            self._monitor.complete_task(
                task_id, status_of(exception), metadata={"task": sender.name}
            )

    def task_retry(self, sender: Any, request: Any, reason: Any, **_: Any) -> None:
        with self._monitor.never_raising():
            run = _run_of(request, request.id)
            if run is None:
                return
            most = sender.max_retries
            left = 1 if most is None else max(most - (request.retries or 0), 1)
            error = getattr(reason, "exc", None)
            run.metadata["retries_left"] = left
            run.status = "failed" if error is None else status_of(error)
            run.error(error or reason, severity=severity_of("high", left))

    def task_postrun(self, task: Any, task_id: str, state: str | None, **_: Any) -> None:
        with self._monitor.never_raising():
            run = _run_of(task.request, task_id)
            if run is None:
                return
            delattr(task.request, _NAME)
            if run.status is not None:  # told of by task_failure or task_retry
                end(run, status=run.status)
            elif state in _STATUSES:
                end(run, status=_STATUSES[state])
            elif not _is_pool_process():  # of a pool's, the worker itself tells how it ended
                error = sys.exc_info()[1]
                end(run, error, status="failed" if error is None else None)

    def task_revoked(
        self, sender: Any, request: Any, terminated: bool, expired: bool, **_: Any
    ) -> None:
        with self._monitor.never_raising():
            why = "terminated" if terminated else "expired" if expired else "revoked"
            if not terminated:  # it has not begun
                self._monitor.start_task(sender.name, task_id=request.id)
            if expired:
                message = f"task {sender.name} expired before a worker began it"
                self._monitor.record_error(request.id, "TaskExpired", "medium", message)
            self._monitor.complete_task(request.id, "cancelled", metadata={"cancelled_by": why})

    def task_unknown(self, name: str, id: str, exc: BaseException, **_: Any) -> None:
        with self._monitor.never_raising():
            message = f"no worker of this app knows the task {name}"
            self._monitor.record_error(id, "NotRegistered", "high", message)

    def task_rejected(self, message: Any, exc: BaseException | None, **_: Any) -> None:
        with self._monitor.never_raising():
            why = "its format is not known" if exc is None else str(exc)
            text = f"a worker rejected a message: {why}"
            self._monitor.record_error(None, "MessageRejected", "high", text)

    def task_internal_error(self, task_id: str, exception: BaseException, **_: Any) -> None:
        with self._monitor.never_raising():
            self._monitor.record_exception(exception, task_id=task_id, severity="high")

    def worker_process_shutdown(self, **_: Any) -> None:
        # Celery's processes end without what Python does at the end of a program.
        with self._monitor.never_raising():
            self._monitor.close()


def _run_of(request: Any, task_id: str) -> TrackedTask | None:
    run = getattr(request, _NAME, None)
    return run if run is not None and run.task_id == task_id else None


def _is_pool_process() -> bool:
    return getattr(current_process(), "index", None) is not None
