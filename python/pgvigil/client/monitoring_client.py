"""`MonitoringClient`: records what a Python program does, without ever breaking or slowing it."""

import functools
import inspect
import uuid
from collections.abc import Callable
from types import TracebackType
from typing import ParamSpec, Self, TypeVar, Unpack

from pgvigil.client.recording.all_calls import AllCalls
from pgvigil.client.recording.task import (
    ErrorOptions,
    TaskOptions,
    TrackedTask,
    current_task,
    status_for,
)

__all__ = ["MonitoringClient", "TrackedTask", "current_task"]

_P = ParamSpec("_P")
_R = TypeVar("_R")


class MonitoringClient(AllCalls):
    """Records tasks, errors, metrics, logs, health, queues, ETL and what becomes of business rows.

    It has a connection of its own, so what is recorded stays when the program rolls back. One
    client may be shared by all threads; it opens its connection when first used, reopens it after
    a loss and after a fork. While the database is away, calls come back at once and what they
    would have recorded is counted in `dropped` and told, at most once a minute, to the logger
    ``pgvigil``.

    Times without a zone are local times. Wherever a method returns None (or False, for the two
    about running tasks), nothing was recorded.
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
        """Close the connection."""
        self.close()

    def task(
        self, task_id: str, task_type: str, severity: str = "high", **options: Unpack[TaskOptions]
    ) -> TrackedTask:
        """Return a task for a ``with`` block, which records its beginning and its end.

        Args:
            task_id: your name for this run; the same name again is a new attempt.
            task_type: what kind of work it is; statistics go by it.
            severity: of the error that is recorded when an exception ends it.
            options: input_size, worker_id, parent_task_id, metadata and items_total, as for
                `start_task`.
        """
        return TrackedTask(self, task_id, task_type, severity, **options)

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
                    name = f"{function.__qualname__}-{uuid.uuid4().hex[:12]}"
                    # No other run has this name: what it does is the function.
                    stated = {"work": function.__qualname__} | dict(options.get("metadata") or {})
                    chosen = TaskOptions(**{**options, "metadata": stated})
                else:
                    name = task_id(*args, **kwargs)
                with self.task(name, task_type, severity, **chosen):
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
        """Record an error (as `record_error` does) and end its task as failed, or as timeout.

        Returns:
            Whether the task was running; None where the database could not be asked.
        """
        self.record_error(error, message, task_id=task_id, **options)
        status = "failed" if isinstance(error, str) else status_for(error)
        return self.complete_task(task_id, status)
