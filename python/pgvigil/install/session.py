"""The installer's connections, and the lock that keeps installers apart.

Nothing is left in a session: what is set or locked ends with its transaction, so that a pooler
which hands sessions on hands nothing of ours on. The lock is held by a transaction that does
nothing else, on a connection of its own.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import psycopg

from pgvigil.database.connections import (
    READ_ONLY_HINT,
    Report,
    connect,
    current_role,
    own_session,
)
from pgvigil.database.words import length_of_time
from pgvigil.exceptions import DatabaseNotReadyError, InstallError, LockedError

_Done = TypeVar("_Done")
_GIVEN_UP = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)

OLDEST_SERVER = 150000
"""Oldest server version that works, as ``server_version_num`` gives it."""

# The single file takes the same locks, so psql and this program keep out of each other's way.
LOCK_KEY = "hashtext('pgvigil.migrate')"
BOOK = "monitoring.installed_migrations"
LOCK_MODE = "share update exclusive"
"""Keeps out others of its kind, and neither readers nor the rows that migrations write."""

SECONDS_TO_WAIT = 120
LOCK_LIMIT = "200ms"
"""How long one attempt waits for a lock: programs queue up behind it, and one that meets it in a
deadlock must not be the one that fails, which the server decides after a second."""
_SECONDS_BETWEEN_ATTEMPTS = 0.5

# A role's or database's own limits must not end the transaction that sits idle with the lock
# while the work goes on elsewhere. Not every version has both.
_NO_LIMITS = """
select set_config(name, '0', true) from pg_catalog.pg_settings
where name in ('idle_in_transaction_session_timeout', 'transaction_timeout')
"""
_LIMITS = "select current_setting('statement_timeout'), current_setting('lock_timeout')"
_LIMIT = "select set_config('statement_timeout', %s, true), set_config('lock_timeout', %s, true)"
_HAS_BOOK = """
select from pg_catalog.pg_tables
where schemaname = 'monitoring' and tablename = 'installed_migrations'
"""
HOLDERS = f"""
select a.pid, a.usename, a.application_name, a.state, a.backend_start
from pg_catalog.pg_locks l
join pg_catalog.pg_stat_activity a using (pid)
where l.granted and l.pid <> pg_catalog.pg_backend_pid() and (
    l.locktype = 'advisory'
    and l.database = (
        select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()
    )
    and l.objsubid = 1
    and (l.classid::bigint << 32 | l.objid::bigint) = {LOCK_KEY}::bigint
    or l.locktype = 'relation'
    and l.relation = pg_catalog.to_regclass('{BOOK}')
    and l.mode in (
        'ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock',
        'AccessExclusiveLock'
    )
)
order by a.backend_start
"""


class Installer:
    """What an installer works with while it keeps others out."""

    def __init__(self, dsn: str, report: Report, keeper: psycopg.Connection) -> None:
        """Use `installing`."""
        self.dsn = dsn
        self.report = report
        self.keeper = keeper
        """The connection that has the lock, in a transaction that ends with it."""

    def connection(self) -> psycopg.Connection:
        """Open a connection that commits each statement; for a moment, as limits end idle ones."""
        return connect(self.dsn, self.report)

    def lock_book(self) -> None:
        """Take the lock that only those can have who may install, as soon as there is a book.

        Raises:
            LockedError: somebody else has it for too long.
        """
        if self.keeper.execute(_HAS_BOOK).fetchone() is None:
            return
        _wait_for(self.keeper, f"lock table {BOOK} in {LOCK_MODE} mode", self.dsn, self.report)

    def let_go(self) -> None:
        """End the lock early, for who drops what it is on."""
        self.keeper.execute("rollback")


@contextmanager
def installing(dsn: str, report: Report) -> Iterator[Installer]:
    """Connect, wait until no other installer is at work, and keep others out meanwhile.

    Args:
        dsn: the database, as a URI or key=value pairs; empty for libpq's environment.
        report: is told of a wait, and of the server's notices and warnings.

    Raises:
        psycopg.OperationalError: the database cannot be reached.
        DatabaseNotReadyError: the server is too old, does not take changes, or is reached through
            a pooler that shares sessions.
        LockedError: somebody else has the lock for too long; the message names them.
    """
    with own_session(dsn) as connection:
        check_server(connection)
    with connect(dsn, report) as keeper:
        # By the words: what is wanted is the transaction, not its end in a context.
        keeper.execute("begin isolation level read committed")
        keeper.execute(_NO_LIMITS)
        installer = Installer(dsn, report, keeper)
        has_book = keeper.execute(_HAS_BOOK).fetchone() is not None
        if not has_book:
            # There is nothing yet that only we could lock.
            _wait_for(keeper, f"select pg_advisory_xact_lock({LOCK_KEY})", dsn, report)
        installer.lock_book()
        yield installer


def _wait_for(keeper: psycopg.Connection, statement: str, dsn: str, report: Report) -> None:
    limits = keeper.execute(_LIMITS).fetchone()
    keeper.execute("savepoint before_lock")
    # At once where it is free, as a wait is to be told; no other limit is to end that.
    for limit in ("1ms", f"{SECONDS_TO_WAIT}s"):
        keeper.execute(_LIMIT, ["0", limit])
        try:
            keeper.execute(statement.encode())
        except psycopg.errors.LockNotAvailable:
            keeper.execute("rollback to savepoint before_lock")
            if limit == "1ms":
                report("waiting for another installer to finish with this database")
        except psycopg.errors.InsufficientPrivilege as error:
            keeper.execute("rollback to savepoint before_lock")
            raise may_not_read(keeper) from error
        else:
            # They hold again for the work itself.
            keeper.execute(_LIMIT, limits)
            return
    raise _locked(dsn)


def insist(attempt: Callable[[], _Done], report: Report) -> _Done:
    """Try again and again what gives up a lock that it cannot have soon, and return its result.

    Between two attempts whoever waited for the attempt goes on.

    Args:
        attempt: changes nothing when it fails.
        report: is told of the first failure.

    Raises:
        Exception: what the attempt raised, when it was another failure or this has gone on for
            too long.
    """
    until = time.monotonic() + SECONDS_TO_WAIT
    is_told = False
    while True:
        try:
            return attempt()
        except (psycopg.Error, InstallError) as error:
            cause = error.__cause__ if isinstance(error, InstallError) else error
            if not isinstance(cause, _GIVEN_UP) or time.monotonic() > until:
                raise
        if not is_told:
            report("waiting for transactions that use what is to be changed")
            is_told = True
        time.sleep(_SECONDS_BETWEEN_ATTEMPTS)


def may_not_read(connection: psycopg.Connection) -> DatabaseNotReadyError:
    """Return the refusal for a caller who is none of those who may install."""
    user = current_role(connection)
    return DatabaseNotReadyError(
        f"{user} may not read which migrations ran here",
        hint=f"Run as the role that installed, or ask for: grant monitoring_admin to {user};",
    )


def _locked(dsn: str) -> LockedError:
    with connect(dsn) as connection:
        holders = [
            f"process {pid} of {user} ({application or 'no application name'}, {state},"
            f" connected since {since:%Y-%m-%d %H:%M})"
            for pid, user, application, state, since in connection.execute(HOLDERS.encode())
        ]
    who = ", ".join(holders) or "another session"
    return LockedError(
        f"{who} has held the installation lock for {length_of_time(SECONDS_TO_WAIT)}",
        hint="Wait for it to finish, or end it: select pg_terminate_backend(<process>);",
    )


def check_server(connection: psycopg.Connection) -> None:
    """Refuse a server that cannot hold pgvigil.

    Raises:
        DatabaseNotReadyError: it is older than PostgreSQL 15, or a standby.
    """
    if connection.info.server_version < OLDEST_SERVER:
        raise DatabaseNotReadyError(
            f"the server is PostgreSQL {connection.info.server_version // 10000}",
            hint="pgvigil needs PostgreSQL 15 or newer.",
        )
    row = connection.execute(
        "select pg_is_in_recovery() or current_setting('transaction_read_only')::boolean"
    ).fetchone()
    if row is not None and row[0]:
        raise DatabaseNotReadyError("the database is read-only", hint=READ_ONLY_HINT)
