"""Calls that record thousands of things at once."""

from collections.abc import Mapping, Sequence
from typing import Any

from pgvigil.recording.recorder import Recorder

Rows = Sequence[Mapping[str, Any]]


class BulkCalls(Recorder):
    """The methods of `MonitoringClient` that take many records in one call.

    Each is all or nothing: a refused row (its number, from 1, is in the message) refuses all.
    """

    def record_finished_tasks(self, tasks: Rows) -> int | None:
        """Record tasks that have ended, as mappings with the columns of ``processing_metrics``.

        Args:
            tasks: each with task_id, task_type and end_time; status, start_time, attempt,
                input_size, output_size, items_done, items_total, worker_id, parent_task_id,
                step_durations, counters and metadata where known.

        Returns:
            How many were new: the same task_id, attempt and end_time again is passed over.
        """
        return self._number("record_finished_tasks", at_stake=len(tasks), tasks=tasks)

    def record_errors(self, errors: Rows) -> int | None:
        """Record errors, as mappings with the columns of ``error_tracking``.

        Args:
            errors: each with error_type, severity and message; task_id, component, details,
                stack, fingerprint, occurred_at and error_id where known.

        Returns:
            How many were new: an error with an error_id of its own is written once.
        """
        return self._number(
            "record_errors", at_stake=len(errors), errors=self._with_component(errors)
        )

    def record_metrics(self, metrics: Rows) -> int | None:
        """Record measured values, as mappings with the columns of ``performance_monitoring``.

        Args:
            metrics: each with metric_name and value; metric_type, unit, component, tags, task_id,
                recorded_at and sample_id where known.

        Returns:
            How many were new: a value with a sample_id of its own is written once.
        """
        return self._number(
            "record_metrics", at_stake=len(metrics), metrics=self._with_component(metrics)
        )

    def record_logs(self, logs: Rows) -> int | None:
        """Record log lines, as mappings with the columns of ``application_logs``.

        Args:
            logs: each with level and message; component, details, task_id, duration_ms,
                logged_at and log_id where known.

        Returns:
            How many were new: a line with a log_id of its own is written once.
        """
        return self._number(
            "record_logs", at_stake=len(logs), logs=self._with_component(logs, "python")
        )

    def _with_component(self, rows: Rows, otherwise: str | None = None) -> Rows:
        """Give rows the client's component, where they name none."""
        component = self.component or otherwise
        if component is None:
            return rows
        return [row if row.get("component") else {**row, "component": component} for row in rows]
