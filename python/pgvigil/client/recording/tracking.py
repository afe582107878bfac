"""Tasks as blocks and decorated functions, on top of the calls that tell of them."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar, Unpack

from pgvigil.client.recording.all_calls import AllCalls
from pgvigil.client.recording.run_names import own_name
from pgvigil.client.recording.task import (
    ErrorOptions,
    TaskOptions,
    TrackedTask,
    status_for,
    told_of,
)

_P = ParamSpec("_P")
_R = TypeVar("_R")


class TrackingCalls(AllCalls):
    """All that can be recorded, and tasks that record their beginning and end by themselves."""

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
            task_id, status_for(error) if isinstance(error, BaseException) else "failed"
        )
