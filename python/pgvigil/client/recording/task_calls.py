"""Calls about tasks: beginning, progress, end."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pgvigil.client.recording.arguments import UnfitError, fitted
from pgvigil.client.recording.recorder import Recorder, TaskId, own_name


class TaskCalls(Recorder):
    """The methods of `MonitoringClient` that tell about tasks one call at a time."""

    def start_task(
        self,
        task_type: str,
        input_size: float | None = None,
        worker_id: str | None = None,
        *,
        task_id: str | None = None,
        parent_task_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        items_total: int | None = None,
        started_at: datetime | None = None,
    ) -> TaskId:
        """Tell that a task has begun.

        Args:
            task_type: what kind of work it is; statistics go by it.
            input_size: size of the input, in any unit of your own, usually bytes.
            worker_id: who works on it; the client's `worker_id` when None.
            task_id: your name for this run, at most 255 characters; the same name again is a new
                attempt. Unique when None.
            parent_task_id: task that this one is a part of.
            metadata: whatever you want to find again.
            items_total: items expected altogether.
            started_at: when it began; now when None.

        Returns:
            The task's name, for all that is told of it later. It knows the number of its
            attempt: 1, or one more for each restart since the last success.

        Raises:
            TypeError: the size is no number, as when the arguments are in another order, and
                ``on_error`` is ``raise``.
        """
        if not _is_size(input_size):
            return self._refused_order(
                f"input_size is a number, not {input_size!r}: give the type of the task first, "
                "and your name for it as task_id=…",
            )
        if task_id is None:
            task_id, metadata = own_name(task_type, metadata)
        return self._begin(
            "start_task_tracking",
            "task_id",
            task_id,
            task_type=task_type,
            input_size=input_size,
            worker_id=worker_id or self.worker_id,
            parent_task_id=parent_task_id,
            metadata=metadata,
            items_total=items_total,
            started_at=started_at,
        )

    def update_task(
        self,
        task_id: str,
        *,
        items_done: int | None = None,
        items_total: int | None = None,
        counters: Mapping[str, float] | None = None,
        at: datetime | None = None,
        attempt: int | None = None,
    ) -> bool | None:
        """Tell how far a running task is; without numbers it is a heartbeat.

        Args:
            task_id: what `start_task` returned, or its name.
            items_done: items done so far.
            items_total: items expected altogether.
            counters: numbers by name, none negative; merged with those told before.
            at: when that was; now when None.
            attempt: which attempt it is; the one that this client started last when None.

        Returns:
            False once the database has said that the task does not run; None where it has said
            nothing yet.
        """
        return self._update(
            task_id,
            attempt,
            items_done=items_done,
            items_total=items_total,
            counters=counters,
            at=at,
        )

    def heartbeat(self, task_id: str) -> bool | None:
        """Tell that a running task is alive; see `update_task`."""
        return self.update_task(task_id)

    def complete_task(
        self,
        task_id: str,
        status: str = "completed",
        *,
        output_size: float | None = None,
        step_durations: Mapping[str, float] | None = None,
        counters: Mapping[str, float] | None = None,
        metadata: Mapping[str, Any] | None = None,
        finished_at: datetime | None = None,
        attempt: int | None = None,
    ) -> bool | None:
        """Tell that a task has ended.

        Args:
            task_id: what `start_task` returned, or its name.
            status: completed, failed, cancelled, timeout or lost.
            output_size: size of the output, in any unit of your own.
            step_durations: milliseconds by step.
            counters: numbers by name; merged with those told before.
            metadata: merged with what was told at the start.
            finished_at: when it ended; now when None.
            attempt: which attempt it is; the one that this client started last when None.

        Returns:
            False where the database has said that the task did not run; None where it has said
            nothing yet.
        """
        return self._finish(
            "complete_task_tracking",
            "task_id",
            task_id,
            status=status,
            output_size=output_size,
            step_durations=step_durations,
            counters=counters,
            metadata=metadata,
            finished_at=finished_at,
            attempt=attempt,
        )

    def _refused_order(self, why: str) -> TaskId:
        """Refuse a start whose arguments are in another order: it would record nonsense."""
        self._refused(1, "start_task", UnfitError(why))
        return self._refused_name()


def _is_size(value: object) -> bool:
    try:
        fitted("input_size", value)
    except UnfitError:
        # What is neither number nor text is no name that came to the wrong place.
        return not isinstance(value, str | bytes)
    return True
