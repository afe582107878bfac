"""The scheduler: a few workers, a supervisor that wakes them, and an end in good order."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pgvigil.runner.log import log
from pgvigil.runner.session import Outage, complete_dsn
from pgvigil.runner.supervisor import Supervisor
from pgvigil.runner.systemd import ServiceManager
from pgvigil.runner.worker import Worker

# For a job that was cancelled to be undone and noted.
_SECONDS_TO_CANCEL = 5.0


@dataclass(frozen=True)
class Settings:
    """How to run jobs."""

    dsn: str = ""
    workers: int = 2
    """Jobs that may run at the same time."""
    poll_seconds: float = 10.0
    """Longest time between two looks for what is due."""
    drain_seconds: float = 30.0
    """How long running jobs may go on when the runner is to stop."""


class Runner:
    """Runs the jobs of one database; any number of runners may do so at once.

    What else is to be done for a database, at its notices and between them, belongs beside the
    supervisor in `_employ`.
    """

    def __init__(self, settings: Settings) -> None:
        """Describe a runner; nothing is opened before `run` or `run_once`.

        Raises:
            DatabaseNotReadyError: the DSN makes no sense.
        """
        self._settings = settings
        self._dsn = complete_dsn(settings.dsn)
        self._manager = ServiceManager()
        self._workers: list[Worker] = []
        self._tasks: list[asyncio.Task[object]] = []
        self._draining: asyncio.Task[None] | None = None
        self._patience: asyncio.Timeout | None = None

    async def run(self) -> None:
        """Run jobs until told to stop."""
        outage = Outage(logging.WARNING, "; trying again")
        await self._employ(outage, Worker.run)

    async def run_once(self) -> bool:
        """Run what is due; return whether the database could be asked and all runs completed."""
        outage = Outage(logging.ERROR, "")
        await self._employ(outage, Worker.work_off)
        return not any(worker.failed for worker in self._workers)

    def stop(self) -> None:
        """Begin no more jobs; running ones may end by themselves. Called again: cancel them."""
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain())
        elif self._patience is not None:
            self._patience.reschedule(asyncio.get_running_loop().time())

    async def _employ(self, outage: Outage, work: Callable[[Worker], Awaitable[object]]) -> None:
        if self._draining is not None:
            return  # told to stop before it began
        names = [f"worker {number}" for number in range(1, self._settings.workers + 1)]
        self._workers = [Worker(name, self._dsn, outage) for name in names]
        supervisor = Supervisor(
            self._dsn,
            outage,
            poll_seconds=self._settings.poll_seconds,
            wake=self._wake_workers,
            manager=self._manager,
        )
        async with asyncio.TaskGroup() as group:
            helpers = [
                group.create_task(supervisor.run()),
                group.create_task(self._manager.keep_watchdog_quiet()),
            ]
            self._tasks = [group.create_task(_let(worker, work)) for worker in self._workers]
            self._manager.ready()
            log(logging.INFO, f"started; workers: {len(self._workers)}")
            await asyncio.wait(self._tasks)
            for helper in helpers:
                helper.cancel()

    def _wake_workers(self) -> None:
        for worker in self._workers:
            worker.wake()

    async def _drain(self) -> None:
        self._manager.stopping()
        for worker, task in zip(self._workers, self._tasks, strict=True):
            worker.stop()
            if not worker.is_busy:
                task.cancel()
        if not self._tasks:
            return
        busy = sum(worker.is_busy for worker in self._workers)
        log(logging.INFO, f"stopping; workers that are busy: {busy}")
        try:
            async with asyncio.timeout(self._settings.drain_seconds) as self._patience:
                await asyncio.wait(self._tasks)
        except TimeoutError:
            await self._cancel_jobs()

    async def _cancel_jobs(self) -> None:
        busy = [worker for worker in self._workers if worker.is_busy]
        log(logging.WARNING, f"cancelling jobs: {len(busy)}")
        await asyncio.gather(*(worker.cancel_job() for worker in busy))
        _, stuck = await asyncio.wait(self._tasks, timeout=_SECONDS_TO_CANCEL)
        for task in stuck:
            task.cancel()


async def _let(worker: Worker, work: Callable[[Worker], Awaitable[object]]) -> object:
    try:
        return await work(worker)
    finally:
        await worker.close()
