"""One connection to the database, opened when first needed and reopened after a loss.

`DatabaseLink` is what keeps a program safe from its own monitoring: no call waits longer than the
time limits, and while the database is away calls come back at once.
"""

import os
import select
import threading
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.types.numeric import Int8Dumper

from pgvigil.client.recording.sqlstates import Remedy, remedy
from pgvigil.client.recording.values import clean_text, in_ascii
from pgvigil.client.sending.own_work import own_work
from pgvigil.database.dsn import complete_dsn
from pgvigil.database.patience import ImpatientConnection
from pgvigil.database.pooling import is_pooled

# A failed attempt is followed by a rest ten times as long as it took: at the very worst a tenth
# of the watched program's time is lost.
_REST_FACTOR = 10
_SHORTEST_REST = 1.0
_LONGEST_REST = 60.0
# For the transaction alone, so that nothing of it stays in a session that others share. A statement
# that waits for a lock in the server does not notice that we have given up: without a limit one
# more would wait after each attempt, until no session is left for anybody.
STRICTLY = " from set_config('monitoring.strict', 'on', true)"
_FOR_SO_LONG = "set_config('lock_timeout', %(lock_timeout)s, true) as patience"
_SHARE_FOR_LOCKS = 0.8  # of the time that a call may take
_SECONDS_TO_CLOSE = 0.2


class UnavailableError(Exception):
    """The database cannot be used at the moment."""


class DatabaseLink:
    """Calls the functions of the monitoring schema over one kept, autocommitting connection.

    Safe to share between threads, and survives a fork: the child opens a connection of its own.
    """

    def __init__(
        self,
        dsn: str,
        *,
        application_name: str,
        connect_timeout: float,
        statement_timeout: float,
        is_strict: bool = False,
        rests: bool = True,
        on_warning: Callable[[psycopg.errors.Diagnostic], None] | None = None,
    ) -> None:
        """Describe a link; nothing is opened before the first call.

        Args:
            dsn: connection URI or string; libpq's environment fills what it leaves out.
            application_name: how the session shows itself, unless the DSN says otherwise.
            connect_timeout: seconds for opening a connection, at least 2.
            statement_timeout: seconds for one call.
            is_strict: whether the database refuses what it would repair.
            rests: whether calls come back at once for a while after one has failed.
            on_warning: what is told of each warning, such as that a value was repaired.
        """
        self._dsn = dsn
        self._is_strict = is_strict
        self._rests = rests
        self._on_warning = on_warning
        self._application_name = clean_text(application_name)
        self._connect_timeout = connect_timeout
        self._statement_timeout = statement_timeout
        self._begin_anew()

    def call(self, function: str, arguments: Mapping[str, Any]) -> Any:
        """Call ``monitoring.<function>`` with ``p_<name>`` arguments and return its value.

        Raises:
            UnavailableError: the database is away, silent, or was so a moment ago.
            psycopg.Error: the database refused the call.
        """
        if os.getpid() != self._pid:
            self._begin_anew()  # without closing: the connection belongs to the parent
        # Bounded, because a signal handler may interrupt the thread that has the lock.
        if not self._lock.acquire(timeout=self._connect_timeout + self._statement_timeout):
            raise UnavailableError("the connection is busy with another call")
        try:
            with own_work():
                return self._call_alone(function, arguments)
        finally:
            if self._is_to_close:
                self._disconnect()
            self._lock.release()

    def close(self) -> None:
        """Close the connection; a later call opens it again. A call under way ends first."""
        if os.getpid() != self._pid:
            return
        self._is_to_close = True
        if self._lock.acquire(timeout=_SECONDS_TO_CLOSE):
            try:
                self._disconnect()
            finally:
                self._lock.release()

    def _begin_anew(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._connection: ImpatientConnection | None = None
        self._is_to_close = False
        self._resting_until = 0.0
        self._reason = ""

    def _call_alone(self, function: str, arguments: Mapping[str, Any]) -> Any:
        if time.monotonic() < self._resting_until:
            raise UnavailableError(self._reason)
        began_at = time.monotonic()
        statement = _statement(function, tuple(arguments), self._is_strict)
        lock_timeout = str(round(self._statement_timeout * _SHARE_FOR_LOCKS * 1000))
        try:
            row = self._execute(statement, {**arguments, "lock_timeout": lock_timeout})
        except psycopg.Error as error:
            what = remedy(error)
            if what is Remedy.REFUSE:
                raise
            if what is Remedy.GIVE_UP_SESSION:
                self._disconnect()
            self._rest(error, time.monotonic() - began_at)
            raise UnavailableError(self._reason) from error
        return row[0] if row else None

    def _execute(self, statement: str, arguments: Mapping[str, Any]) -> tuple[Any, ...] | None:
        connection = self._connected()
        try:
            return connection.execute(statement, arguments).fetchone()
        except psycopg.Error as error:
            # What was refused has done nothing, so that nothing is recorded twice.
            what = remedy(error)
            if what is Remedy.REPEAT_UNPREPARED and connection.prepare_threshold is not None:
                connection.prepare_threshold = None
            elif what is Remedy.REPEAT_IN_ASCII:
                arguments = {name: in_ascii(value) for name, value in arguments.items()}
            else:
                raise
        return connection.execute(statement, arguments).fetchone()

    def _connected(self) -> ImpatientConnection:
        if self._connection is not None and _has_news(self._connection):
            self._disconnect()
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> ImpatientConnection:
        connection = ImpatientConnection.connect(
            complete_dsn(self._dsn, self._application_name),
            autocommit=True,
            prepare_threshold=0,
            connect_timeout=max(2, round(self._connect_timeout)),
        )
        connection.patience = self._statement_timeout
        if self._on_warning is not None:
            connection.add_notice_handler(self._on_warning)
        try:
            # What is prepared through a pool of transactions stays behind in sessions of others,
            # under names that others use as well.
            if is_pooled(connection):
                connection.prepare_threshold = None
        except BaseException:
            connection.close()
            raise
        # One type for all whole numbers, so that a function is prepared once and not once a size.
        connection.adapters.register_dumper(int, Int8Dumper)
        return connection

    def _rest(self, error: Exception, cost: float) -> None:
        """Have nobody try again for a while; a connection in doubt is given up."""
        if self._connection is not None and not _is_idle(self._connection):
            self._disconnect()
        self._reason = str(error).strip() or type(error).__name__
        if not self._rests:
            return
        shortest = _SHORTEST_REST if self._connection is None else 0.0
        rest = min(max(shortest, cost * _REST_FACTOR), _LONGEST_REST)
        self._resting_until = time.monotonic() + rest

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        self._is_to_close = False
        if connection is not None:
            connection.close()


@cache
def _statement(function: str, names: tuple[str, ...], is_strict: bool) -> str:
    """Return the one form of statement that is ever sent: a call with named arguments."""
    arguments = ", ".join(f"p_{name} => %({name})s" for name in names)
    call = f"select monitoring.{function}({arguments})"
    return call + (STRICTLY + ", " if is_strict else " from ") + _FOR_SO_LONG


def _is_idle(connection: psycopg.Connection[Any]) -> bool:
    return connection.info.transaction_status == TransactionStatus.IDLE


def _has_news(connection: psycopg.Connection[Any]) -> bool:
    """Tell whether an idle connection has something to read, which is how its end shows.

    Asking the operating system takes a microsecond; sending a statement into a connection that
    the server closed long ago would lose that statement.
    """
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if not poll.poll(0):
        return False
    try:
        connection.pgconn.consume_input()
    except psycopg.OperationalError:
        return True
    return bool(poll.poll(0))
