"""Airflow 2 and 3: each run of a DAG and, as a part of it, each try of a task.

A file in Airflow's folder of plugins is all it takes:

>>> from pgvigil.integrations.airflow import PgvigilPlugin

``PGVIGIL_DSN`` says which database.
"""

from typing import Any

import airflow
from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

from pgvigil.client import MonitoringClient, TrackedTask
from pgvigil.integrations.runs import begin, default_monitor, end, status_of

_LONGEST_AT_END = 1.0  # seconds that the end of a task's process may take
_TELLS_ERRORS_SINCE = (2, 10)


class _DagRuns:
    """Hears of DAG runs, in the scheduler."""

    def __init__(self, monitor: MonitoringClient) -> None:
        self._monitor = monitor
        self._runs: dict[str, TrackedTask] = {}

    @hookimpl
    def on_dag_run_running(self, dag_run: Any) -> None:
        with self._monitor.never_raising():
            self._monitor.start_task(dag_run.dag_id, task_id=_name_of_dag_run(dag_run))

    @hookimpl
    def on_dag_run_success(self, dag_run: Any) -> None:
        with self._monitor.never_raising():
            self._monitor.complete_task(_name_of_dag_run(dag_run))

    @hookimpl
    def on_dag_run_failed(self, dag_run: Any, msg: str) -> None:
        with self._monitor.never_raising():
            status = "timeout" if msg == "timed_out" else "failed"
            self._monitor.complete_task(_name_of_dag_run(dag_run), status)


class _Listener(_DagRuns):
    """Hears of tasks as well, in the process of each."""

    @hookimpl
    def on_task_instance_running(self, task_instance: Any) -> None:
        with self._monitor.never_raising():
            if _is_resumed(task_instance):
                self._monitor.heartbeat(_name_of(task_instance))
            elif not _may_be_rescheduled(task_instance):
                self._begin(task_instance)
                self._hear_of_skip(task_instance)

    @hookimpl
    def on_task_instance_success(self, task_instance: Any) -> None:
        with self._monitor.never_raising():
            self._end(task_instance, "completed")

    @hookimpl
    def on_task_instance_skipped(self, task_instance: Any) -> None:
        with self._monitor.never_raising():
            if _name_of(task_instance) in self._runs:  # else its callback was quicker
                self._end(task_instance, "cancelled")

    @hookimpl
    def on_task_instance_failed(self, task_instance: Any, error: Any) -> None:
        with self._monitor.never_raising():
            self._fail(task_instance, error)

    def _begin(self, ti: Any) -> None:
        self._runs[_name_of(ti)] = begin(
            self._monitor,
            f"{ti.dag_id}.{ti.task_id}",
            _name_of(ti),
            parent_task_id=_name_of_dag_run(ti),
        )

    def _hear_of_skip(self, ti: Any) -> None:
        """Have a task tell when it is skipped: before Airflow 3 listeners do not hear of it."""
        callbacks = getattr(ti.task, "on_skipped_callback", None) or []
        if not isinstance(callbacks, list | tuple):
            callbacks = [callbacks]
        ti.task.on_skipped_callback = [*callbacks, lambda _: self.on_task_instance_skipped(ti)]

    def _fail(self, ti: Any, error: Any) -> None:
        is_retried = getattr(ti.state, "value", ti.state) == "up_for_retry"
        severity = "medium" if is_retried else "high"
        metadata = {"retries_left": 1} if is_retried else None
        if isinstance(error, BaseException):
            self._monitor.record_exception(error, task_id=_name_of(ti), severity=severity)
            self._end(ti, status_of(error), metadata)
            return
        message = str(error or f"task {ti.task_id} of DAG {ti.dag_id} failed")
        self._monitor.record_error(_name_of(ti), "TaskFailed", severity, message)
        self._end(ti, "failed", metadata)

    def _end(self, ti: Any, status: str, metadata: dict[str, Any] | None = None) -> None:
        run = self._runs.pop(_name_of(ti), None)
        if run is None and _may_be_rescheduled(ti):
            self._monitor.start_task(
                f"{ti.dag_id}.{ti.task_id}",
                task_id=_name_of(ti),
                parent_task_id=_name_of_dag_run(ti),
                started_at=ti.start_date,
            )
        if run is None:
            told = {"task": f"{ti.dag_id}.{ti.task_id}", **(metadata or {})}
            self._monitor.complete_task(_name_of(ti), status, metadata=told)
        else:
            run.metadata.update(metadata or {})
            end(run, status=status)
        # The process of a task ends without what Python does at the end of a program.
        self._monitor.close(_LONGEST_AT_END)


class _ListenerWithoutErrors(_Listener):
    """For versions that do not tell what failed."""

    @hookimpl
    def on_task_instance_failed(self, task_instance: Any) -> None:
        with self._monitor.never_raising():
            self._fail(task_instance, None)


def listener(monitor: MonitoringClient | None = None) -> object:
    """Return a listener for a plugin of your own.

    Args:
        monitor: what records; None for a client that ``PGVIGIL_DSN`` tells where.
    """
    version = tuple(map(int, airflow.__version__.split(".")[:2]))
    kind = _Listener if version >= _TELLS_ERRORS_SINCE else _ListenerWithoutErrors
    return kind(monitor or default_monitor())


class PgvigilPlugin(AirflowPlugin):  # type: ignore[misc]
    """Has Airflow tell us what runs."""

    name = "pgvigil"
    listeners = [listener()]  # noqa: RUF012


def _name_of_dag_run(run: Any) -> str:
    """Return the name of a DAG run, or of the one that a task is a part of."""
    return f"{run.dag_id}/{run.run_id}"


def _name_of(ti: Any) -> str:
    index = -1 if ti.map_index is None else ti.map_index
    return f"{ti.dag_id}.{ti.task_id}/{ti.run_id}" + (f"[{index}]" if index >= 0 else "")


def _is_resumed(ti: Any) -> bool:
    """Tell whether a task goes on that was deferred: nothing tells of that."""
    context = getattr(ti, "_ti_context_from_server", None)
    return bool(getattr(ti, "next_method", None) or getattr(context, "next_method", None))


def _may_be_rescheduled(ti: Any) -> bool:
    """Tell whether a task is a sensor that runs again and again: nothing tells of those ends."""
    return bool(getattr(getattr(ti, "task", None), "reschedule", False))
