"""Runs migrations with yoyo; the only module that knows yoyo.

yoyo keeps a book of its own, in tables of its own. They live where plain ``yoyo apply`` would
make them, so that both can be used in turn: in the first schema of the search path, but never in
schema monitoring, which may be in that path and which a rollback drops.
"""

import getpass
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
from yoyo import read_migrations as read_yoyo_migrations
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.connections import DatabaseURI
from yoyo.exceptions import LockTimeout
from yoyo.migrations import default_migration_table

from pgvigil.database.connections import Report, current_role, notice_reporter
from pgvigil.database.dsn import complete_dsn, parse_dsn
from pgvigil.exceptions import DatabaseNotReadyError, LockedError, MigrationFailedError
from pgvigil.install.files import Migration
from pgvigil.install.loader import SEARCH_PATH, hint_of
from pgvigil.install.session import insist

_LOCK_WAIT_SECONDS = 10
_TABLES = ("_yoyo_migration", "_yoyo_log", "_yoyo_version", "yoyo_lock")


class _Backend(PostgresqlPsycopgBackend):  # type: ignore[misc]
    """yoyo's backend, with notices reported and with a lock that a killed run cannot leave."""

    def __init__(self, uri: DatabaseURI, report: Report) -> None:
        self.report = report
        super().__init__(uri, default_migration_table)

    def copy(self) -> "_Backend":
        return _Backend(self.uri, self.report)

    def connect(self, dburi: DatabaseURI) -> Any:
        connection = super().connect(dburi)
        # Through a pooler what is prepared, or set for a session, would be left to others.
        connection.prepare_threshold = None
        connection.add_notice_handler(notice_reporter(self.report))
        return connection

    def init_connection(self, connection: Any) -> None:
        """Set nothing for the session; yoyo would set its search path."""

    def begin(self) -> None:
        super().begin()
        # The files are written for this, whatever the role or database has it set to.
        self.execute("set local standard_conforming_strings = on")
        self.execute(f"set local search_path = {SEARCH_PATH}")

    def quote_identifier(self, s: str) -> str:
        quoted: str = super().quote_identifier(s)
        return f"{self.schema}.{quoted}" if s in _TABLES else quoted

    def list_tables(self, **kwargs: Any) -> list[str]:
        return [
            name for name in _TABLES if _is_there(self.connection, f"{self.schema}.{_quoted(name)}")
        ]

    def create_lock_table(self) -> None:
        """Create it, and say what hinders that; yoyo would go on without."""
        with self.transaction():
            self.execute(self.format_sql(self.create_lock_table_sql))

    # yoyo's lock is a row that stays behind when its program is killed. Ours bears a negative
    # process id: whoever holds the installers' advisory lock knows that such a row is stale.
    def _insert_lock_row(self, pid: int, timeout: float, poll_interval: float = 0.5) -> None:
        with self.transaction():
            self.execute(f"delete from {self.lock_table_quoted} where pid < 0")
        super()._insert_lock_row(-pid, timeout, poll_interval)

    def _delete_lock_row(self, pid: int) -> None:
        super()._delete_lock_row(-pid)


class YoyoRunner:
    """Applies migrations and rolls them back, keeping yoyo's book in step with ours."""

    def __init__(self, backend: _Backend) -> None:
        """Use `open_yoyo`."""
        self._backend = backend

    def agree_with(self, installed: Collection[str], known: Sequence[Migration]) -> None:
        """Make yoyo's book of our migrations the same as the database's own.

        They differ after an installation by psql, after a run that was killed between a migration
        and its mark, and after the schema was dropped by hand.
        """
        marked = set(self._backend.get_applied_migration_hashes())
        ran = {migration.migration_id for migration in known} & set(installed)
        for item in _load(known):
            if item.id in ran and item.hash not in marked:
                self._backend.mark_migrations([item])
            elif item.id not in ran and item.hash in marked:
                self._backend.unmark_migrations([item])

    def apply(self, migration: Migration, known: Sequence[Migration]) -> None:
        """Run one migration in a transaction of its own, as soon as it gets its locks at once.

        Raises:
            MigrationFailedError: it failed; the message is the server's.
        """
        with _failures(migration.migration_id):
            insist(lambda: self._backend.apply_one(_find(migration, known)), self._backend.report)

    def roll_back(self, migration: Migration, known: Sequence[Migration]) -> None:
        """Undo one migration in a transaction of its own.

        Raises:
            MigrationFailedError: it failed; the message is the server's.
        """
        with _failures(migration.rollback_path.stem):
            self._backend.rollback_one(_find(migration, known))


@contextmanager
def open_yoyo(schema: str, dsn: str, report: Report) -> Iterator[YoyoRunner]:
    """Connect yoyo and take its lock, which keeps plain ``yoyo`` out.

    Args:
        schema: where its tables are, or are to be made; from `find_schema`.
        dsn: the database, as a URI or key=value pairs; empty for libpq's environment.
        report: is told the server's notices and warnings.

    Raises:
        LockedError: plain ``yoyo`` is at work, or was killed.
    """
    _name_the_user()
    with _Backend(_to_yoyo(dsn, schema), report) as backend:
        # yoyo would find out by running into errors, which alarm whoever reads the server's log.
        if "yoyo_lock" not in backend.list_tables():
            with _failures("making yoyo's table yoyo_lock"):
                backend.create_lock_table()
        try:
            with backend.lock(_LOCK_WAIT_SECONDS):
                yield YoyoRunner(backend)
        except LockTimeout as error:
            raise LockedError(
                f"another program holds yoyo's lock on this database: {error}",
                hint="Wait for it to finish. If it was killed, remove the lock: "
                f"delete from {schema}.yoyo_lock;",
            ) from error


def _to_yoyo(dsn: str, schema: str) -> DatabaseURI:
    """Return what yoyo connects with.

    yoyo's own reading of URIs knows neither sockets nor key=value pairs, so libpq reads the DSN
    and yoyo passes its parts on as they are.
    """
    parts = parse_dsn(complete_dsn(dsn)) | {"client_encoding": "utf8"}
    return DatabaseURI(
        scheme="postgresql+psycopg",
        username=None,
        password=None,
        hostname=None,
        port=None,
        database=parts.pop("dbname", None),
        args=parts | {"schema": _quoted(schema)},
    )


def find_schema(connection: psycopg.Connection) -> str:
    """Return the schema of yoyo's tables, where the caller may work with them.

    Raises:
        DatabaseNotReadyError: there is none.
    """
    path = connection.execute("select current_schemas(false)").fetchone()
    names: list[str] = path[0] if path else []
    schemas = [name for name in names if name != "monitoring"] or ["public"]
    for schema in schemas:
        if _has_table(connection, schema, _TABLES[0]):
            _check_use(connection, schema)
            return schema
    _check_create(connection, schemas[0])
    return schemas[0]


def _has_table(connection: psycopg.Connection, schema: str, table: str) -> bool:
    row = connection.execute(
        "select from pg_tables where schemaname = %s and tablename = %s", [schema, table]
    ).fetchone()
    return row is not None


def _is_there(connection: psycopg.Connection, name: str) -> bool:
    row = connection.execute("select to_regclass(%s) is not null", [name]).fetchone()
    return row is not None and bool(row[0])


def _check_use(connection: psycopg.Connection, schema: str) -> None:
    names = [f"{_quoted(schema)}.{_quoted(table)}" for table in _TABLES]
    rows = connection.execute(
        "select name from unnest(%s::text[]) as t (name) where to_regclass(name) is not null and"
        " not (has_table_privilege(name, 'select') and has_table_privilege(name, 'insert')"
        " and has_table_privilege(name, 'delete'))",
        [names],
    ).fetchall()
    if rows:
        raise DatabaseNotReadyError(
            f"yoyo's table {rows[0][0]} belongs to another role that shares no rights in it",
            hint="Run as the role that installed, or let it: grant select, insert, delete on "
            f"{', '.join(names)} to {current_role(connection)};",
        )


def _check_create(connection: psycopg.Connection, schema: str) -> None:
    row = connection.execute(
        "select coalesce(has_schema_privilege(to_regnamespace(%s), 'create'), false)",
        [_quoted(schema)],
    ).fetchone()
    if row is None or not row[0]:
        user = current_role(connection)
        raise DatabaseNotReadyError(
            f"{user} may not create tables in schema {schema}, where yoyo keeps "
            "its book of migrations",
            hint=f"Ask for: grant create on schema {_quoted(schema)} to {user}; "
            "or name a schema of yours in the DSN (options=-csearch_path=yours); or install with "
            "psql and the single file (pgvigil sql), which needs no yoyo.",
        )


def _load(known: Sequence[Migration]) -> list[Any]:
    """Return yoyo's migrations, each with its hash; all are read, as they depend on another."""
    directories = sorted({str(migration.path.parent) for migration in known})
    ids = {migration.migration_id for migration in known}
    return [item for item in read_yoyo_migrations(*directories) if item.id in ids]


def _find(migration: Migration, known: Sequence[Migration]) -> Any:
    return next(item for item in _load(known) if item.id == migration.migration_id)


@contextmanager
def _failures(name: str) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise MigrationFailedError(
            f"{name} failed: {error.diag.message_primary or error}",
            hint=hint_of(error),
        ) from error


def _name_the_user() -> None:
    """Give the process a user name where the system knows none, as yoyo logs it."""
    try:
        getpass.getuser()
    except (KeyError, OSError):  # a container that runs under any uid
        os.environ["LOGNAME"] = f"uid {os.getuid()}"


def _quoted(name: str) -> str:
    return sql.Identifier(name).as_string(None)
