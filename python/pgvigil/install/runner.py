"""Installs, upgrades and rolls back, step by step, under a lock."""

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from pgvigil import __version__
from pgvigil.database.connections import Report, current_role, own_session, say_nothing
from pgvigil.exceptions import DatabaseNotReadyError, RollbackRefusedError
from pgvigil.install.book import has_book, read_book, read_code_checksum, refuse_unknown
from pgvigil.install.files import Code, Migration, read_migrations
from pgvigil.install.grants import grants_are_stale
from pgvigil.install.loader import drop_code, load_code
from pgvigil.install.ours import refuse_foreign, refuse_needed_outside
from pgvigil.install.session import Installer, installing


@dataclass(frozen=True)
class Migrated:
    """What a run of `migrate` did."""

    applied: list[str]
    """Ids of the migrations that ran, in order."""
    code_loaded: bool
    """Whether functions and views were loaded."""


def migrate(dsn: str = "", *, reload: bool = False, report: Report = say_nothing) -> Migrated:
    """Install pgvigil in a database, or bring it up to this package; repeatable.

    Args:
        dsn: the database, as a URI or key=value pairs; empty for libpq's environment.
        reload: load functions, views and grants even if they are the same.
        report: is told what is done, a line at a time, and the server's notices and warnings.

    Raises:
        InstallError: one of its kinds; the message says why and the hint what to do.
        psycopg.OperationalError: the database cannot be reached.
    """
    known = read_migrations()
    code = Code()
    with installing(dsn, report) as installer:
        with installer.connection() as connection:
            _check_may_create_schema(connection)
            installed = read_book(connection)
            refuse_unknown(installed, known)
            is_behind = any(migration.migration_id not in installed for migration in known)
            if is_behind or reload or _reason_to_load(connection, code) is not None:
                refuse_foreign(connection, known)
        applied = _apply_pending(installer, known)
        loaded = _load_when_needed(installer.keeper, code, reload or bool(applied), report)
        if not applied and not loaded:
            report(f"pgvigil {__version__}: nothing to do")
    return Migrated(applied, loaded)


def roll_back(dsn: str = "", *, report: Report = say_nothing) -> str:
    """Undo the newest migration, with the data that it made room for; return its id.

    The code goes first, because it belongs to the newer tables; `migrate` brings all back.

    Args:
        dsn: the database, as a URI or key=value pairs; empty for libpq's environment.
        report: is told what is done, a line at a time, and the server's notices and warnings.

    Raises:
        InstallError: one of its kinds; the message says why and the hint what to do.
        psycopg.OperationalError: the database cannot be reached.
    """
    from pgvigil.install.yoyo_runner import find_schema, open_yoyo

    known = read_migrations()
    with installing(dsn, report) as installer:
        with installer.connection() as connection:
            newest = _newest(read_book(connection), known)
            refuse_foreign(connection, known)
            refuse_needed_outside(connection)
            schema = find_schema(connection)
        with open_yoyo(schema, dsn, report) as yoyo:
            with installer.connection() as connection:
                yoyo.agree_with(read_book(connection), known)
                drop_code(connection)
            report("dropped the functions and views, which belong to the newer tables")
            if newest == known[0]:
                # It drops the book as well, with our lock on it.
                installer.let_go()
            yoyo.roll_back(newest, known)
        report(f"rolled back {newest.migration_id}")
    report("`pgvigil migrate` brings everything back, except the dropped data")
    return newest.migration_id


def newest_migration(dsn: str) -> str:
    """Return the id of the migration that `roll_back` would undo.

    Raises:
        RollbackRefusedError: there is none, or it cannot be undone.
        psycopg.OperationalError: the database cannot be reached.
    """
    with own_session(dsn) as connection:
        return _newest(read_book(connection), read_migrations()).migration_id


def _apply_pending(installer: Installer, known: Sequence[Migration]) -> list[str]:
    # Here, so that the single file is made where there is no yoyo.
    from pgvigil.install.yoyo_runner import find_schema, open_yoyo

    applied = []
    with installer.connection() as connection:
        schema = find_schema(connection)
    with open_yoyo(schema, installer.dsn, installer.report) as yoyo:
        yoyo.agree_with(_installed(installer), known)
        for migration in known:
            # Read anew each time: whoever had the lock on the book before us has written into it.
            if migration.migration_id not in _installed(installer):
                yoyo.apply(migration, known)
                installer.report(f"applied {migration.migration_id}")
                applied.append(migration.migration_id)
                if migration == known[0]:
                    installer.lock_book()
    return applied


def _installed(installer: Installer) -> list[str]:
    with installer.connection() as connection:
        return read_book(connection)


def _load_when_needed(
    connection: psycopg.Connection, code: Code, wanted: bool, report: Report
) -> bool:
    reason = "" if wanted else _reason_to_load(connection, code)
    if reason is None:
        return False
    load_code(connection, code, report)
    report(f"loaded the functions and views of pgvigil {__version__}{reason}")
    return True


def _reason_to_load(connection: psycopg.Connection, code: Code) -> str | None:
    if read_code_checksum(connection) != code.checksum:
        return ": they are not those of this version"
    if grants_are_stale(connection):
        return ": a role has come that they were not granted to yet"
    return None


def _newest(installed: Sequence[str], known: Sequence[Migration]) -> Migration:
    refuse_unknown(installed, known)
    if not installed:
        raise RollbackRefusedError("there is no migration to roll back in this database")
    newest = next(item for item in known if item.migration_id == installed[-1])
    if not newest.rollback_path.exists():
        raise RollbackRefusedError(
            f"{newest.migration_id} cannot be rolled back: {newest.rollback_path.name} is missing"
        )
    return newest


def _check_may_create_schema(connection: psycopg.Connection) -> None:
    """Refuse early, and in plain words, what the first migration would stumble over."""
    if has_book(connection):
        return
    row = connection.execute(
        "select to_regnamespace('monitoring') is not null,"
        " has_database_privilege(current_database(), 'create'),"
        " pg_has_role(nspowner, 'usage')"
        " from (select 1) as always left join pg_namespace on nspname = 'monitoring'"
    ).fetchone()
    assert row is not None
    exists, may_create, owns = row
    user, database = current_role(connection), connection.info.dbname
    if not exists and not may_create:
        raise DatabaseNotReadyError(
            f"{user} may not create schemas in database {database}",
            hint=f"Ask for one of: grant create on database {database} to {user}; "
            f"or: create schema monitoring authorization {user};",
        )
    if exists and not owns:
        raise DatabaseNotReadyError(
            f"schema monitoring is there already and belongs to somebody else than {user}",
            hint=f"Ask its owner for: alter schema monitoring owner to {user};",
        )
