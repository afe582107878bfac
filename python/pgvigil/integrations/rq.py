"""RQ: each run of a job, each retry as its next attempt, also where the work horse is killed.

$ rq worker --worker-class pgvigil.integrations.rq.MonitoredWorker

``PGVIGIL_DSN`` says which database; a class of your own may say more:

>>> class ShopWorker(MonitoredWorker):
...     monitor = MonitoringClient(component="shop")
"""

from typing import Any

from rq import SimpleWorker, Worker
from rq.exceptions import DeserializationError
from rq.job import Job
from rq.worker import BaseWorker

from pgvigil.client import MonitoringClient, TrackedTask
from pgvigil.integrations.runs import begin, default_monitor, end, severity_of

_LONGEST_AT_END = 1.0  # seconds that the end of a work horse may take


class Monitored(BaseWorker):
    """What to inherit from, before a worker class of RQ, to have its jobs recorded."""

    monitor: MonitoringClient | None = None
    """What records them; None for a client that ``PGVIGIL_DSN`` tells where."""
    _run: TrackedTask | None = None
    _performs: str | None = None

    def perform_job(self, job: Job, *arguments: Any, **options: Any) -> bool:
        """Perform a job, in the work horse or, by a `SimpleWorker`, in the worker itself."""
        self._performs = job.id
        with self._monitor.never_raising():
            self._run = begin(
                self._monitor, _type_of(job), job.id, worker_id=self.name, queue=job.origin
            )
        try:
            is_done: bool = super().perform_job(job, *arguments, **options)
            self._end(status=None if is_done else "failed")
            return is_done
        finally:
            self._performs = None
            if self.is_horse:
                # It ends without what Python does at the end of a program.
                self._monitor.close(_LONGEST_AT_END)

    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        """Have handlers know of an exception that ended a job."""
        self._end(exc_info[1], retries_left=job.retries_left or 0)
        super().handle_exception(job, *exc_info)

    def handle_job_failure(self, job: Job, *arguments: Any, **options: Any) -> None:
        """Have a job failed; by the worker itself, when its work horse was killed."""
        if self._performs != job.id:
            with self._monitor.never_raising():
                self._tell_of_killed(job, options.get("exc_string") or "the work horse was killed")
        super().handle_job_failure(job, *arguments, **options)

    @property
    def _monitor(self) -> MonitoringClient:
        return self.monitor or default_monitor()

    def _end(self, error: BaseException | None = None, **told: Any) -> None:
        run, self._run = self._run, None
        if run is not None:
            with self._monitor.never_raising():
                end(run, error, **told)

    def _tell_of_killed(self, job: Job, why: str) -> None:
        if getattr(self, "_stopped_job_id", None) == job.id:  # somebody wanted that
            self._monitor.complete_task(job.id, "cancelled")
            return
        left = job.retries_left or 0
        self._monitor.record_error(
            job.id, "WorkHorseKilled", severity_of("high", left), why.strip("; ")
        )
        metadata = {"retries_left": left} if left else None
        self._monitor.complete_task(job.id, "failed", metadata=metadata)


class MonitoredWorker(Monitored, Worker):
    """RQ's usual worker, which runs each job in a process of its own."""


class MonitoredSimpleWorker(Monitored, SimpleWorker):
    """RQ's worker that runs jobs in its own process."""


def _type_of(job: Job) -> str:
    try:
        return job.func_name or "unknown"
    except DeserializationError:
        return "unknown"
