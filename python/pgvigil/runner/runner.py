"""The scheduler: workers, a supervisor that wakes them, a sender, and an end in good order."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from pgvigil.database.dsn import complete_dsn
from pgvigil.database.log import log
from pgvigil.database.outage import Outage
from pgvigil.database.sessions import end_backends
from pgvigil.outside.secrets import SecretError, Secrets
from pgvigil.runner.fleet import Fleet
from pgvigil.runner.loader import Loader
from pgvigil.runner.notifying.reporter import Reporter
from pgvigil.runner.notifying.sender import Sender
from pgvigil.runner.ping import Pinger
from pgvigil.runner.supervisor import Supervisor
from pgvigil.runner.systemd import ServiceManager
from pgvigil.runner.worker import Worker

# For a job that was cancelled to be undone and noted; then for its session to be ended.
_SECONDS_TO_CANCEL = 4.0
_SECONDS_TO_END = 2.0


@dataclass(frozen=True)
class Settings:
    """How to run jobs."""

    dsn: str = ""
    workers: int = 2
    """Jobs that may run at the same time."""
    poll_seconds: float = 10.0
    """Longest time between two looks for what is due."""
    drain_seconds: float = 30.0
    """How long running jobs, and messages being sent, may go on when the runner is to stop."""
    seconds_to_send: float = 30.0
    """Longest time for one attempt to send a message."""
    secrets_file: Path | None = None
    """TOML file with the addresses of targets; what is in the environment counts more."""
    has_ping: bool = False
    """Whether to ping an outside dead-man's switch."""
    report_channels: tuple[str, ...] = ()
    """Channels whose daily summaries have the daily report attached."""
    report_format: str = "pdf"
    """How it is written: html or pdf."""
    page_url: str | None = None
    """Address of the page, which messages link to; None to leave it as it is."""


class Runner:
    """Runs the jobs of one database; any number of runners may do so at once.

    What else is to be done for a database, at its notices and between them, belongs beside the
    supervisor in `_employ`.
    """

    def __init__(self, settings: Settings) -> None:
        """Describe a runner; nothing is opened before `run` or `run_once`.

        Raises:
            DatabaseNotReadyError: the DSN cannot be parsed.
        """
        self._settings = settings
        self._dsn = complete_dsn(settings.dsn, "pgvigil runner")
        self._manager = ServiceManager()
        self._secrets = Secrets(settings.secrets_file)
        self._workers: list[Worker] = []
        self._sender: Sender | None = None
        self._loader: Loader | None = None
        self._fleet: Fleet | None = None
        self._tasks: list[asyncio.Task[object]] = []
        self._sending: asyncio.Task[None] | None = None
        self._draining: asyncio.Task[None] | None = None
        self._patience: asyncio.Timeout | None = None

    async def run(self) -> None:
        """Run jobs and send messages until told to stop."""
        outage = Outage(logging.WARNING, "; trying again")
        await self._employ(outage, is_once=False)

    async def run_once(self) -> bool:
        """Run what is due and send what is to be told then.

        Returns:
            Whether the database could be asked, all runs completed and all messages were sent.
        """
        outage = Outage(logging.ERROR, "")
        await self._employ(outage, is_once=True)
        helpers = (self._sender, self._loader, self._fleet, *self._workers)
        return not any(helper.failed for helper in helpers if helper is not None)

    def stop(self) -> None:
        """Begin nothing more; what runs may end by itself. Called again: cancel it."""
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain())
        elif self._patience is not None:
            self._patience.reschedule(asyncio.get_running_loop().time())

    async def _employ(self, outage: Outage, *, is_once: bool) -> None:
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
        self._check_secrets()
        self._sender = Sender(
            self._dsn,
            outage,
            poll_seconds=self._settings.poll_seconds,
            seconds_to_send=self._settings.seconds_to_send,
            secrets=self._secrets,
            reporter=Reporter(
                self._dsn, self._settings.report_channels, self._settings.report_format
            ),
            page_url=self._settings.page_url,
        )
        self._loader = Loader(
            self._dsn,
            outage,
            poll_seconds=self._settings.poll_seconds,
            secrets_file=self._settings.secrets_file,
        )
        self._fleet = Fleet(
            self._dsn,
            outage,
            poll_seconds=self._settings.poll_seconds,
            secrets_file=self._settings.secrets_file,
        )
        pinger = Pinger(self._dsn, self._secrets)
        work = Worker.work_off if is_once else Worker.run
        async with asyncio.TaskGroup() as group:
            helpers = [
                group.create_task(supervisor.run()),
                group.create_task(self._manager.keep_watchdog_quiet()),
            ]
            if self._settings.has_ping and not is_once:
                helpers.append(group.create_task(pinger.run()))
            readers = [
                group.create_task(reader.work_off() if is_once else reader.run())
                for reader in (self._loader, self._fleet)
            ]
            if not is_once:
                helpers += readers
            self._tasks = [group.create_task(_let(worker, work)) for worker in self._workers]
            self._sending = group.create_task(self._send(self._sender, is_once=is_once))
            self._manager.ready()
            log(logging.INFO, f"started; workers: {len(self._workers)}")
            await asyncio.wait([*self._tasks, self._sending, *(readers if is_once else [])])
            for helper in helpers:
                helper.cancel()
            if self._settings.has_ping and is_once:
                await pinger.ping()

    async def _send(self, sender: Sender, *, is_once: bool) -> None:
        try:
            if is_once:
                # Jobs queue what is to be told.
                await asyncio.wait(self._tasks)
                await sender.work_off()
            else:
                await sender.run()
        finally:
            await sender.close()

    def _check_secrets(self) -> None:
        """Say at once what would make every message fail; jobs go on without."""
        try:
            self._secrets.check()
        except SecretError as error:
            log(logging.ERROR, "the secrets file cannot be used", error=str(error))

    def _wake_workers(self) -> None:
        for worker in self._workers:
            worker.wake()

    async def _drain(self) -> None:
        self._manager.stopping()
        for worker, task in zip(self._workers, self._tasks, strict=True):
            worker.stop()
            if not worker.is_busy:
                task.cancel()
        if self._sender is None or self._sending is None:
            return
        self._sender.stop()
        if not self._sender.is_busy:
            self._sending.cancel()
        busy = sum(worker.is_busy for worker in self._workers)
        sending = f"; messages being sent: {self._sender.sending}" if self._sender.sending else ""
        log(logging.INFO, f"stopping; workers that are busy: {busy}{sending}")
        try:
            async with asyncio.timeout(self._settings.drain_seconds) as self._patience:
                await asyncio.wait([*self._tasks, self._sending])
        except TimeoutError:
            await self._cancel(self._sender, self._sending)

    async def _cancel(self, sender: Sender, sending: asyncio.Task[None]) -> None:
        if not sending.done():
            log(logging.WARNING, f"giving up messages being sent: {sender.sending}")
            sending.cancel()
        busy = [worker for worker in self._workers if worker.is_busy]
        log(logging.WARNING, f"cancelling jobs: {len(busy)}")
        await asyncio.gather(*(worker.cancel_job() for worker in busy))
        _, stuck = await asyncio.wait([*self._tasks, sending], timeout=_SECONDS_TO_CANCEL)
        pids = [worker.backend_pid for worker in busy if worker.is_busy]
        if pids:
            log(logging.WARNING, f"ending the sessions of jobs that did not stop: {len(pids)}")
            await end_backends(self._dsn, [pid for pid in pids if pid], _SECONDS_TO_END)
            _, stuck = await asyncio.wait(stuck, timeout=_SECONDS_TO_END)
        for task in stuck:
            task.cancel()


async def _let(worker: Worker, work: Callable[[Worker], Awaitable[object]]) -> object:
    try:
        return await work(worker)
    finally:
        await worker.close()
