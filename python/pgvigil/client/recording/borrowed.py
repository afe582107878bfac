"""Calls over a connection of the program's own, within the transaction that it is in.

A call is one statement between a savepoint and its release, sent at once, so that whatever goes
wrong with it leaves the transaction as it was. Its values stand in the statement, and neither the
adapters nor the factories of the connection play a part.
"""

import asyncio
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg import errors, sql
from psycopg.adapt import Transformer
from psycopg.pq import PipelineStatus, TransactionStatus
from psycopg.rows import tuple_row

from pgvigil.client.recording.link import STRICTLY
from pgvigil.client.recording.sqlstates import Remedy, remedy
from pgvigil.client.recording.values import in_ascii

_PATIENCE = 1.0  # seconds to wait for a connection that is busy
_REST = 10.0  # seconds to find it busy at once, after waiting in vain

AnyConnection = psycopg.Connection[Any] | psycopg.AsyncConnection[Any]
Conversation = Generator[bytes, Any, Any]
"""Yields statements, is sent their values, and returns the answer."""

_busy_until: "WeakKeyDictionary[AnyConnection, float]" = WeakKeyDictionary()


class BorrowedLink:
    """Calls the functions of the monitoring schema over somebody else's connection."""

    def __init__(self, connection: psycopg.Connection[Any], is_strict: bool) -> None:
        """Borrow a connection; ``is_strict`` as for `DatabaseLink`."""
        self._connection = connection
        self._is_strict = is_strict

    def call(self, function: str, arguments: Mapping[str, Any]) -> Any:
        """Call ``monitoring.<function>`` with ``p_<name>`` arguments and return its value.

        Raises:
            psycopg.Error: the database refused the call, or the connection takes none.
        """
        with _turn(self._connection) as patience:
            if not self._connection.lock.acquire(timeout=patience):
                raise TimeoutError
            try:
                is_guarded = _has_transaction(self._connection)
            finally:
                self._connection.lock.release()
        conversation = _converse(self._connection, function, arguments, is_guarded, self._is_strict)
        resume, given = conversation.send, None
        while True:
            try:
                statement = resume(given)
            except StopIteration as end:
                return end.value
            try:
                cursor = psycopg.Cursor(self._connection, row_factory=tuple_row)
                cursor.execute(statement, prepare=False)
                resume, given = conversation.send, _value(cursor)
            except BaseException as error:
                resume, given = conversation.throw, error


class AsyncBorrowedLink:
    """Does what `BorrowedLink` does, over an asynchronous connection."""

    def __init__(self, connection: psycopg.AsyncConnection[Any], is_strict: bool) -> None:
        """Borrow a connection; ``is_strict`` as for `DatabaseLink`."""
        self._connection = connection
        self._is_strict = is_strict

    async def call(self, function: str, arguments: Mapping[str, Any]) -> Any:
        """Call ``monitoring.<function>`` with ``p_<name>`` arguments and return its value.

        Raises:
            psycopg.Error: the database refused the call, or the connection takes none.
        """
        with _turn(self._connection) as patience:
            async with asyncio.timeout(patience), self._connection.lock:
                is_guarded = _has_transaction(self._connection)
        conversation = _converse(self._connection, function, arguments, is_guarded, self._is_strict)
        resume, given = conversation.send, None
        while True:
            try:
                statement = resume(given)
            except StopIteration as end:
                return end.value
            try:
                cursor = psycopg.AsyncCursor(self._connection, row_factory=tuple_row)
                await cursor.execute(statement, prepare=False)
                resume, given = conversation.send, _value(cursor)
            except BaseException as error:
                resume, given = conversation.throw, error


class _PlainContext:
    """Values as psycopg writes and reads them, whatever somebody's connection does with them."""

    adapters = psycopg.adapters

    def __init__(self, connection: AnyConnection) -> None:
        self.connection = connection


@contextmanager
def _turn(connection: AnyConnection) -> Iterator[float]:
    """Wait for those who use the connection now, for as long as is given to the block.

    Its lock may be held for very long, by a thread or, as `stream` does, by the caller itself.
    """
    now = monotonic()
    try:
        yield 0.0 if now < _busy_until.get(connection, now) else _PATIENCE
    except TimeoutError:
        _busy_until[connection] = monotonic() + _REST
        raise psycopg.OperationalError(
            "the connection is busy with a stream, COPY or another thread"
        ) from None


def _converse(
    connection: AnyConnection,
    function: str,
    arguments: Mapping[str, Any],
    is_guarded: bool,
    is_strict: bool,
) -> Conversation:
    """Make a call, and once more in ASCII where a character makes it fail.

    Args:
        connection: over which one.
        function: what to call.
        arguments: what to pass.
        is_guarded: whether there is a transaction, which is to stay as it was when it fails.
        is_strict: as for `DatabaseLink`.
    """
    converse = _guarded if is_guarded else _alone
    try:
        return (yield from converse(connection, function, arguments, is_strict))
    except (psycopg.Error, UnicodeEncodeError) as error:
        if remedy(error) is not Remedy.REPEAT_IN_ASCII and isinstance(error, psycopg.Error):
            raise
    plain = {name: in_ascii(value) for name, value in arguments.items()}
    return (yield from converse(connection, function, plain, is_strict))


def _alone(
    connection: AnyConnection, function: str, arguments: Mapping[str, Any], is_strict: bool
) -> Conversation:
    """Make a call that is a transaction by itself."""
    return (yield _statement(connection, function, arguments, is_strict))


def _guarded(
    connection: AnyConnection, function: str, arguments: Mapping[str, Any], is_strict: bool
) -> Conversation:
    """Make a call that leaves the transaction as it was when it fails."""
    call = _statement(connection, function, arguments, is_strict)
    after = b"release savepoint pgvigil"
    if is_strict:  # until the end of the call, not of the transaction
        before = yield b"select coalesce(current_setting('monitoring.strict', true), '')"
        setting = sql.Literal(before).as_bytes(_PlainContext(connection))
        after = b"select set_config('monitoring.strict', %s, true); %s" % (setting, after)
    try:
        return (yield b"savepoint pgvigil; %s; %s" % (call, after))
    except BaseException:
        if connection.info.transaction_status == TransactionStatus.INERROR:
            with suppress(psycopg.Error):
                yield b"rollback to savepoint pgvigil; release savepoint pgvigil"
        raise


def _statement(
    connection: AnyConnection, function: str, arguments: Mapping[str, Any], is_strict: bool
) -> bytes:
    """Return a call with its values in it."""
    context = _PlainContext(connection)
    given = [
        b"p_%s => %s" % (name.encode(), sql.Literal(value).as_bytes(context))
        for name, value in arguments.items()
    ]
    call = b"select monitoring.%s(%s)" % (function.encode(), b", ".join(given))
    return call + STRICTLY.encode() if is_strict else call


def _has_transaction(connection: AnyConnection) -> bool:
    """Return whether a statement would be one of a transaction.

    Raises:
        psycopg.Error: nothing can be recorded over the connection now.
    """
    status = connection.info.transaction_status
    if connection.closed:
        raise psycopg.OperationalError("the connection is closed")
    if connection.pgconn.pipeline_status != PipelineStatus.OFF:
        raise psycopg.NotSupportedError("nothing is recorded over a connection in pipeline mode")
    if status == TransactionStatus.INERROR:
        raise errors.InFailedSqlTransaction(
            "the transaction has failed, and takes back what is recorded in it"
        )
    if status == TransactionStatus.ACTIVE:  # COPY, in some versions of psycopg
        raise TimeoutError
    return status == TransactionStatus.INTRANS or not connection.autocommit


def _value(cursor: psycopg.Cursor[Any] | psycopg.AsyncCursor[Any]) -> Any:
    """Return the value of the first statement that returns rows."""
    while cursor.pgresult is not None and not cursor.pgresult.nfields:
        if not cursor.nextset():
            return None
    if cursor.pgresult is None or not cursor.pgresult.ntuples:
        return None
    reader = Transformer(_PlainContext(cursor.connection))
    reader.set_pgresult(cursor.pgresult)
    (value,) = reader.load_row(0, tuple) or (None,)
    return value.decode(errors="replace") if isinstance(value, bytes) else value
