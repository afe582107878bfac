"""The queries in other databases: each that is due is loaded by a program of its own."""

import asyncio
import logging
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from typing import Any

import psycopg

from pgvigil.database.log import log
from pgvigil.database.sessions import open_session
from pgvigil.database.words import length_of_time
from pgvigil.outside.children import ended
from pgvigil.outside.sources.calls import FAIL
from pgvigil.runner.due import DueWork

_COMMAND = [sys.executable, "-P", "-m", "pgvigil", "sync", "--if-due"]
_DUE = (
    "select query_name, timeout_seconds from monitoring.v_source_queries where is_due"
    " order by next_load_at"
)
# Each is two processes of some 50 MB.
_LOADS_AT_ONCE = 2
# Beyond the time that reading may take: the sources that read a query have to be read as well.
_SPARE_SECONDS = 900.0


class Loader(DueWork):
    """Loads what is due; what a load does to its process is no matter.

    One that is ended with the runner can go on later.
    """

    name = "loader"
    at_once = _LOADS_AT_ONCE
    due = _DUE

    async def _do(self, due: Any) -> None:
        name, seconds = due.query_name, due.timeout_seconds + _SPARE_SECONDS
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
            self._outage.begin(self.name, trouble)
