"""Tasks as blocks and decorated functions, on top of the calls that tell of them."""

from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar, Unpack

from pgvigil.client.recording.all_calls import AllCalls
from pgvigil.client.recording.decorating import decorated, name_of
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

    _task_type: type[TrackedTask] = TrackedTask

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
        return self._task_type(self, task_type, task_id, severity, **options)

    def tracked(
        self,
        task_type: str,
        *,
        task_id: Callable[..., str] | None = None,
        severity: str = "high",
        **options: Unpack[TaskOptions],
    ) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
        """Return a decorator that makes every run of a function a task.

        The function may be a coroutine, a generator or an asynchronous generator as well. The run
        of a generator lasts from its first value to its end; one that is closed before is
        cancelled.

        Args:
            task_type: what kind of work it is.
            task_id: makes the name of a run from the function's arguments; when None it is the
                function's name and a unique suffix.
            severity: as for `task`.
            options: as for `task`.
        """

        def decorate(function: Callable[_P, _R]) -> Callable[_P, _R]:
            work = name_of(function)

            def new_task(*args: Any, **kwargs: Any) -> TrackedTask:
                name = None if task_id is None else self._name_of_run(task_id, args, kwargs)
                chosen = options
                if name is None:
                    name, stated = own_name(work, options.get("metadata"))
                    chosen = TaskOptions(**{**options, "metadata": stated})
                return self._task_type(self, task_type, name, severity, **chosen)

            return decorated(function, new_task)

        return decorate

    def _name_of_run(
        self, task_id: Callable[..., str], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> str | None:
        """Return the name that a program makes of the arguments of a call; None when it cannot."""
        try:
            return task_id(*args, **kwargs)
        except Exception as error:
            self._refused(0, "tracked", error)
            return None

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
