"""The connection that watches the clock: it wakes the workers and ends what takes too long."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any

from psycopg.rows import namedtuple_row

from pgvigil.database.log import log
from pgvigil.database.outage import Outage, through_outages
from pgvigil.database.queries.jobs import AGENDA
from pgvigil.database.sessions import Session, in_time, open_session, wait_for_notice
from pgvigil.runner.systemd import ServiceManager

_CANCEL_OVERDUE = "select monitoring.cancel_overdue_jobs()"
# Requests the job, whose notice then wakes us, when something has come up that should not wait.
_REQUEST_URGENT = "select monitoring.request_urgent_evaluation()"
_SECONDS_BETWEEN_GLANCES = 3.0
# What is due stays so until a worker has begun it, which it may all be too busy for.
_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_BETWEEN_CANCELLATIONS = 10.1
# Waiting must not end a moment too early, or it begins again at once.
_SHORT_WHILE = 0.01
_NAME = "supervisor"


class Supervisor:
    """Wakes the workers when a job is due, is asked for, or it has been quiet for a while."""

    def __init__(
        self,
        dsn: str,
        outage: Outage,
        *,
        poll_seconds: float,
        wake: Callable[[], None],
        manager: ServiceManager,
    ) -> None:
        """Describe a supervisor.

        Args:
            dsn: the database, from `complete_dsn`.
            outage: is told when the database is away and when it works again.
            poll_seconds: longest time between two looks.
            wake: wakes the workers.
            manager: is told whether the database can be used.
        """
        self._dsn = dsn
        self._outage = outage
        self._poll_seconds = poll_seconds
        self._wake = wake
        self._manager = manager

    async def run(self) -> None:
        """Keep at it for ever, through every outage."""
        await through_outages(
            _NAME,
            self._outage,
            begin=self._begin,
            work=self._keep_looking,
            troubled=lambda: self._manager.status("waiting for the database"),
        )

    async def _begin(self) -> Session:
        session = await open_session(self._dsn)
        try:
            await session.execute("listen monitoring_jobs")
            await self._look(session)
        except BaseException:
            await session.close()
            raise
        self._outage.end(_NAME)
        self._manager.status("running jobs")
        log(logging.DEBUG, f"watching the jobs of database {session.info.dbname}")
        return session

    async def _keep_looking(self, session: Session) -> None:
        while True:
            async with in_time():
                seconds = await self._look(session)
            # Also when nothing seems due: another runner may have died with a job in hand.
            self._wake()
            await self._wait(session, seconds)

    async def _wait(self, session: Session, seconds: float) -> None:
        """Wait for a notice or until some time has passed; glance at what is urgent meanwhile."""
        loop = asyncio.get_running_loop()
        until, woken = loop.time() + seconds, asyncio.Event()
        while (left := until - loop.time()) > 0:
            if await wait_for_notice(session, min(left, _SECONDS_BETWEEN_GLANCES), woken):
                return
            async with in_time():
                await session.execute(_REQUEST_URGENT)

    async def _look(self, session: Session) -> float:
        """Cancel what takes too long and return the seconds until there is something to do."""
        await session.execute(_CANCEL_OVERDUE)
        async with session.cursor(row_factory=namedtuple_row) as cursor:
            await cursor.execute(AGENDA)
            jobs = await cursor.fetchall()
        moments = [moment for job in jobs for moment in _moments(job)]
        return min([self._poll_seconds, *moments])


def _moments(job: Any) -> Iterator[float]:
    """Yield in how many seconds a job wants attention."""
    if job.running_seconds is not None:
        time_left = job.timeout_seconds - job.running_seconds
        # What goes on though it was cancelled is to be cancelled again.
        yield time_left + _SHORT_WHILE if time_left > 0 else _SECONDS_BETWEEN_CANCELLATIONS
        # The queries of alert rules have time limits of their own.
        if job.job_name == "evaluate_alerts":
            yield _SECONDS_BETWEEN_LOOKS
    # Nobody tells when a run has ended, and it may be due again by then.
    if job.next_run_at is not None:
        time_left = (job.next_run_at - job.now).total_seconds()
        yield time_left + _SHORT_WHILE if time_left > 0 else _SECONDS_BETWEEN_LOOKS
