"""Calls about tasks: beginning, progress, end."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pgvigil.client.recording.recorder import Recorder


class TaskCalls(Recorder):
    """The methods of `MonitoringClient` that tell about tasks one call at a time."""

    def start_task(
        self,
        task_id: str,
        task_type: str,
        *,
        input_size: int | None = None,
        worker_id: str | None = None,
        parent_task_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        items_total: int | None = None,
        started_at: datetime | None = None,
    ) -> int | None:
        """Tell that a task has begun.

        Args:
            task_id: your name for this run, at most 255 characters.
            task_type: what kind of work it is.
            input_size: size of the input, in any unit of your own, usually bytes.
            worker_id: who works on it; the client's `worker_id` when None.
            parent_task_id: task that this one is a part of.
            metadata: whatever you want to find again.
            items_total: items expected altogether.
            started_at: when it began; now when None.

        Returns:
            The number of the attempt: 1, or one more for each restart since the last success.
        """
        attempt = self._number(
            "start_task_tracking",
            task_id=task_id,
            task_type=task_type,
            input_size=input_size,
            worker_id=worker_id or self.worker_id,
            parent_task_id=parent_task_id,
            metadata=metadata,
            items_total=items_total,
            started_at=started_at,
        )
        return self._started(task_id, attempt)

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
            task_id: the name it was started with.
            items_done: items done so far.
            items_total: items expected altogether.
            counters: numbers by name, none negative; merged with those told before.
            at: when that was; now when None.
            attempt: which attempt it is; the one that this client started last when None.

        Returns:
            Whether the task is running; None where the database could not be asked.
        """
        answer = self._call(
            "update_task_progress",
            at_stake=0,  # the next one makes up for it
            task_id=task_id,
            items_done=items_done,
            items_total=items_total,
            counters=counters,
            at=at,
            attempt=self._attempts.get(str(task_id)) if attempt is None else attempt,
        )
        return None if answer is None else bool(answer)

    def heartbeat(self, task_id: str) -> bool | None:
        """Tell that a running task is alive; see `update_task`."""
        return self.update_task(task_id)

    def complete_task(
        self,
        task_id: str,
        status: str = "completed",
        *,
        output_size: int | None = None,
        step_durations: Mapping[str, float] | None = None,
        counters: Mapping[str, float] | None = None,
        metadata: Mapping[str, Any] | None = None,
        finished_at: datetime | None = None,
        attempt: int | None = None,
    ) -> bool | None:
        """Tell that a task has ended.

        Args:
            task_id: the name it was started with.
            status: completed, failed, cancelled, timeout or lost.
            output_size: size of the output, in any unit of your own.
            step_durations: milliseconds by step.
            counters: numbers by name; merged with those told before.
            metadata: merged with what was told at the start.
            finished_at: when it ended; now when None.
            attempt: which attempt it is; the one that this client started last when None.

        Returns:
            Whether the task was running; None where the database could not be asked.
        """
        answer = self._call(
            "complete_task_tracking",
            task_id=task_id,
            status=status,
            output_size=output_size,
            step_durations=step_durations,
            counters=counters,
            metadata=metadata,
            finished_at=finished_at,
            attempt=self._attempts.get(str(task_id)) if attempt is None else attempt,
        )
        if answer is not None:
            self._attempts.pop(str(task_id), None)
        return None if answer is None else bool(answer)
