"""A task under watch: from ``with monitor.task(…)`` to its end, whichever way it ends."""

import subprocess
import sys
import time
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import datetime
from types import TracebackType
from typing import Any, ClassVar, Self, TypedDict, Unpack

from pgvigil.client.recording.all_calls import AllCalls
from pgvigil.client.recording.answers import collected
from pgvigil.client.recording.run_names import TaskId, own_name

_PROGRESS_INTERVAL = 1.0
_current_task: ContextVar["TrackedTask | None"] = ContextVar("pgvigil_current_task", default=None)
_current_step: ContextVar["Step | None"] = ContextVar("pgvigil_current_step", default=None)


class TaskOptions(TypedDict, total=False):
    """What may be said of a task at its start; see `MonitoringClient.start_task`."""

    input_size: float | None
    worker_id: str | None
    parent_task_id: str | None
    metadata: Mapping[str, Any] | None
    items_total: int | None


class ErrorOptions(TypedDict, total=False):
    """What may be said of an error; see `MonitoringClient.record_error`."""

    severity: str
    component: str | None
    details: Any
    stack: str | None
    fingerprint: str | None
    occurred_at: datetime | None


def told_of(options: ErrorOptions) -> dict[str, Any]:
    """Return what `MonitoringClient.record_error` is to be told of an error."""
    return {"severity": "medium", **options}


def current_task() -> "TrackedTask | None":
    """Return the innermost task that runs in this thread or context, or None."""
    task = _current_task.get()
    while task is not None and task.has_ended:  # such as where it has left something running
        task = task._outer
    return task


class Inside:
    """What is current inside a generator, kept apart from what is current where it is used.

    A generator shares the context of whoever asks it for its next value, so that whatever is
    current in it would stay so outside, between one value and the next.
    """

    kept: ClassVar[list[ContextVar[Any]]] = [_current_task, _current_step]
    """What is kept apart; each has a default."""

    def __init__(self) -> None:
        """Begin with what is current here."""
        self._inside = self._outside = [variable.get() for variable in self.kept]

    def __enter__(self) -> None:
        """Go inside."""
        self._outside = self._exchanged(self._inside)

    def __exit__(self, *_: object) -> None:
        """Go outside."""
        self._inside = self._exchanged(self._outside)

    def _exchanged(self, wanted: list[Any]) -> list[Any]:
        present = [variable.get() for variable in self.kept]
        for variable, value in zip(self.kept, wanted, strict=False):
            variable.set(value)
        return present


class Step:
    """A part of a task, for a ``with`` or ``async with`` block that is measured."""

    def __init__(self, task: "TrackedTask", name: str) -> None:
        """Describe it; it begins when the block is entered."""
        self.task = task
        self.name = name
        self._outer: Step | None = None
        self._began_at = 0.0

    def __enter__(self) -> None:
        """Begin to measure."""
        self._outer = _current_step.get()
        _current_step.set(self)
        self.task._failure = None
        self._began_at = time.perf_counter()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Add how long it took; an exception goes on unchanged."""
        elapsed_ms = (time.perf_counter() - self._began_at) * 1000
        durations = self.task.step_durations
        durations[self.name] = durations.get(self.name, 0.0) + elapsed_ms
        if error is not None:
            self.task._note_failure(error, self.name)
        if _current_step.get() is self:
            _current_step.set(self._outer)

    async def __aenter__(self) -> None:
        """Begin to measure."""
        self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Add how long it took; an exception goes on unchanged."""
        self.__exit__(kind, error, trace)


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
        client: AllCalls,
        task_type: str,
        task_id: str | None = None,
        severity: str = "high",
        **options: Unpack[TaskOptions],
    ) -> None:
        """Describe a task; it starts when the ``with`` block is entered."""
        if task_id is None:
            task_id, options["metadata"] = own_name(task_type, options.get("metadata"))
        self.task_id: str = task_id
        """Its name; from the start on a `TaskId`."""
        self.task_type = task_type
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
        self._options = options
        self._severity = severity
        self._failure: tuple[BaseException, str] | None = None
        self._items: tuple[int | None, int | None] = (None, None)
        self._told_at = float("-inf")
        self._has_news = False
        self.has_ended = False
        """Whether its block has been left."""
        self._outer: TrackedTask | None = None

    @property
    def attempt(self) -> int | None:
        """Number of the attempt; None for as long as the database has not told it."""
        return self.task_id.attempt if isinstance(self.task_id, TaskId) else None

    def __enter__(self) -> Self:
        """Tell that the task has begun."""
        self.task_id = self._start()
        self.has_ended = False
        self.become_current()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Tell how the task has ended; an exception goes on unchanged."""
        self.has_ended = True
        self.step_aside()
        if error is None:
            self._finish(self.status or "completed")
            return
        # What fails in here must not take the place of the exception that is passing.
        with self._client.never_raising():
            if isinstance(error, Exception):
                self.error(error, severity=self._severity)
            self._failure = None
            self._finish(status_for(error))

    async def __aenter__(self) -> Self:
        """Tell that the task has begun, as ``with`` does."""
        with collected() as answers:
            self.__enter__()
        try:
            for answer in answers:
                await answer
        except BaseException:
            self.has_ended = True
            self.step_aside()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Tell how the task has ended, as ``with`` does; an exception goes on unchanged."""
        with collected() as answers:
            self.__exit__(kind, error, trace)
        if isinstance(error, GeneratorExit):
            return  # a coroutine that is closed may not wait
        for answer in answers:
            await answer

    def become_current(self) -> None:
        """Be what `current_task` returns."""
        self._outer = _current_task.get()
        _current_task.set(self)

    def step_aside(self) -> None:
        """Have `current_task` return what it did before, unless it is another one by now."""
        if _current_task.get() is self:
            _current_task.set(self._outer)

    def step(self, name: str) -> Step:
        """Measure a step: ``with task.step("extract"): …``. A step that repeats is summed up."""
        return Step(self, name)

    def progress(
        self, /, done: int | None = None, total: int | None = None, **counters: float
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

    def count(self, /, **increments: float) -> None:
        """Add to counters of the task: ``task.count(succeeded=1)``. Sent as `progress` is."""
        totals = {name: self.counters.get(name, 0) + step for name, step in increments.items()}
        self.progress(None, None, **totals)

    def heartbeat(self) -> bool | None:
        """Tell that the task is alive, at once.

        Returns:
            False once the database has said that it does not run; None where it has said nothing
            yet, which is no reason to stop.
        """
        return self._tell_progress()

    def error(
        self,
        error: BaseException | str,
        message: str | None = None,
        **options: Unpack[ErrorOptions],
    ) -> None:
        """Record an error that happened in this task, as `record_error` does."""
        step = self._step_of(error)
        if step is not None:
            options.setdefault("details", {"step": step})
        if isinstance(error, BaseException):
            self._client.record_exception(error, task_id=self.task_id, **options)
            return
        self._client.record_error(self.task_id, error, message=message or "", **told_of(options))

    def metric(
        self,
        name: str,
        value: float,
        unit: str | None = None,
        metric_type: str = "gauge",
        tags: Mapping[str, Any] | None = None,
    ) -> None:
        """Record a value measured in this task, as `record_performance_metric` does."""
        self._client.record_performance_metric(
            name, metric_type, value, unit, tags=tags, task_id=self.task_id
        )

    def log(
        self, level: str, message: str, details: Any = None, duration_ms: float | None = None
    ) -> None:
        """Record a log line of this task, as `record_log` does."""
        self._client.record_log(
            level, message, details=details, task_id=self.task_id, duration_ms=duration_ms
        )

    def child(
        self,
        task_type: str,
        *,
        task_id: str | None = None,
        severity: str = "high",
        **options: Unpack[TaskOptions],
    ) -> "TrackedTask":
        """Return a task that is a part of this one, as `MonitoringClient.task` does."""
        options["parent_task_id"] = self.task_id
        return TrackedTask(self._client, task_type, task_id, severity, **options)

    def _note_failure(self, error: BaseException, step: str) -> None:
        """Note the step that an exception has left first."""
        if self._failure is None or self._failure[0] is not error:
            self._failure = error, step

    def _step_of(self, error: BaseException | str) -> str | None:
        """Return the step that an error happened in: that which failed, or that which runs."""
        if self._failure is not None:
            failed, name = self._failure
            if failed is error or failed is sys.exc_info()[1]:
                return name
        step = _current_step.get()
        return step.name if step is not None and step.task is self else None

    def _start(self) -> TaskId:
        return self._client.start_task(self.task_type, task_id=self.task_id, **self._options)

    def _tell_progress(self) -> bool | None:
        self._told_at = time.monotonic()
        self._has_news = False
        done, total = self._items
        return self._client.update_task(
            self.task_id,
            items_done=done,
            items_total=total,
            counters=self.counters or None,
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
