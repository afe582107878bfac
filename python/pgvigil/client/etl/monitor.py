"""`ETLMonitor`: an ETL execution as a ``with`` block, or from call to call."""

import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pgvigil.client import TaskId
from pgvigil.client.etl.clients import Source, client_of
from pgvigil.client.etl.execution import ETLExecution
from pgvigil.client.etl.reading import read_value
from pgvigil.client.recording.arguments import UnfitError, fitted
from pgvigil.client.recording.place import place_of
from pgvigil.database.queries.etl import HEALTH, SUMMARY


class ETLMonitor:
    """Watches ETL executions through a `MonitoringClient`, which may be shared with others.

    As a ``with`` block it closes the connection at the end, unless the client was given to it.
    """

    def __init__(self, client: Source = None) -> None:
        """Make a monitor; nothing is opened yet.

        Args:
            client: what to record through, or a connection URI; when None, ``PGVIGIL_DSN`` or
                libpq's own environment.
        """
        self.client = client_of(client)
        self._is_own = client is None or isinstance(client, str)
        self._begun: dict[str, ETLExecution] = {}

    def __enter__(self) -> Self:
        """Return the monitor."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the context of what was begun, and close the connection if it is its own."""
        for execution in self._begun.values():
            execution.leave()
        self._begun.clear()
        if self._is_own:
            self.client.close()

    def execution(
        self,
        execution_id: str | None = None,
        *,
        config: Mapping[str, Any] | None = None,
        total_fixtures: int | None = None,
        total_chunks: int | None = None,
    ) -> ETLExecution:
        """Return an execution for a ``with`` block, which records its beginning and its end.

        Args:
            execution_id: your name for this run, unique when None; the same again is a new attempt.
            config: what it is started with.
            total_fixtures: items expected altogether.
            total_chunks: chunks expected altogether.
        """
        if execution_id is None:
            # No other run has this name: a later one makes up for it all the same.
            name = f"etl-{uuid.uuid4().hex[:12]}"
            config = {"work": Path(sys.argv[0]).stem or "etl"} | dict(config or {})
        else:
            name = str(execution_id)
        return ETLExecution(self.client, name, config, total_fixtures, total_chunks)

    def start_execution(
        self,
        execution_id: str | None = None,
        config: Mapping[str, Any] | None = None,
        total_fixtures: int | None = None,
        total_chunks: int | None = None,
    ) -> TaskId:
        """Tell that an execution has begun; until `finish_execution` this is the current one.

        Args:
            execution_id: your name for this run, unique when None; the same again is a new attempt.
            config: what it is started with.
            total_fixtures: items expected altogether.
            total_chunks: chunks expected altogether.

        Returns:
            Its name, for all that is told of it later.

        Raises:
            TypeError: the arguments are in another order, and ``on_error`` is ``raise``.
        """
        try:
            fitted("execution_id", execution_id)
        except UnfitError:
            return self.client.start_etl_execution(execution_id or "")  # which refuses it
        execution = self.execution(
            execution_id,
            config=config,
            total_fixtures=total_fixtures,
            total_chunks=total_chunks,
        ).begin()
        before = self._begun.get(execution.execution_id)
        if before is not None:
            before.leave()
        self._begun[execution.execution_id] = execution
        return execution.task_id if isinstance(execution.task_id, TaskId) else TaskId("")

    def finish_execution(
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
    ) -> bool | None:
        """Tell that an execution has ended, as `MonitoringClient.finish_etl_execution` does."""
        for name in (str(execution_id), str(status)):  # which may have changed places
            execution = self._begun.pop(name, None)
            if execution is not None:
                execution.leave()
        return self.client.finish_etl_execution(
            execution_id,
            status,
            total_fixtures,
            processed_fixtures,
            successful_fixtures,
            failed_fixtures,
            total_chunks,
            processed_chunks,
            error_message,
        )

    def log_event(
        self,
        level: str,
        component: str | None,
        message: str,
        details: Any = None,
        execution_id: str | None = None,
        chunk_id: str | None = None,
        fixture_id: str | None = None,
        duration_ms: float | None = None,
    ) -> int | None:
        """Record a log line, as `MonitoringClient.log_etl_event` does.

        Execution, chunk and fixture are those of the place where it is called, unless given.
        """
        place = place_of(execution_id)
        return self.client.log_etl_event(
            level,
            component,
            message,
            details,
            place.execution_id,
            place.chunk_id if chunk_id is None else chunk_id,
            place.fixture_id if fixture_id is None else fixture_id,
            duration_ms,
        )

    def record_metric(
        self,
        execution_id: str | None,
        metric_name: str,
        metric_value: float,
        metric_unit: str | None = None,
        tags: Mapping[str, Any] | None = None,
    ) -> int | None:
        """Record a measured value, as `MonitoringClient.record_etl_metric` does.

        The execution is that of the place where it is called when None.
        """
        return self.client.record_etl_metric(
            place_of(execution_id).execution_id, metric_name, metric_value, metric_unit, tags
        )

    def get_execution_summary(self, execution_id: str) -> dict[str, Any] | None:
        """Return what the database knows of the newest attempt of an execution.

        What this program has told before is waited for.

        Returns:
            What ``get_etl_execution_summary()`` does: status, duration, statistics, rates, chunks,
            errors; None when there is none of that name. When that is not known, its ``status`` is
            ``UNKNOWN`` and ``unknown_because`` says why.
        """
        summary, reason = read_value(self.client.dsn, SUMMARY, {"execution_id": str(execution_id)})
        if reason is not None:
            return {
                "execution_id": str(execution_id),
                "status": "UNKNOWN",
                "unknown_because": reason,
            }
        return summary

    def get_health_status(self) -> dict[str, Any]:
        """Return how ETL is doing, and how it did in the last 24 hours.

        What this program has told before is waited for.

        Returns:
            What ``get_etl_health_status()`` does: executions by status, means, the last execution,
            log lines by level, errors. When that is not known, there is only ``unknown_because``.
        """
        health, reason = read_value(self.client.dsn, HEALTH, {})
        return {"unknown_because": reason} if reason is not None else health or {}
