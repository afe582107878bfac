"""Waiting out an outage of the database, and what is said about it."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Iterator

import psycopg

from pgvigil.database.connections import READ_ONLY_HINT
from pgvigil.database.log import log
from pgvigil.database.pooling import HINT, SharedSessionError
from pgvigil.database.sessions import Session, in_time, in_words
from pgvigil.database.words import length_of_time
from pgvigil.exceptions import DatabaseNotReadyError, PgvigilError, explain

_SHORTEST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0


def pauses() -> Iterator[float]:
    """Yield the seconds to wait before each new attempt: growing up to a cap, never in step."""
    pause = _SHORTEST_PAUSE
    while True:
        yield pause * random.uniform(0.5, 1)
        pause = min(pause * 2, _LONGEST_PAUSE)


def refusal(error: BaseException) -> PgvigilError | None:
    """Return what an error says about the installation, or None for one that says nothing."""
    if isinstance(
        error,
        psycopg.errors.InvalidSchemaName
        | psycopg.errors.UndefinedFunction
        | psycopg.errors.UndefinedTable
        | psycopg.errors.UndefinedColumn,
    ):
        return DatabaseNotReadyError(
            "pgvigil is not in this database, or too old", hint="Run `pgvigil migrate` on it."
        )
    if isinstance(error, SharedSessionError):
        return DatabaseNotReadyError(str(error), hint=HINT)
    if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
        return DatabaseNotReadyError(
            "the database is read-only",
            hint=READ_ONLY_HINT,
        )
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return DatabaseNotReadyError(
            str(error.diag.message_primary), hint="Grant monitoring_admin to the runner's role."
        )
    return None


async def through_outages(
    name: str,
    outage: "Outage",
    *,
    begin: Callable[[], Awaitable[Session]],
    work: Callable[[Session], Awaitable[None]],
    troubled: Callable[[], None],
    is_over: Callable[[], bool] = lambda: False,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Work with a session, and with another one whenever the database has been away.

    Args:
        name: how the log calls the connection.
        outage: is told when the database is away; `begin` or `work` tell it when that is over.
        begin: opens a session and prepares it, for which there is little time.
        work: goes on until there is no more to do.
        troubled: is called after each failure.
        is_over: tells whether to try no more.
        pause: waits for so many seconds before the next attempt.
    """
    waits = pauses()
    while not is_over():
        try:
            async with in_time():
                session = await begin()
            waits = pauses()
            try:
                await work(session)
            finally:
                await session.close()
        except (psycopg.Error, TimeoutError) as error:
            outage.begin(name, in_words(error))
            troubled()
            if not is_over():
                await pause(next(waits))


class Outage:
    """Which connections are in trouble; says each reason once, and once that it is over."""

    def __init__(self, level: int, then: str) -> None:
        """Begin without trouble.

        Args:
            level: how badly trouble ranks in the log.
            then: what is done about it, as the end of a sentence.
        """
        self._level = level
        self._then = then
        self.number = 0
        """Grows with each outage: a connection from before one is not to be relied on."""
        self._troubled: set[str] = set()
        self._said: set[str] = set()
        self._began_at = 0.0

    def begin(self, who: str, error: BaseException) -> None:
        """Note that a connection is of no use, and say so unless that is known already."""
        if not self._troubled:
            self.number += 1
            self._began_at = time.monotonic()
        self._troubled.add(who)
        refused = refusal(error)
        # Whatever tells that a server is away counts as one reason: refused, starting up, gone.
        reason = str(refused) if refused else "away"
        level = logging.DEBUG if reason in self._said else self._level
        self._said.add(reason)
        log(level, f"{_explain(refused or error)}{self._then}", connection=who)

    def end(self, who: str) -> None:
        """Note that a connection works; say so when it was the last one in trouble."""
        if who not in self._troubled:
            return
        self._troubled.discard(who)
        if not self._troubled:
            self._said.clear()
            seconds = time.monotonic() - self._began_at
            log(logging.INFO, f"the database works again, after {length_of_time(seconds)}")


def _explain(error: BaseException) -> str:
    """Return one line: what libpq says fills several."""
    lines = (explain(error) or str(error) or type(error).__name__).splitlines()
    return " ".join(line.strip() for line in lines)
