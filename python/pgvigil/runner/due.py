"""What is due by the database is begun, several at a time, through every outage."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from pgvigil.database.outage import Outage, through_outages
from pgvigil.database.sessions import Session, in_time, open_session


class DueWork(ABC):
    """Looks for what is due and begins it; each goes on beside the others."""

    name: str
    """What it is called where an outage is told."""
    at_once: int
    """Most of them that go on at once."""
    due: str
    """The question for what is due, a row each, its name first."""

    def __init__(
        self, dsn: str, outage: Outage, *, poll_seconds: float, secrets_file: Path | None
    ) -> None:
        """Describe it.

        Args:
            dsn: the database, from `complete_dsn`.
            outage: is told when the database is away and when it works again.
            poll_seconds: longest time between two looks.
            secrets_file: TOML file with the addresses of other databases.
        """
        self._dsn = dsn
        self._outage = outage
        self._poll_seconds = poll_seconds
        self._secrets_file = secrets_file
        self._going_on: dict[str, asyncio.Task[None]] = {}
        self.failed = False
        """Whether one of them failed, or the database could not be asked."""

    async def run(self) -> None:
        """Do what is due until cancelled, which ends what goes on."""
        try:
            await through_outages(
                self.name,
                self._outage,
                begin=lambda: open_session(self._dsn),
                work=self._keep_looking,
                troubled=self._fail,
            )
        finally:
            await self._end()

    async def work_off(self) -> None:
        """Do what is due, each once."""
        seen: set[str] = set()
        try:
            session = await open_session(self._dsn)
            try:
                while await self._look(session, seen):
                    await asyncio.wait(self._going_on.values())
            finally:
                await session.close()
        except psycopg.Error as error:
            self._fail()
            self._outage.begin(self.name, error)
        finally:
            await self._end()

    @abstractmethod
    async def _do(self, due: Any) -> None:
        """Do one thing that is due; what goes wrong is told and noted, not raised."""

    async def _keep_looking(self, session: Session) -> None:
        while True:
            async with in_time():
                await self._look(session, set())
            self._outage.end(self.name)
            await self._pause(list(self._going_on.values()))

    async def _pause(self, going_on: Sequence[asyncio.Task[None]]) -> None:
        """Wait for the next look: until there is room again, if anything goes on."""
        if going_on:
            await asyncio.wait(
                going_on, timeout=self._poll_seconds, return_when=asyncio.FIRST_COMPLETED
            )
        else:
            await asyncio.sleep(self._poll_seconds)

    async def _look(self, session: Session, seen: set[str]) -> bool:
        """Begin what is due, as far as there is room; return whether anything goes on."""
        async with session.cursor(row_factory=namedtuple_row) as cursor:
            await cursor.execute(self.due.encode())
            found: list[Any] = await cursor.fetchall()
        for due in found:
            if len(self._going_on) >= self.at_once:
                break
            if due[0] not in seen and due[0] not in self._going_on:
                seen.add(due[0])
                self._begin(due[0], due)
        return bool(self._going_on)

    def _begin(self, name: str, due: Any) -> None:
        task = asyncio.create_task(self._do(due))
        self._going_on[name] = task
        task.add_done_callback(lambda _: self._going_on.pop(name))

    def _fail(self) -> None:
        self.failed = True

    async def _end(self) -> None:
        tasks = list(self._going_on.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
