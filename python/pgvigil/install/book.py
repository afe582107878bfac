"""The book of what is installed: ``monitoring.installed_migrations`` and ``installed_code``.

Every migration writes its own row in its own transaction, whichever way it came in, so the book
cannot be wrong. Only the installer reads these tables; everyone else has ``get_installation()``.
"""

from collections.abc import Collection, Sequence

import psycopg

from pgvigil.exceptions import DatabaseNotReadyError, NewerDatabaseError
from pgvigil.install.files import Migration
from pgvigil.install.session import may_not_read


def has_book(connection: psycopg.Connection) -> bool:
    """Return whether this database has pgvigil, or at least its first migration."""
    return _has_table(connection, "installed_migrations")


def read_book(connection: psycopg.Connection) -> list[str]:
    """Return the ids of the migrations that ran here, in order; none without a book.

    Raises:
        DatabaseNotReadyError: the caller may not read it.
    """
    if not has_book(connection):
        return []
    try:
        rows = connection.execute(
            "select migration_id from monitoring.installed_migrations order by migration_id"
        )
    except psycopg.errors.InsufficientPrivilege as error:
        raise may_not_read(connection) from error
    return [row[0] for row in rows]


def read_code_checksum(connection: psycopg.Connection) -> str | None:
    """Return the checksum of the code loaded here; None when there is none or psql loaded it."""
    if not _has_table(connection, "installed_code"):
        return None
    row = connection.execute("select checksum from monitoring.installed_code").fetchone()
    return None if row is None else row[0]


def refuse_unknown(installed: Collection[str], known: Sequence[Migration]) -> None:
    """Refuse a database whose book names migrations that this package does not have.

    Raises:
        NewerDatabaseError: all of them come after ours; the message names them.
        DatabaseNotReadyError: some do not, as they were never released; the message says so.
    """
    unknown = sorted(set(installed) - {migration.migration_id for migration in known})
    if not unknown:
        return
    if unknown[0] < known[-1].migration_id:
        raise DatabaseNotReadyError(
            f"this database was installed from an unreleased state of pgvigil: it has {unknown[0]}",
            hint="Such a state cannot be upgraded. Export what you need (pgvigil export), drop "
            "schema monitoring and run the command again.",
        )
    raise NewerDatabaseError(
        f"this database is newer than this pgvigil: it has {', '.join(unknown)}",
        hint="Upgrade the pgvigil package and run the command again.",
    )


def _has_table(connection: psycopg.Connection, name: str) -> bool:
    # The catalogue answers everyone; to_regclass would need the right to use the schema.
    row = connection.execute(
        "select from pg_tables where schemaname = 'monitoring' and tablename = %s", [name]
    ).fetchone()
    return row is not None
