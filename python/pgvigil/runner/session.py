"""The runner's connections, and what it says when it cannot have them."""

import asyncio
import logging
import random
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import psycopg

from pgvigil.exceptions import DatabaseNotReadyError, PgvigilError, explain
from pgvigil.install.session import READ_ONLY_HINT
from pgvigil.pooling import HINT, IS_POOLED, SharedSessionError, shares_sessions
from pgvigil.recording.far_times import take_far_times
from pgvigil.runner.log import log

Session = psycopg.AsyncConnection[tuple[Any, ...]]

# Limits that suit a role's other programs: a job has a time limit of its own, and an idle runner
# is no fault. Not every version of PostgreSQL has all of these.
_NO_LIMITS = """
select set_config(name, '0', false) from pg_settings
where name in ('statement_timeout', 'transaction_timeout', 'idle_session_timeout')
"""
# What a job has left behind, for the next one to find the session as this one did.
_AS_FOUND = "unlisten *; close all; discard temp; reset all;" + _NO_LIMITS
# How long a frozen server is waited for.
SECONDS_TO_ANSWER = 15.0
_SHORTEST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0


async def open_session(dsn: str) -> Session:
    """Open a connection for the runner; `dsn` comes from `complete_dsn`.

    Raises:
        psycopg.OperationalError: the server is away, or a pooler in between shares sessions.
    """
    session = await Session.connect(dsn, autocommit=True, prepare_threshold=None)
    take_far_times(session)
    session.add_notice_handler(_pass_on)
    try:
        await _refuse_shared(session, dsn)
        await session.execute(_NO_LIMITS)
    except BaseException:
        await session.close()
        raise
    return session


async def _refuse_shared(session: Session, dsn: str) -> None:
    """Refuse a session that a pooler hands on: notices, limits and locks need one of our own.

    Raises:
        SharedSessionError: it is one.
    """
    row = await (await session.execute(IS_POOLED, [session.info.backend_pid])).fetchone()
    if row and row[0] and await asyncio.to_thread(shares_sessions, dsn):
        raise SharedSessionError("the database is behind a pooler in transaction mode")


async def leave_as_found(session: Session) -> None:
    """Put back what a job may have changed for its session."""
    await session.execute(_AS_FOUND.encode())


async def end_backends(dsn: str, pids: list[int], seconds: float) -> None:
    """End sessions of ours that do not end by themselves; give up when that takes too long."""
    with suppress(psycopg.Error, TimeoutError):
        async with asyncio.timeout(seconds):
            session = await Session.connect(dsn, autocommit=True)
            try:
                await session.execute("select pg_terminate_backend(p) from unnest(%s) p", [pids])
            finally:
                await session.close()


def _pass_on(notice: psycopg.errors.Diagnostic) -> None:
    """Log what the server, or a job, has to say besides."""
    is_warning = (notice.severity_nonlocalized or notice.severity) == "WARNING"
    log(logging.WARNING if is_warning else logging.DEBUG, f"{notice.message_primary}")


async def wait_for_notice(session: Session, seconds: float, woken: asyncio.Event) -> None:
    """Wait until somebody notifies us, the connection ends, or some time has passed.

    Args:
        session: a connection that nobody else uses meanwhile.
        seconds: longest time to wait.
        woken: ends the waiting, too, when it is set; it is cleared.

    Raises:
        psycopg.OperationalError: the connection has ended.
    """
    # psycopg would wake up ten times a second to see whether it is to go on.
    loop, socket = asyncio.get_running_loop(), session.fileno()
    if not await _has_notices(session):
        loop.add_reader(socket, woken.set)
        try:
            async with asyncio.timeout(seconds):
                await woken.wait()
        except TimeoutError:
            return
        finally:
            loop.remove_reader(socket)
        await _has_notices(session)
    woken.clear()


async def _has_notices(session: Session) -> bool:
    """Take in what notices have come; also those that came along with an answer."""
    return bool([notice async for notice in session.notifies(timeout=0)])


def in_words(error: Exception, seconds: float) -> Exception:
    """Return an error, with words for one that says no more than that time is up."""
    if isinstance(error, TimeoutError):
        return psycopg.OperationalError(f"no answer within {seconds:g} s")
    return error


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
            log(logging.INFO, f"the database works again, after {seconds:.1f} s")


def _explain(error: BaseException) -> str:
    """Return one line: what libpq says fills several."""
    lines = (explain(error) or str(error) or type(error).__name__).splitlines()
    return " ".join(line.strip() for line in lines)
