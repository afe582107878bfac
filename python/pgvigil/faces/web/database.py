"""A few kept connections to the database, for short transactions of readers and writers.

Each question gets a transaction of its own, read-only and of one snapshot unless it writes, with a
time limit. Where the login may, it takes on the rights of monitoring_reader for it, of
monitoring_operator to decide, or of monitoring_writer to record, however much more it has itself.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, dict_row

from pgvigil.database.dsn import complete_dsn
from pgvigil.database.far_times import take_endless_lengths
from pgvigil.database.patience import HastyConnection
from pgvigil.database.pooling import IS_POOLED
from pgvigil.database.queries.state import NOW
from pgvigil.database.roles import LIMIT, LIMIT_AND_BECOME, MAY_BECOME, OPERATOR, READER, WRITER
from pgvigil.faces.web.acting import ACTING

_SECONDS_TO_WAIT_FOR_A_TURN = 5.0
_SECONDS_TO_CONNECT = 5
# By then the server should have noticed its own time limit: one that has not is frozen.
_GRACE_SECONDS = 0.5
# A kept connection that says nothing for this part of our patience is given up for a new one.
_PART_FOR_A_KEPT_ONE = 0.25
# Errors after which a connection is as good as before: a refusal of ours, and what took too long.
# After others it may be one whose plans are for views that have been replaced since.
_OF_THE_QUESTION = {*(f"PV00{number}" for number in range(1, 10)), "57014"}
_IN_TRANSACTION = (TransactionStatus.INERROR, TransactionStatus.INTRANS)


class BusyError(Exception):
    """All connections were in use for too long."""


class SilentError(Exception):
    """The database did not answer in time."""


class Reader:
    """Asks within one transaction."""

    def __init__(self, connection: HastyConnection, seconds_to_answer: float) -> None:
        """Take a connection that is in a transaction."""
        self._connection = connection
        self._seconds = seconds_to_answer

    async def rows(
        self, query: str, values: Mapping[str, Any] | None = None, is_kept: bool = False
    ) -> list[DictRow]:
        """Return the rows of a query.

        One without values, or of which that is wanted, is planned once by each connection: to
        plan views over a month of partitions takes several times as long as to read them. Others
        are planned for their values, each time.
        """
        async with (
            asyncio.timeout(self._seconds),
            self._connection.cursor(row_factory=dict_row) as cursor,
        ):
            await cursor.execute(query.encode(), values, prepare=is_kept or values is None)
            return await cursor.fetchall()

    async def value(self, query: str, values: Mapping[str, Any] | None = None) -> Any:
        """Return the first value of the first row, or None."""
        async with asyncio.timeout(self._seconds):
            row = await (await self._connection.execute(query.encode(), values)).fetchone()
        return row[0] if row else None

    async def now(self) -> datetime:
        """Return the time that the database goes by."""
        now: datetime = await self.value(NOW)
        return now


class Writer(Reader):
    """The same, where what is decided is noted as of whoever a proxy has named."""

    async def value(self, query: str, values: Mapping[str, Any] | None = None) -> Any:
        """Return the first value of the first row, or None."""
        user = ACTING.get()
        if user is not None and values is not None and "by" in values:
            values = {**values, "by": user}
        return await super().value(query, values)


class _Session:
    """A connection, and the roles that its login may take on."""

    def __init__(self, connection: HastyConnection, roles: frozenset[str]) -> None:
        self.connection = connection
        self.roles = roles

    @property
    def is_idle(self) -> bool:
        return (
            not self.connection.closed
            and self.connection.info.transaction_status == TransactionStatus.IDLE
        )


class Database:
    """Hands out transactions, on so many connections at most, opened when they are needed."""

    def __init__(self, dsn: str, connections: int, seconds_to_answer: float) -> None:
        """Describe a database; nothing is opened before the first question.

        Raises:
            DatabaseNotReadyError: the DSN cannot be parsed.
        """
        self._dsn = complete_dsn(dsn, "pgvigil web", _SECONDS_TO_CONNECT)
        self._seconds = seconds_to_answer
        self._turns = asyncio.Semaphore(connections)
        self._idle: list[_Session] = []

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reader]:
        """Give a transaction that only reads, and sees one moment.

        Raises:
            psycopg.Error: the database is away, or refuses.
            BusyError: all connections are in use.
            SilentError: the database does not answer.
        """
        async with self._transaction(READER) as reader:
            yield reader

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Reader]:
        """Give a transaction that may write; raises what `reading` does."""
        async with self._transaction(OPERATOR, Writer) as reader:
            yield reader

    @asynccontextmanager
    async def recording(self) -> AsyncIterator[Reader]:
        """Give a transaction that may record; raises what `reading` does."""
        async with self._transaction(WRITER) as reader:
            yield reader

    async def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._idle:
            await self._idle.pop().connection.close()

    @asynccontextmanager
    async def _transaction(self, role: str, kind: type[Reader] = Reader) -> AsyncIterator[Reader]:
        await self._take_turn()
        try:
            async with self._begun(role, kind) as reader:
                yield reader
        except TimeoutError as error:
            raise SilentError from error
        finally:
            self._turns.release()

    async def _take_turn(self) -> None:
        try:
            async with asyncio.timeout(_SECONDS_TO_WAIT_FOR_A_TURN):
                await self._turns.acquire()
        except TimeoutError:
            raise BusyError from None

    @asynccontextmanager
    async def _begun(self, role: str, kind: type[Reader]) -> AsyncIterator[Reader]:
        # A network that is gone, or a server that is frozen, tells nobody.
        async with asyncio.timeout(self._seconds):
            session = await self._begin(role)
        is_sound = True
        try:
            yield kind(session.connection, self._seconds + _GRACE_SECONDS)
            async with asyncio.timeout(self._seconds + _GRACE_SECONDS):
                await session.connection.commit()
        except BaseException as error:
            is_sound = not isinstance(error, psycopg.Error) or error.sqlstate in _OF_THE_QUESTION
            # What is in the middle of an answer cannot be rolled back.
            if session.connection.info.transaction_status in _IN_TRANSACTION:
                with suppress(psycopg.Error, TimeoutError):
                    async with asyncio.timeout(_GRACE_SECONDS):
                        await session.connection.rollback()
            raise
        finally:
            if is_sound and session.is_idle:
                self._idle.append(session)
            else:
                await session.connection.close()

    async def _begin(self, role: str) -> _Session:
        """Begin a transaction; a kept connection may be dead since, which is no failure yet."""
        while self._idle:
            session = self._idle.pop()
            try:
                async with asyncio.timeout(_PART_FOR_A_KEPT_ONE * self._seconds):
                    await self._enter(session, role)
            except TimeoutError:
                await session.connection.close()
                # What makes one silent makes the others so, and would cost as much for each.
                await self.close()
            except (psycopg.OperationalError, psycopg.InterfaceError):
                await session.connection.close()
            else:
                return session
        session = await self._open()
        try:
            await self._enter(session, role)
        except BaseException:
            await session.connection.close()
            raise
        return session

    async def _enter(self, session: _Session, role: str) -> None:
        connection = session.connection
        await connection.set_read_only(role == READER)
        # Who writes waits for others instead of failing because of them.
        await connection.set_isolation_level(
            psycopg.IsolationLevel.REPEATABLE_READ
            if role == READER
            else psycopg.IsolationLevel.READ_COMMITTED
        )
        await connection.execute(
            LIMIT_AND_BECOME if role in session.roles else LIMIT,
            {"limit": f"{self._seconds:g}s", "role": role},
        )

    async def _open(self) -> _Session:
        connection = await HastyConnection.connect(self._dsn)
        take_endless_lengths(connection)
        try:
            # What is prepared through a pooler would stay behind in sessions of others.
            if await _answer(connection, IS_POOLED, [connection.info.backend_pid]):
                connection.prepare_threshold = None
            roles = [
                role
                for role in (READER, OPERATOR, WRITER)
                if await _answer(connection, MAY_BECOME, {"role": role})
            ]
            await connection.rollback()
        except BaseException:
            await connection.close()
            raise
        return _Session(connection, frozenset(roles))


async def _answer(connection: HastyConnection, question: str, values: Any) -> bool:
    row = await (await connection.execute(question.encode(), values)).fetchone()
    return bool(row and row[0])
