"""A connection that runs jobs, one at a time."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import psycopg

from pgvigil.database.log import log
from pgvigil.database.outage import Outage, pauses
from pgvigil.database.sessions import Session, leave_as_found, open_session
from pgvigil.database.words import length_of_time

# One at a time, so that none is begun once it is time to stop.
_RUN_JOBS = "call monitoring.run_due_jobs(p_at_most => %(at_most)s)"
_LEVELS = {"completed": logging.INFO, "cancelled": logging.WARNING}


class Worker:
    """Runs what is due whenever it is woken; opens its connection when it first needs it."""

    def __init__(self, name: str, dsn: str, outage: Outage) -> None:
        """Describe a worker.

        Args:
            name: how the log calls it.
            dsn: the database, from `complete_dsn`.
            outage: is told when the database is away and when it works again.
        """
        self.name = name
        self.is_busy = False
        """Whether it waits for the database, which may be running a job for it."""
        self.failed = False
        """Whether a run did not complete, or could not be asked for."""
        self._dsn = dsn
        self._outage = outage
        self._outages_seen = 0
        self._is_stopping = False
        self._wanted = asyncio.Event()
        self._session: Session | None = None

    def wake(self) -> None:
        """Have it look for what is due, now or as soon as it has finished a job."""
        self._wanted.set()

    def stop(self) -> None:
        """Have it begin no further job."""
        self._is_stopping = True

    async def cancel_job(self) -> None:
        """Cancel the job that it runs; what the job did is undone."""
        if self._session is None:
            return
        try:
            await self._session.cancel_safe(timeout=2)
        except psycopg.Error as error:
            log(logging.WARNING, f"a job could not be cancelled: {error}", connection=self.name)

    @property
    def backend_pid(self) -> int | None:
        """Process id of its session, while it has one."""
        return None if self._session is None else self._session.info.backend_pid

    async def run(self) -> None:
        """Run what is due whenever woken, through every outage, until told to stop."""
        waits = pauses()
        pause = None
        while not self._is_stopping:
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wanted.wait()
            self._wanted.clear()
            if await self.work_off():
                waits, pause = pauses(), None
            else:
                pause = next(waits)

    async def work_off(self) -> bool:
        """Run everything that is due; return whether the database could be asked."""
        try:
            while not self._is_stopping:
                session = await self._connected()
                runs = await self._run_one(session)
                self._outage.end(self.name)
                if not runs:
                    break
                for run in runs:
                    self._note(run)
        except psycopg.Error as error:
            self.failed = True
            await self.close()
            self._outage.begin(self.name, error)
            return False
        return True

    async def close(self) -> None:
        """Give up the connection."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _connected(self) -> Session:
        if self._outages_seen != self._outage.number:
            await self.close()
        if self._session is None:
            self._session = await open_session(self._dsn)
            self._outages_seen = self._outage.number
        return self._session

    async def _run_one(self, session: Session) -> list[dict[str, Any]]:
        self.is_busy = True
        try:
            row = await (await session.execute(_RUN_JOBS, {"at_most": 1})).fetchone()
            runs: list[dict[str, Any]] = row[0] if row else []
            if runs:
                await leave_as_found(session)
        finally:
            self.is_busy = False
        return runs

    def _note(self, run: Mapping[str, Any]) -> None:
        self.failed = self.failed or run["status"] != "completed"
        took = length_of_time(run["duration_ms"] / 1000)
        text = f"job {run['job']} {_ENDED[run['status']]} after {took}"
        log(_LEVELS.get(run["status"], logging.ERROR), text, **run)


# One word is no verb.
_ENDED = {
    "completed": "completed",
    "failed": "failed",
    "cancelled": "was cancelled",
    "timeout": "was cancelled at its timeout",
    "lost": "was lost",
}
