"""Calls that record thousands of things at once."""

from collections.abc import Iterable, Mapping
from typing import Any

from pgvigil.client.recording.recorder import Recorder
from pgvigil.client.recording.values import as_rows

Rows = Iterable[Mapping[str, Any]]


class BulkCalls(Recorder):
    """The methods of `MonitoringClient` that take many records in one call.

    Any collection will do, a generator too. Each is all or nothing: a refused row (its number,
    from 1, is in the message) refuses all.
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
        return self._tell_rows("tasks", "record_finished_tasks", tasks)

    def record_errors(self, errors: Rows) -> int | None:
        """Record errors, as mappings with the columns of ``error_tracking``.

        Args:
            errors: each with error_type, severity and message; task_id, component, details,
                stack, fingerprint, occurred_at and error_id where known.

        Returns:
            How many were new: an error with an error_id of its own is written once.
        """
        rows = self._with_component(errors)
        return self._tell_rows("errors", "record_errors", rows)

    def record_metrics(self, metrics: Rows) -> int | None:
        """Record measured values, as mappings with the columns of ``performance_monitoring``.

        Args:
            metrics: each with metric_name and value; metric_type, unit, component, tags, task_id,
                recorded_at and sample_id where known.

        Returns:
            How many were new: a value with a sample_id of its own is written once.
        """
        rows = self._with_component(metrics)
        return self._tell_rows("metrics", "record_metrics", rows)

    def record_logs(self, logs: Rows) -> int | None:
        """Record log lines, as mappings with the columns of ``v_application_logs``.

        Args:
            logs: each with level and message; component, details, task_id, duration_ms,
                logged_at and log_id where known.

        Returns:
            How many were new: a line with a log_id of its own is written once.
        """
        rows = self._with_component(logs, "python")
        return self._tell_rows("logs", "record_logs", rows)

    def _with_component(self, rows: Rows, otherwise: str | None = None) -> Any:
        """Return rows as `as_rows` does, with the client's component where they name none."""
        component = self.component or otherwise
        collected = as_rows(rows)
        if component is None or not isinstance(collected, list):
            return collected
        return [
            {**row, "component": component}
            if isinstance(row, Mapping) and not row.get("component")
            else row
            for row in collected
        ]
