"""`MonitoringClient`: records what a Python program does, without ever breaking or slowing it."""

import functools
import inspect
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar, Unpack

from pgvigil.client.recording.all_calls import AllCalls
from pgvigil.client.recording.recorder import TaskId, own_name
from pgvigil.client.recording.task import (
    ErrorOptions,
    TaskOptions,
    TrackedTask,
    current_task,
    status_for,
    told_of,
)

__all__ = ["MonitoringClient", "TaskId", "TrackedTask", "current_task"]

_P = ParamSpec("_P")
_R = TypeVar("_R")


class MonitoringClient(AllCalls):
    """Records tasks, errors, metrics, logs, health, queues, ETL and what becomes of business rows.

    Calls return at once; a thread sends what they say, half a second later at most, over a
    connection of its own, so that it stays when the program rolls back. While the database is away
    records wait in memory and on disk. One client may be shared by all threads; a child process
    begins anew. What is lost all the same is counted in `dropped`, told to the database when it is
    back, and to the logger ``pgvigil`` at most once a minute.

    Times without a zone are local times.
    """

    def __enter__(self) -> Self:
        """Return the client; `close` is called at the end."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Send what waits, and close the connections."""
        self.close()

    def task(
        self,
        task_type: str,
        input_size: float | None = None,
        worker_id: str | None = None,
        *,
        task_id: str | None = None,
        severity: str = "high",
        parent_task_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        items_total: int | None = None,
    ) -> TrackedTask:
        """Return a task for a ``with`` block, which records its beginning and its end.

        Args:
            task_type: what kind of work it is; statistics go by it.
            input_size: size of the input, in any unit of your own, usually bytes.
            worker_id: who works on it; the client's `worker_id` when None.
            task_id: your name for this run; the same name again is a new attempt. Unique when
                None.
            severity: of the error that is recorded when an exception ends it.
            parent_task_id: task that this one is a part of.
            metadata: whatever you want to find again.
            items_total: items expected altogether.
        """
        options = TaskOptions(
            input_size=input_size,
            worker_id=worker_id,
            parent_task_id=parent_task_id,
            metadata=metadata,
            items_total=items_total,
        )
        return TrackedTask(self, task_type, task_id, severity, **options)

    def tracked(
        self,
        task_type: str,
        *,
        task_id: Callable[..., str] | None = None,
        severity: str = "high",
        **options: Unpack[TaskOptions],
    ) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
        """Return a decorator that makes every call of a function a task.

        Args:
            task_type: what kind of work it is.
            task_id: makes the name of a run from the function's arguments; when None it is the
                function's name and a unique suffix.
            severity: as for `task`.
            options: as for `task`.

        Raises:
            TypeError: the function is a coroutine or a generator, whose call is not its run.
        """

        def decorate(function: Callable[_P, _R]) -> Callable[_P, _R]:
            if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
                raise TypeError(f"tracked() takes plain functions, and {function!r} is not one")

            @functools.wraps(function)
            def run(*args: _P.args, **kwargs: _P.kwargs) -> _R:
                chosen = options
                if task_id is None:
                    name, stated = own_name(function.__qualname__, options.get("metadata"))
                    chosen = TaskOptions(**{**options, "metadata": stated})
                else:
                    name = task_id(*args, **kwargs)
                with TrackedTask(self, task_type, name, severity, **chosen):
                    return function(*args, **kwargs)

            return run

        return decorate

    def fail_task(
        self,
        task_id: str,
        error: BaseException | str,
        message: str | None = None,
        **options: Unpack[ErrorOptions],
    ) -> bool | None:
        """Record an error or an exception, and end its task as failed, or as timeout.

        Returns:
            As `complete_task`.
        """
        if isinstance(error, str):
            self.record_error(task_id, error, message=message or "", **told_of(options))
        else:
            self.record_exception(error, task_id=task_id, **options)
        return self.complete_task(
            task_id, "failed" if isinstance(error, str) else status_for(error)
        )
