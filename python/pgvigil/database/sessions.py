"""Sessions that programs keep for long: without the limits of a role, woken by notices."""

import asyncio
import logging
from contextlib import suppress
from typing import Any

import psycopg

from pgvigil.database.far_times import take_far_times
from pgvigil.database.log import log
from pgvigil.database.pooling import IS_POOLED, SharedSessionError, shares_sessions
from pgvigil.database.words import length_of_time

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
_SECONDS_TO_ANSWER = 15.0


def in_time() -> asyncio.Timeout:
    """Return a limit for what a server that is not frozen answers at once."""
    return asyncio.timeout(_SECONDS_TO_ANSWER)


def in_words(error: Exception) -> Exception:
    """Return an error, with words for one that says no more than that time is up."""
    if isinstance(error, TimeoutError):
        return psycopg.OperationalError(f"no answer within {length_of_time(_SECONDS_TO_ANSWER)}")
    return error


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


async def wait_for_notice(session: Session, seconds: float, woken: asyncio.Event) -> bool:
    """Wait until somebody notifies us, the connection ends, or some time has passed.

    Args:
        session: a connection that nobody else uses meanwhile.
        seconds: longest time to wait.
        woken: ends the waiting, too, when it is set; it is cleared.

    Returns:
        Whether the waiting was ended before the time had passed.

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
            return False
        finally:
            loop.remove_reader(socket)
        await _has_notices(session)
    woken.clear()
    return True


async def _has_notices(session: Session) -> bool:
    """Take in what notices have come; also those that came along with an answer."""
    return bool([notice async for notice in session.notifies(timeout=0)])
