"""A task under watch: from ``with monitor.task(…)`` to its end, whichever way it ends."""

import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, Token
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pgvigil.client import MonitoringClient

_PROGRESS_INTERVAL = 1.0
_current_task: ContextVar["TrackedTask | None"] = ContextVar("pgvigil_current_task", default=None)


def current_task() -> "TrackedTask | None":
    """Return the innermost task that runs in this thread or context, or None."""
    return _current_task.get()


def status_for(error: BaseException) -> str:
    """Return how a task that an exception leaves has ended: failed, timeout or cancelled.

    What is no `Exception` (Ctrl-C, `sys.exit`, the cancellation of a coroutine) is a cancellation.
    """
    if isinstance(error, TimeoutError | subprocess.TimeoutExpired):
        return "timeout"
    return "failed" if isinstance(error, Exception) else "cancelled"


class TrackedTask:
    """One run of something, recorded from beginning to end. Made by `MonitoringClient.task`.

    Leaving the ``with`` block records ``completed``; leaving it by an exception records the error
    with its stack and ends the task as `status_for` says, and the exception goes on unchanged.
    """

    def __init__(
        self,
        client: "MonitoringClient",
        task_id: str,
        task_type: str,
        *,
        input_size: int | None = None,
        worker_id: str | None = None,
        parent_task_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        items_total: int | None = None,
        severity: str = "high",
    ) -> None:
        """Describe a task; it starts when the ``with`` block is entered."""
        self.task_id = task_id
        self.task_type = task_type
        self.attempt: int | None = None
        """Number of the attempt; None when the start could not be recorded."""
        self.status: str | None = None
        """How to end when no exception says otherwise; None means completed."""
        self.output_size: int | None = None
        """Size of the output, in any unit of your own, usually bytes."""
        self.metadata: dict[str, Any] = {}
        """Merged into the task's metadata at its end."""
        self.counters: dict[str, float] = {}
        self.step_durations: dict[str, float] = {}
        """Milliseconds by step."""
        self._client = client
        self._start = {
            "input_size": input_size,
            "worker_id": worker_id,
            "parent_task_id": parent_task_id,
            "metadata": metadata,
            "items_total": items_total,
        }
        self._severity = severity
        self._step: str | None = None
        self._items: tuple[int | None, int | None] = (None, None)
        self._told_at = float("-inf")
        self._has_news = False
        self._token: Token[TrackedTask | None] | None = None

    def __enter__(self) -> Self:
        """Tell that the task has begun."""
        self.attempt = self._client.start_task(self.task_id, self.task_type, **self._start)  # type: ignore[arg-type]
        self._token = _current_task.set(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Tell how the task has ended; an exception goes on unchanged."""
        if self._token is not None:
            _current_task.reset(self._token)
        if error is None:
            self._finish(self.status or "completed")
            return
        # What fails in here must not take the place of the exception that is passing.
        with self._client.never_raising():
            if isinstance(error, Exception):
                self.error(error, severity=self._severity)
            self._finish(status_for(error))

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure a step: ``with task.step("extract"): …``. A step that repeats is summed up."""
        outer, self._step = self._step, name
        began_at = time.perf_counter()
        try:
            yield
            self._step = outer  # after an exception it names the step that failed
        finally:
            elapsed_ms = (time.perf_counter() - began_at) * 1000
            self.step_durations[name] = self.step_durations.get(name, 0.0) + elapsed_ms

    def progress(
        self, done: int | None = None, total: int | None = None, **counters: float
    ) -> None:
        """Tell how far the task is; call it as often as you like, it is sent once a second.

        Args:
            done: items done so far.
            total: items expected altogether, when that is known only now.
            counters: numbers to keep with the task, such as ``rejected=3``.
        """
        self._items = (
            self._items[0] if done is None else done,
            self._items[1] if total is None else total,
        )
        self.counters.update(counters)
        self._has_news = True
        if time.monotonic() - self._told_at >= _PROGRESS_INTERVAL:
            self._tell_progress()

    def count(self, **increments: float) -> None:
        """Add to counters of the task: ``task.count(succeeded=1)``. Sent as `progress` is."""
        totals = {name: self.counters.get(name, 0) + step for name, step in increments.items()}
        self.progress(**totals)  # type: ignore[arg-type]

    def heartbeat(self) -> bool:
        """Tell that the task is alive, at once. False when it is no longer running."""
        return self._tell_progress()

    def error(self, error: BaseException | str, message: str | None = None, **more: Any) -> None:
        """Record an error that happened in this task; see `MonitoringClient.record_error`."""
        if self._step is not None and "details" not in more:
            more["details"] = {"step": self._step}
        self._client.record_error(error, message, task_id=self.task_id, **more)

    def metric(
        self,
        name: str,
        value: float,
        unit: str | None = None,
        metric_type: str = "gauge",
        **more: Any,
    ) -> None:
        """Record a value measured in this task, as `record_performance_metric` does."""
        self._client.record_performance_metric(
            name, metric_type, value, unit, task_id=self.task_id, **more
        )

    def log(self, level: str, message: str, **more: Any) -> None:
        """Record a log line of this task; see `MonitoringClient.record_log`."""
        self._client.record_log(level, message, task_id=self.task_id, **more)

    def child(self, task_id: str, task_type: str, **more: Any) -> "TrackedTask":
        """Return a task that is a part of this one; see `MonitoringClient.task`."""
        return self._client.task(task_id, task_type, parent_task_id=self.task_id, **more)

    def _tell_progress(self) -> bool:
        self._told_at = time.monotonic()
        self._has_news = False
        done, total = self._items
        return self._client.update_task(
            self.task_id, items_done=done, items_total=total, counters=self.counters or None
        )

    def _finish(self, status: str) -> None:
        if self._has_news and self._items != (None, None):
            self._tell_progress()  # the end carries counters, but not the items done
        self._client.complete_task(
            self.task_id,
            status,
            output_size=self.output_size,
            step_durations=self.step_durations or None,
            counters=self.counters or None,
            metadata=self.metadata or None,
        )
