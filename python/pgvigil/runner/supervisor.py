"""The connection that watches the clock: it wakes the workers and ends what takes too long."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from pgvigil.runner.log import log
from pgvigil.runner.session import Outage, Session, open_session, pauses
from pgvigil.runner.systemd import ServiceManager

_CANCEL_OVERDUE = "select monitoring.cancel_overdue_jobs()"
_AGENDA = """
select job_name, next_run_at, seconds_late, timeout_seconds, running_seconds,
    monitoring.clock() as now
from monitoring.v_jobs
"""
# How long a frozen server is waited for.
_SECONDS_TO_ANSWER = 15.0
# What is due stays so until a worker has begun it, which it may all be too busy for.
_SECONDS_BETWEEN_LOOKS = 1.0
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
        waits = pauses()
        while True:
            try:
                async with asyncio.timeout(_SECONDS_TO_ANSWER):
                    session = await self._begin()
                waits = pauses()
                try:
                    await self._keep_looking(session)
                finally:
                    await session.close()
            except (psycopg.Error, TimeoutError) as error:
                self._outage.begin(_NAME, _in_words(error))
                self._manager.status("waiting for the database")
                await asyncio.sleep(next(waits))

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
            async with asyncio.timeout(_SECONDS_TO_ANSWER):
                seconds = await self._look(session)
            # Also when nothing seems due: another runner may have died with a job in hand.
            self._wake()
            await _wait_for_notice(session, seconds)

    async def _look(self, session: Session) -> float:
        """Cancel what takes too long and return the seconds until there is something to do."""
        await session.execute(_CANCEL_OVERDUE)
        async with session.cursor(row_factory=namedtuple_row) as cursor:
            await cursor.execute(_AGENDA)
            jobs = await cursor.fetchall()
        moments = [moment for job in jobs for moment in _moments(job)]
        return min([self._poll_seconds, *moments])


def _moments(job: Any) -> Iterator[float]:
    """Yield in how many seconds a job wants attention."""
    if job.running_seconds is not None:
        time_left = job.timeout_seconds - job.running_seconds
        if time_left > 0:
            yield time_left + _SHORT_WHILE
        # The queries of alert rules have time limits of their own.
        if job.job_name == "evaluate_alerts":
            yield _SECONDS_BETWEEN_LOOKS
    # Nobody tells when a run has ended, and it may be due again by then.
    if job.next_run_at is not None:
        time_left = (job.next_run_at - job.now).total_seconds()
        yield time_left + _SHORT_WHILE if time_left > 0 else _SECONDS_BETWEEN_LOOKS


async def _wait_for_notice(session: Session, seconds: float) -> None:
    """Wait until somebody notifies us, the connection ends, or some time has passed.

    Raises:
        psycopg.OperationalError: the connection has ended.
    """
    if await _has_notices(session):
        return
    # psycopg would wake up ten times a second to see whether it is to go on.
    readable = asyncio.Event()
    loop, socket = asyncio.get_running_loop(), session.fileno()
    loop.add_reader(socket, readable.set)
    try:
        async with asyncio.timeout(seconds):
            await readable.wait()
    except TimeoutError:
        return
    finally:
        loop.remove_reader(socket)
    await _has_notices(session)


async def _has_notices(session: Session) -> bool:
    """Take in what notices have come; also those that came along with an answer."""
    return bool([notice async for notice in session.notifies(timeout=0)])


def _in_words(error: Exception) -> Exception:
    if isinstance(error, TimeoutError):
        return psycopg.OperationalError(f"no answer within {_SECONDS_TO_ANSWER:g} s")
    return error
