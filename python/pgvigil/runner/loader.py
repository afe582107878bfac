"""The queries in other databases: each that is due is loaded by a program of its own."""

import asyncio
import logging
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from pgvigil.database.log import log
from pgvigil.database.outage import Outage, through_outages
from pgvigil.database.sessions import Session, in_time, open_session
from pgvigil.database.words import length_of_time
from pgvigil.outside.children import ended
from pgvigil.outside.sources.calls import FAIL

_NAME = "loader"
_COMMAND = [sys.executable, "-P", "-m", "pgvigil", "sync", "--if-due"]
_DUE = (
    "select query_name, timeout_seconds from monitoring.v_source_queries where is_due"
    " order by next_load_at"
)
# Each is two processes of some 50 MB.
_LOADS_AT_ONCE = 2
# Beyond the time that reading may take: the sources that read a query have to be read as well.
_SPARE_SECONDS = 900.0


class Loader:
    """Loads what is due, through every outage; what a load does to its process is no matter."""

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
        self._loads: dict[str, asyncio.Task[None]] = {}
        self.failed = False
        """Whether a query could not be loaded, or the database could not be asked."""

    async def run(self) -> None:
        """Load what is due until cancelled, which ends what is being loaded; that can go on."""
        try:
            await through_outages(
                _NAME,
                self._outage,
                begin=lambda: open_session(self._dsn),
                work=self._keep_looking,
                troubled=self._fail,
            )
        finally:
            await self._end()

    async def work_off(self) -> None:
        """Load what is due, each query once."""
        seen: set[str] = set()
        try:
            session = await open_session(self._dsn)
            try:
                while await self._look(session, seen):
                    await asyncio.wait(self._loads.values())
            finally:
                await session.close()
        except psycopg.Error as error:
            self._fail()
            self._outage.begin(_NAME, error)
        finally:
            await self._end()

    async def _keep_looking(self, session: Session) -> None:
        while True:
            async with in_time():
                await self._look(session, set())
            self._outage.end(_NAME)
            if self._loads:
                await asyncio.wait(
                    self._loads.values(),
                    timeout=self._poll_seconds,
                    return_when=asyncio.FIRST_COMPLETED,
                )
            else:
                await asyncio.sleep(self._poll_seconds)

    async def _look(self, session: Session, seen: set[str]) -> bool:
        """Begin what is due, as far as there is room; return whether anything goes on."""
        async with session.cursor(row_factory=namedtuple_row) as cursor:
            await cursor.execute(_DUE)
            due: list[Any] = await cursor.fetchall()
        for query in due:
            if len(self._loads) >= _LOADS_AT_ONCE:
                break
            if query.query_name not in seen and query.query_name not in self._loads:
                seen.add(query.query_name)
                self._begin(query.query_name, query.timeout_seconds + _SPARE_SECONDS)
        return bool(self._loads)

    def _begin(self, name: str, seconds: float) -> None:
        task = asyncio.create_task(self._load(name, seconds))
        self._loads[name] = task
        task.add_done_callback(lambda _: self._loads.pop(name))

    async def _load(self, name: str, seconds: float) -> None:
        try:
            code, text = await self._run(name, seconds)
        except OSError as error:
            code, text = None, f"query {name}: its program could not be started: {error.strerror}"
        for line in text.splitlines():
            log(logging.INFO if code == 0 else logging.WARNING, line.strip(), query=name)
        if code == 0:
            return
        self._fail()
        # One that ended by itself has told why.
        if code != 1:
            await self._note(name, f"the program that loaded it ended with code {code}")

    async def _run(self, name: str, seconds: float) -> tuple[int | None, str]:
        options = ["--secrets", str(self._secrets_file)] if self._secrets_file else []
        # The address of our database may hold a password, which an argument would show to all.
        process = await asyncio.create_subprocess_exec(
            *_COMMAND,
            *options,
            "--",
            name,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            env=os.environ | {"PGVIGIL_DSN": self._dsn},
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(seconds):
                text, _ = await process.communicate()
        except TimeoutError:
            return await ended(process), f"query {name}: took longer than {length_of_time(seconds)}"
        finally:
            await ended(process)
        return process.returncode, text.decode(errors="replace")

    async def _note(self, name: str, error: str) -> None:
        try:
            session = await open_session(self._dsn)
            try:
                await session.execute(FAIL, {"query_name": name, "error": error})
            finally:
                await session.close()
        except psycopg.Error as trouble:
            self._outage.begin(_NAME, trouble)

    def _fail(self) -> None:
        self.failed = True

    async def _end(self) -> None:
        loads = list(self._loads.values())
        for task in loads:
            task.cancel()
        await asyncio.gather(*loads, return_exceptions=True)
