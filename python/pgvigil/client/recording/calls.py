"""Calls about errors, metrics, log lines, health and queues."""

import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pgvigil.client.recording.arguments import UnfitError, text_of
from pgvigil.client.recording.recorder import Recorder
from pgvigil.client.recording.told_exceptions import leaves, told


class RecordingCalls(Recorder):
    """The methods of `MonitoringClient` that record one thing each."""

    def record_error(
        self,
        task_id: str | None,
        error_type: str,
        severity: str,
        message: str,
        component: str | None = None,
        *,
        details: Any = None,
        stack: str | None = None,
        fingerprint: str | None = None,
        occurred_at: datetime | None = None,
    ) -> int | None:
        """Record an error.

        Args:
            task_id: task that it happened in; None for none.
            error_type: what kind of error it is.
            severity: low, medium, high or critical.
            message: what happened.
            component: where it comes from; the client's `component` when None.
            details: anything JSON can hold.
            stack: stack trace.
            fingerprint: name of the error group; computed from type and message when None.
            occurred_at: when it happened; now when None.

        Returns:
            The error's number where the call waits for the database; else None.

        Raises:
            TypeError: an exception is given where a text belongs, which `record_exception` takes,
                and ``on_error`` is ``raise``.
        """
        for given in (task_id, error_type):
            if isinstance(given, BaseException):
                why = "record_error() takes texts: record_exception() takes an exception"
                self._repaired("record_error", "the exception", UnfitError(why))
                return self.record_exception(given)
        return self._tell(
            "record_error",
            task_id=task_id,
            error_type=error_type,
            severity=severity,
            message=message,
            component=component or self.component,
            details=details,
            stack=stack,
            fingerprint=fingerprint,
            occurred_at=occurred_at,
        )

    def record_exception(
        self,
        error: BaseException | None,
        *,
        severity: str = "medium",
        component: str | None = None,
        task_id: str | None = None,
        details: Any = None,
        stack: str | None = None,
        fingerprint: str | None = None,
        occurred_at: datetime | None = None,
    ) -> int | None:
        """Record an exception with its type, message and stack.

        What a database driver says of the row and the statement goes to the details. Of an
        exception group each exception is recorded, of many the first 20.

        Args:
            error: which one; None for the one that is being handled.
            severity: low, medium, high or critical.
            component: where it comes from; the client's `component` when None.
            task_id: task that it happened in.
            details: anything JSON can hold.
            stack: stack trace; the exception's own when None.
            fingerprint: name of the error group; computed from type and message when None.
            occurred_at: when it happened; now when None.

        Returns:
            The error's number where the call waits for the database, of several that of the first;
            else None.

        Raises:
            TypeError: it is no exception, and ``on_error`` is ``raise``.
        """
        if not isinstance(error, BaseException):
            error = self._exception_for(error)
            if error is None:
                return None
        numbers = []
        for leaf, about in leaves(error):
            what = told(leaf)
            known = about | what.details
            numbers.append(
                self.record_error(
                    task_id,
                    what.error_type,
                    severity,
                    what.message,
                    component,
                    details=_with_details(known, details),
                    stack=what.stack if stack is None else stack,
                    fingerprint=fingerprint,
                    occurred_at=occurred_at,
                )
            )
        return numbers[0]

    def record_performance_metric(
        self,
        metric_name: str,
        metric_type: str,
        value: float,
        unit: str | None = None,
        component: str | None = None,
        *,
        tags: Mapping[str, Any] | None = None,
        task_id: str | None = None,
        recorded_at: datetime | None = None,
    ) -> int | None:
        """Record a measured value.

        Args:
            metric_name: what was measured.
            metric_type: gauge, counter, timer or a word of your own.
            value: the value, finite.
            unit: unit of the value, such as ``ms`` or ``rows/s``.
            component: where it was measured; the client's `component` when None.
            tags: labels by name.
            task_id: task that it was measured in.
            recorded_at: when it was measured; now when None.

        Returns:
            The sample's number where the call waits for the database; else None.
        """
        return self._tell(
            "record_performance_metric",
            metric_name=metric_name,
            metric_type=metric_type,
            value=value,
            unit=unit,
            component=component or self.component,
            tags=tags,
            task_id=task_id,
            recorded_at=recorded_at,
        )

    def record_log(
        self,
        level: str,
        message: str,
        *,
        component: str | None = None,
        details: Any = None,
        task_id: str | None = None,
        duration_ms: float | None = None,
        logged_at: datetime | None = None,
    ) -> int | None:
        """Record a log line.

        Args:
            level: DEBUG, INFO, WARNING, ERROR or CRITICAL, in any case.
            message: what there is to say.
            component: who says it; the client's `component`, else ``python``, when None.
            details: anything JSON can hold.
            task_id: task that it is said in.
            duration_ms: milliseconds that the told operation took.
            logged_at: when it was said; now when None.

        Returns:
            The line's number where the call waits for the database; else None.
        """
        return self._tell(
            "record_log",
            component=component or self.component or "python",
            level=level,
            message=message,
            details=details,
            task_id=task_id,
            duration_ms=duration_ms,
            logged_at=logged_at,
        )

    def update_system_health(
        self,
        component_type: str,
        component_name: str,
        status: str,
        response_time_ms: float | None = None,
        failure_reason: str | None = None,
        *,
        response_time: float | None = None,
        details: Any = None,
        checked_at: datetime | None = None,
    ) -> int | None:
        """Record one check of a component.

        Args:
            component_type: what it is, such as ``database`` or ``service``.
            component_name: which one.
            status: healthy, degraded, unhealthy or unknown.
            response_time_ms: milliseconds until it answered.
            failure_reason: what was wrong.
            response_time: another name of ``response_time_ms``; give one of the two.
            details: anything JSON can hold.
            checked_at: when it was checked; now when None.

        Returns:
            The check's number where the call waits for the database; else None.

        Raises:
            TypeError: both names of the response time are given, with different values, and
                ``on_error`` is ``raise``.
        """
        if response_time_ms is None:
            response_time_ms = response_time
        elif response_time is not None and response_time != response_time_ms:
            why = (
                f"response_time_ms is {response_time_ms!r} and response_time {response_time!r}: "
                "both mean the milliseconds until it answered, so give one"
            )
            self._repaired("update_system_health", "response_time_ms", UnfitError(why))
            response_time_ms = None
        return self._tell(
            "update_system_health",
            component_type=component_type,
            component_name=component_name,
            status=status,
            response_time_ms=response_time_ms,
            failure_reason=failure_reason,
            details=details,
            checked_at=checked_at,
        )

    def record_queue_metrics(
        self,
        queue_name: str,
        pending: int,
        processing: int = 0,
        completed: int = 0,
        failed: int = 0,
        oldest_ready_seconds: float | None = None,
        *,
        recorded_at: datetime | None = None,
    ) -> int | None:
        """Record the depth of a queue.

        Args:
            queue_name: which queue.
            pending: items waiting.
            processing: items being worked on.
            completed: items done so far, a running total.
            failed: items failed so far, a running total.
            oldest_ready_seconds: seconds that the oldest waiting item has been ready.
            recorded_at: when it was looked at; now when None.

        Returns:
            The sample's number where the call waits for the database; else None.
        """
        return self._tell(
            "record_queue_metrics",
            queue_name=queue_name,
            pending=pending,
            processing=processing,
            completed=completed,
            failed=failed,
            oldest_ready_seconds=oldest_ready_seconds,
            recorded_at=recorded_at,
        )

    def record_release(
        self,
        version: str,
        *,
        component: str | None = None,
        details: Any = None,
        released_at: datetime | None = None,
    ) -> int | None:
        """Record in which version a program runs; charts and errors show when that changed.

        Each of many programs may call it at its start: the same version again changes nothing.

        Args:
            version: what it is called, such as ``1.4.2`` or a commit.
            component: which program; the client's `component`, else ``python``, when None.
            details: anything JSON can hold, such as a commit, an author or a link.
            released_at: when it was released; now when None.

        Returns:
            The release's number where the call waits for the database; else None.
        """
        return self._tell(
            "record_release",
            component=component or self.component or "python",
            version=version,
            details=details,
            released_at=released_at,
        )

    def _exception_for(self, given: object) -> BaseException | None:
        """Return what is being handled, where None is given, else one that says what was given."""
        handled = sys.exc_info()[1]
        if given is None and handled is not None:
            return handled
        name = given.__name__ if isinstance(given, type) else text_of(given)
        why = f"record_exception() takes an exception, not {name!r}: record_error() takes texts"
        self._repaired("record_exception", "the exception", UnfitError(why))
        return None if given is None else Exception(name)


def _with_details(known: dict[str, Any], details: Any) -> Any:
    """Return what is known of an exception with the details that a caller gives of it."""
    if not known:
        return details
    if details is None or isinstance(details, Mapping):
        return known | dict(details or {})
    return {**known, "details": details}
