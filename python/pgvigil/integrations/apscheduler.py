"""APScheduler 3: each run of a job, and the runs that were missed or skipped.

>>> from pgvigil.integrations import apscheduler
>>> apscheduler.watch(scheduler, MonitoringClient(component="shop"))

Its events tell of a job's end before its beginning at times, so each job is wrapped instead.
"""

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from apscheduler.events import (
    EVENT_EXECUTOR_ADDED,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MISSED,
    EVENT_SCHEDULER_STARTED,
)
from apscheduler.schedulers.base import BaseScheduler

from pgvigil.client import MonitoringClient
from pgvigil.integrations.runs import begin, end

_wrapped = "_pgvigil_is_watching"
"""Attribute of an executor whose jobs are wrapped."""


def watch(scheduler: BaseScheduler, monitor: MonitoringClient) -> None:
    """Record the runs of a scheduler's jobs, whichever executor runs them.

    Args:
        scheduler: which one, started or not.
        monitor: what records them. The task type of a run is the name of its job, and a later run
            of the same job makes up for one that failed.
    """

    def watch_executors(_: object = None) -> None:
        with monitor.never_raising():
            for executor in scheduler._executors.values():
                if not hasattr(executor, _wrapped):
                    setattr(executor, _wrapped, True)
                    executor.submit_job = functools.partial(_submit, monitor, executor.submit_job)

    def tell(event: Any) -> None:
        with monitor.never_raising():
            is_missed = event.code == EVENT_JOB_MISSED
            times = [event.scheduled_run_time] if is_missed else event.scheduled_run_times
            for time in times:
                monitor.record_error(
                    None,
                    "JobMissed" if is_missed else "JobSkipped",
                    "high",
                    f"job {event.job_id} "
                    + (
                        "missed its run: it was too late for it"
                        if is_missed
                        else "skipped a run: earlier ones have not ended"
                    ),
                    details={"job": event.job_id, "due_at": time},
                    fingerprint=f"apscheduler {event.code} {event.job_id}",
                )

    scheduler.add_listener(watch_executors, EVENT_SCHEDULER_STARTED | EVENT_EXECUTOR_ADDED)
    scheduler.add_listener(tell, EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)
    watch_executors()


def _submit(
    monitor: MonitoringClient, submit: Callable[[Any, Any], None], job: Any, run_times: Any
) -> None:
    submit(_WatchedJob(job, monitor), run_times)


class _WatchedJob:
    """Stands for a job where it is run; pickled, it makes a client anew in the other process."""

    def __init__(self, job: Any, monitor: MonitoringClient) -> None:
        self._job = job
        self._monitor = monitor
        is_coroutine = inspect.iscoroutinefunction(_innermost(job.func))
        self.func = self._run_coroutine if is_coroutine else self._run

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "_job"), name)

    def __str__(self) -> str:
        return str(self._job)

    def __reduce__(self) -> tuple[Any, ...]:
        return _in_other_process, (self._job, self._monitor._sender.dsn, self._monitor.component)

    def _run(self, *arguments: Any, **options: Any) -> Any:
        with self._watched():
            return self._job.func(*arguments, **options)

    async def _run_coroutine(self, *arguments: Any, **options: Any) -> Any:
        with self._watched():
            return await self._job.func(*arguments, **options)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        run = None
        with self._monitor.never_raising():
            run = begin(self._monitor, self._job.name, work=self._job.id)
        error: BaseException | None = None
        try:
            yield
        except BaseException as raised:
            error = raised
            raise
        finally:
            with self._monitor.never_raising():
                if run is not None:
                    end(run, error)
            del error


def _innermost(function: Any) -> Any:
    while isinstance(function, functools.partial):
        function = function.func
    return function


def _in_other_process(job: Any, dsn: str, component: str | None) -> _WatchedJob:
    return _WatchedJob(job, _monitor_for(dsn, component))


@functools.cache
def _monitor_for(dsn: str, component: str | None) -> MonitoringClient:
    return MonitoringClient(dsn, component=component)
