"""Calls about ETL: executions, log lines and metrics; `pgvigil.client.etl` is made of them.

Their arguments are in the order of the SQL functions.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pgvigil.client.recording.recorder import Recorder, TaskId

_LEVELS = frozenset({"DEBUG", "INFO", "WARN", "WARNING", "ERROR", "FATAL", "CRITICAL"})


class EtlCalls(Recorder):
    """The methods of `MonitoringClient` that tell about ETL one call at a time."""

    def start_etl_execution(
        self,
        execution_id: str,
        config: Mapping[str, Any] | None = None,
        total_fixtures: int | None = None,
        total_chunks: int | None = None,
        *,
        worker_id: str | None = None,
        started_at: datetime | None = None,
    ) -> TaskId:
        """Tell that an ETL execution has begun, which is a task of type ``etl``.

        Args:
            execution_id: your name for this run, at most 255 characters.
            config: what it was started with.
            total_fixtures: items expected altogether.
            total_chunks: chunks expected altogether.
            worker_id: who works on it; the client's `worker_id` when None.
            started_at: when it began; now when None.

        Returns:
            Its name, for all that is told of it later. It knows the number of its attempt: 1, or
            one more for each restart since the last success.
        """
        return self._begin(
            "start_etl_execution",
            "execution_id",
            execution_id,
            config=config,
            total_fixtures=total_fixtures,
            total_chunks=total_chunks,
            worker_id=worker_id or self.worker_id,
            started_at=started_at,
        )

    def finish_etl_execution(
        self,
        execution_id: str,
        status: str = "COMPLETED",
        total_fixtures: int | None = None,
        processed_fixtures: int | None = None,
        successful_fixtures: int | None = None,
        failed_fixtures: int | None = None,
        total_chunks: int | None = None,
        processed_chunks: int | None = None,
        error_message: str | None = None,
        *,
        finished_at: datetime | None = None,
        attempt: int | None = None,
    ) -> bool | None:
        """Tell that an ETL execution has ended.

        Args:
            execution_id: the name it was started with.
            status: COMPLETED, FAILED, CANCELLED or TIMEOUT, in any case.
            total_fixtures: items expected altogether.
            processed_fixtures: items done, well or not.
            successful_fixtures: items done well.
            failed_fixtures: items that failed.
            total_chunks: chunks expected altogether.
            processed_chunks: chunks done.
            error_message: why it failed; recorded as an error of the execution too.
            finished_at: when it ended; now when None.
            attempt: which attempt it is; the one that this client started last when None.

        Returns:
            False where the database has said that it did not run; None where it has said nothing
            yet.
        """
        return self._finish(
            "finish_etl_execution",
            "execution_id",
            execution_id,
            status=status,
            total_fixtures=total_fixtures,
            processed_fixtures=processed_fixtures,
            successful_fixtures=successful_fixtures,
            failed_fixtures=failed_fixtures,
            total_chunks=total_chunks,
            processed_chunks=processed_chunks,
            error_message=error_message,
            finished_at=finished_at,
            attempt=attempt,
        )

    def log_etl_event(
        self,
        level: str,
        component: str | None,
        message: str,
        details: Any = None,
        execution_id: str | None = None,
        chunk_id: str | None = None,
        fixture_id: str | None = None,
        duration_ms: float | None = None,
        *,
        logged_at: datetime | None = None,
    ) -> int | None:
        """Record a log line of ETL; at level ERROR and above it is recorded as an error too.

        Args:
            level: DEBUG, INFO, WARNING, ERROR or CRITICAL, in any case.
            component: who says it; the client's `component`, else ``etl``, when None.
            message: what there is to say.
            details: anything JSON can hold.
            execution_id: execution that it is said in.
            chunk_id: chunk of the execution.
            fixture_id: item that it is said of.
            duration_ms: milliseconds that the told operation took.
            logged_at: when it was said; now when None.

        Returns:
            The line's number where the call waits for the database; else None.

        Raises:
            TypeError: the arguments are in another order, and ``on_error`` is ``raise``.
        """
        if not _is_level(level) and (_is_level(component) or _is_level(message)):
            order = "the order is level, component, message"
            why = f"level is DEBUG, INFO, WARNING, ERROR or CRITICAL, not {level!r}: {order}"
            self._refused(1, "log_etl_event", TypeError(why))
            return None
        return self._tell(
            "log_etl_event",
            level=level,
            component=component or self.component or "etl",
            message=message,
            details=details,
            execution_id=execution_id,
            chunk_id=chunk_id,
            fixture_id=fixture_id,
            duration_ms=duration_ms,
            logged_at=logged_at,
        )

    def record_etl_metric(
        self,
        execution_id: str | None,
        metric_name: str,
        metric_value: float,
        metric_unit: str | None = None,
        tags: Mapping[str, Any] | None = None,
        *,
        metric_type: str = "gauge",
        component: str | None = None,
        recorded_at: datetime | None = None,
    ) -> int | None:
        """Record a value measured in an ETL execution.

        Args:
            execution_id: which one; None for a value of none.
            metric_name: what was measured.
            metric_value: the value, finite.
            metric_unit: unit of the value, such as ``ms`` or ``rows/s``.
            tags: labels by name.
            metric_type: gauge, counter, timer or a word of your own.
            component: where it was measured; the client's `component`, else ``etl``, when None.
            recorded_at: when it was measured; now when None.

        Returns:
            The sample's number where the call waits for the database; else None.
        """
        return self._tell(
            "record_etl_metric",
            execution_id=execution_id,
            metric_name=metric_name,
            value=metric_value,
            unit=metric_unit,
            tags=tags,
            metric_type=metric_type,
            component=component or self.component or "etl",
            recorded_at=recorded_at,
        )


def _is_level(value: object) -> bool:
    return isinstance(value, str) and value.upper() in _LEVELS
